"""The environment: os.environ, then `.env`, then what `up` and the embedded services wrote. Nothing else configures the program."""

import os
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent
STATE_DIR = Path(os.environ.get("ARENA_STATE_DIR") or BASE_DIR / ".arena")

STAND_IN_FILE = STATE_DIR / "payments.env"


def may_stand_in() -> bool:
    """Tell whether payments may go to a local stand-in: on one machine alone; a site or a test finds none by accident."""
    return os.environ.get("DJANGO_SETTINGS_MODULE") == "tradingarena.settings.local"


env = environ.Env()
for _file in (BASE_DIR / ".env", STATE_DIR / "services.env"):
    if _file.is_file():
        environ.Env.read_env(_file, overwrite=False)
# Whole or not at all: a key of Stripe's must never meet the stand-in's address or secret.
if may_stand_in() and not os.environ.get("STRIPE_SECRET_KEY") and STAND_IN_FILE.is_file():
    environ.Env.read_env(STAND_IN_FILE, overwrite=True)


def database_config(url: str) -> dict[str, object]:
    """Read a DATABASE_URL into Django's form.

    Shapes: `postgres://user:password@host:port/name?host=/socket/dir&option=value`; a `host` option names a socket directory.
    Raises: ValueError: the scheme is not PostgreSQL's.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL must start with postgres://, not {parts.scheme}://")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.pop("host", parts.hostname or "")
    port = options.pop("port", str(parts.port or ""))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "arena",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": dict(options),
    }


def origin(url: str) -> str:
    """Give the scheme, host and port of a URL, as a content policy names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def redis_url(url: str, db: int) -> str:
    """Point a REDIS_URL (`redis://`, `rediss://` or `unix://`) at one of its numbered databases."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{quote(unquote(parts.path))}?db={db}"
    return parts._replace(path=f"/{db}", query=parts.query).geturl()


def celery_broker_url(url: str, db: int) -> str:
    """Point Celery at the same Redis; its transport spells a unix socket differently."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"redis+socket://{quote(unquote(parts.path))}?virtual_host={db}"
    return redis_url(url, db)
