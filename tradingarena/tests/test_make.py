"""`make` and its first steps on machines that lack something: each lack is named, and nothing is done twice."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tradingarena.localstack import bootstrap, freshness

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    return tmp_path


def make(*arguments: str, directory: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | environment
    command = [shutil.which("make") or "make", *arguments]
    return subprocess.run(command, cwd=directory, env=kept, capture_output=True, text=True, check=False)


def test_bare_make_lists_every_target_with_a_comment() -> None:
    out = make().stdout
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):.*## (.+)$", text, re.MULTILINE)
    assert len(targets) >= 10
    assert {"setup", "run", "test", "lint", "bench", "lock", "clean", "doctor", "openapi"} <= dict(targets).keys()
    assert all(re.search(rf"^  make {name} +{re.escape(comment)}$", out, re.MULTILINE) for name, comment in targets)


def test_a_machine_without_a_known_python_is_told_which_one_it_needs(tmp_path: Path) -> None:
    for name in ("sh", "awk"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    done = make("setup", PATH=str(tmp_path), PYTHON="")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_python_is_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    with pytest.raises(bootstrap.Unready):
        bootstrap.set_up(Path("requirements.txt"))
    assert "Python 3.11 to 3.13 is needed; this is 3.9." in capsys.readouterr().err


def test_packages_are_installed_only_when_the_lock_changed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_run", lambda command, failed: commands.append(list(command)))
    monkeypatch.setattr(bootstrap, "_environment_works", lambda: True)
    bootstrap.VENV.mkdir()
    bootstrap.set_up(Path("requirements-dev.txt"))
    assert commands.pop()[-2:] == ["-r", "requirements-dev.txt"]
    bootstrap.set_up(Path("requirements-dev.txt"))
    bootstrap.set_up(Path("requirements.txt"))  # the larger set holds the smaller one
    assert commands == []
    (checkout / "requirements.txt").write_text("django==5.2.19\n")
    bootstrap.set_up(Path("requirements.txt"))
    assert commands.pop()[-2:] == ["-r", "requirements.txt"]


def test_an_interrupted_installation_is_repeated(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(command: list[str], failed: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "_environment_works", lambda: True)
    monkeypatch.setattr(bootstrap, "_run", interrupted)
    bootstrap.VENV.mkdir()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            bootstrap.set_up(Path("requirements.txt"))


def test_a_half_made_environment_does_not_count(checkout: Path) -> None:
    assert not bootstrap._environment_works()
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.symlink_to(sys.executable)
    assert not bootstrap._environment_works()


def test_a_machine_without_npm_is_told_what_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(bootstrap.Unready):
        bootstrap.fetch_browser_libraries()
    assert "apt-get install nodejs npm" in capsys.readouterr().err


def test_browser_libraries_are_copied_with_their_licences_and_only_once(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def unpack(command: list[str], failed: str) -> None:
        commands.append(command)
        for package, file in bootstrap.BROWSER_FILES.items():
            for name in (file, "LICENSE"):
                target = Path("node_modules") / package / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(f"{package} {name}")

    monkeypatch.setattr(bootstrap, "_run", unpack)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    bootstrap.fetch_browser_libraries()
    bootstrap.fetch_browser_libraries()
    assert len(commands) == 1
    assert commands[0][:3] == ["/bin/npm", "ci", "--ignore-scripts"]
    vendor = checkout / "static/vendor"
    assert {file.name for file in vendor.iterdir()} == {
        ".stamp",
        "lightweight-charts.standalone.production.mjs",
        "lightweight-charts.LICENSE",
        "lightweight-charts.NOTICE",
    }


def test_a_chromium_is_installed_where_none_is_and_a_failure_is_boxed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[str] = []
    monkeypatch.setattr(bootstrap, "find_chromium", lambda: None)
    monkeypatch.setattr(bootstrap, "_run_quietly", lambda command, environment: commands.append(" ".join(command)))
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    bootstrap.provide_chromium()
    assert [command.split()[:2] for command in commands[:2]] == [["apt-get", "update"], ["apt-get", "install"]]
    assert commands[2].endswith("-m playwright install chromium")
    assert "| THE PAGE TESTS ARE SKIPPED" in capsys.readouterr().out
    commands.clear()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    bootstrap.provide_chromium()
    assert [command.split()[-2:] for command in commands] == [["install", "chromium"]]


def test_a_chromium_is_found_where_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    assert bootstrap.find_chromium() is None
    own = tmp_path / "browsers/chromium-1200/chrome-linux/chrome"
    own.parent.mkdir(parents=True)
    own.touch(mode=0o755)
    assert bootstrap.find_chromium() == str(own)
    (tmp_path / "chromium").touch(mode=0o755)
    assert bootstrap.find_chromium() == str(tmp_path / "chromium")
    monkeypatch.setenv("CHROMIUM_PATH", "/nonexistent")
    assert bootstrap.find_chromium() is None


def test_nothing_is_removed_under_a_running_arena(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / ".arena").mkdir()
    (checkout / "node_modules").mkdir()
    with (checkout / ".arena" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(bootstrap.Unready):
            bootstrap.clean()
    assert "Stop it with Ctrl-C first" in capsys.readouterr().err
    assert (checkout / "node_modules").exists()
    bootstrap.clean()
    assert not (checkout / ".arena").exists()
    assert not (checkout / "node_modules").exists()


def test_a_stale_requirements_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(freshness.stale_locks()) == []
    for name in ("pyproject.toml", "uv.lock", "requirements.txt", "requirements-dev.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    monkeypatch.setattr(freshness, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("django==1.0\n")
    assert list(freshness.stale_locks()) == ["requirements.txt does not match uv.lock; run `make lock`."]
    text = (tmp_path / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text.replace('"celery~=5.7"', '"celery~=5.6"'))
    assert "uv.lock does not match pyproject.toml" in next(freshness.stale_locks())


def test_ci_runs_lint_and_tests_and_stops_at_the_first_fault() -> None:
    file = ROOT / ".ci" / "run"
    assert os.access(file, os.X_OK)
    text = file.read_text()
    assert "set -euo pipefail" in text
    assert text.index("make lint") < text.index("make test")
    assert subprocess.run(["bash", "-n", file], check=False).returncode == 0
