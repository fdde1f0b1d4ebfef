"""`.env.example` is complete: every variable that the program reads is described there, and nothing else."""

import re
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent.parent
READ = re.compile(
    r"""(?:\benv\.\w+|environ\.get|environ\[|getenv|configured)\(?\s*["']([A-Z][A-Z0-9_]+)["']""",
)
APPS = ("tradingarena", "accounts", "competitions", "tokens", "chat", "arena", "betting", "pvp")
# The owner's contract names these; the others are ours.
CONTRACT = """DATABASE_URL REDIS_URL SECRET_KEY ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS STRIPE_SECRET_KEY
STRIPE_WEBHOOK_SECRET STRIPE_API_BASE POLYGON_API_KEY POLYGON_WS_URL POLYGON_REST_URL FX_DATA_DIR RESEND_API_KEY EMAIL_URL COUNTRY_SOURCE"""
# The operating system's, other tools', or handed from one of our processes to another.
NOT_FOR_PEOPLE = {
    "PATH", "PYTEST_XDIST_WORKER", "PLAYWRIGHT_BROWSERS_PATH", "ARENA_URL", "ARENA_STARTED_SERVICES", "KEY_PREFIX",
}  # fmt: skip


def described() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def test_every_variable_that_is_read_is_described() -> None:
    files = [file for app in APPS for file in (ROOT / app).rglob("*.py") if "tests" not in file.parts]
    read = {name for file in files for name in READ.findall(file.read_text())}
    assert {"DATABASE_URL", "PORT", "STAFF_MFA_REQUIRED", "FX_DATA_DIR"} <= read
    assert read - NOT_FOR_PEOPLE <= described()


def test_the_variables_of_the_contract_are_described() -> None:
    assert set(CONTRACT.split()) <= described()


def test_it_is_a_file_that_the_settings_can_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#([A-Z][A-Z0-9_]+=)", r"\1", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    values: dict[str, str] = {}
    environ.Env.ENVIRON, before = values, environ.Env.ENVIRON
    try:
        environ.Env.read_env(file)
    finally:
        environ.Env.ENVIRON = before
    assert set(values) == described()
    assert values["COUNTRY_BLOCKS"] == '{"bet": {"FR": "Not licensed there."}}'
