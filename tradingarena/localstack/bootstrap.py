"""What `make` does before our packages exist: environment, browser libraries, a Chromium for the page tests.

Standard library only, and run as a file: `python tradingarena/localstack/bootstrap.py setup`. Paths are relative to the
checkout, since it may lie anywhere. Each step leaves a stamp, so that a later `make run` passes in a moment.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
VENDOR = Path("static/vendor")
OLDEST, NEWEST = (3, 11), (3, 13)
# What a page loads from each npm package. Its LICENSE goes beside it, and the NOTICE that the licence asks for.
BROWSER_FILES = {"lightweight-charts": "dist/lightweight-charts.standalone.production.mjs"}
NOTICES = {
    "lightweight-charts": "TradingView Lightweight Charts(tm)\nCopyright (c) 2026 TradingView, Inc. https://www.tradingview.com/\n"
}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class Unready(SystemExit):
    """The machine lacks something; the message says what to do."""

    def __init__(self, message: str) -> None:
        print(boxed(message), file=sys.stderr)
        super().__init__(1)


def main(arguments: Sequence[str]) -> None:
    """Run one step by its name."""
    os.chdir(ROOT)
    steps = {
        "setup": lambda: set_up(Path("requirements.txt")),
        "setup-dev": lambda: set_up(Path("requirements-dev.txt")),
        "browser-libs": fetch_browser_libraries,
        "chromium": provide_chromium,
        "clean": clean,
    }
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("step", choices=steps)
    with one_at_a_time():
        steps[parser.parse_args(arguments).step]()


def set_up(requirements: Path) -> None:
    """Make `.venv` hold exactly the packages of a lock file; do nothing when it does already.

    Guarantees: an interrupted or broken environment is made anew; the larger set of packages counts as the smaller one.
    """
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise Unready(
            f"Python {_dotted(OLDEST)} to {_dotted(NEWEST)} is needed; this is {_dotted(sys.version_info[:2])}."
        )
    lacking = {name for name in ("requirements.txt", "requirements-dev.txt") if not Path(name).is_file()}
    if requirements.name in lacking:
        raise Unready(f"{requirements} is missing: this is not a whole checkout.")
    stamp = VENV / f".{requirements.stem}.stamp"
    wanted = f"{_digest(requirements)} {_dotted(sys.version_info[:2])}"
    if _environment_works() and _read(stamp) == wanted:
        return
    if not _environment_works():
        _create_environment()
    print(f"Installing the packages of {requirements} (the first time takes a minute or two) ...", flush=True)
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-input",
        "--require-hashes",
    ]
    _run(
        [*command, "-r", str(requirements)], failed=f"The packages of {requirements} could not be installed; see above."
    )
    stamp.write_text(wanted)
    if requirements.name == "requirements-dev.txt":
        (VENV / ".requirements.stamp").write_text(
            wanted.replace(_digest(requirements), _digest(Path("requirements.txt")))
        )


def fetch_browser_libraries() -> None:
    """Copy what pages load from the npm packages of `package-lock.json` to `static/vendor`; nothing is committed.

    Guarantees: the versions and checksums of the lock file; a licence beside every library.
    """
    lock = Path("package-lock.json")
    stamp = VENDOR / ".stamp"
    wanted = f"{_digest(lock)} {hashlib.sha256(json.dumps([BROWSER_FILES, NOTICES]).encode()).hexdigest()}"
    if _read(stamp) == wanted:
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Unready(
            "The chart library comes from npm, and there is no node or no npm here.\n"
            "Install Node.js 18 or newer with npm, then repeat the command.\n"
            "Debian, Ubuntu: apt-get install nodejs npm; macOS: brew install node."
        )
    print("Fetching the browser libraries ...", flush=True)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    _run(command, failed="The browser libraries could not be fetched from the npm registry; see above.")
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for package, file in BROWSER_FILES.items():
        source = Path("node_modules") / package
        shutil.copyfile(source / file, VENDOR / Path(file).name)
        shutil.copyfile(source / "LICENSE", VENDOR / f"{package}.LICENSE")
        (VENDOR / f"{package}.NOTICE").write_text(NOTICES[package])
    stamp.write_text(wanted)


def provide_chromium() -> None:
    """Make sure a Chromium is here for the page tests, or say in a box that they will be skipped."""
    if find_chromium():
        return
    print("The page tests need a Chromium; installing one ...", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        packages = ["--no-install-recommends", "chromium", "fonts-liberation"]
        for command in (["update", "-qq"], ["install", "-y", "-qq", *packages]):
            _run_quietly(["apt-get", *command], environment)
    if not find_chromium():
        _run_quietly([str(PYTHON), "-m", "playwright", "install", "chromium"], dict(os.environ))
    if not find_chromium():
        print(boxed(no_chromium_message()))


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None: CHROMIUM_PATH, one of the system's, or Playwright's own."""
    given = os.environ.get("CHROMIUM_PATH")
    if given:
        return given if os.access(given, os.X_OK) else None
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    browsers = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright"
    pattern = os.path.join(os.path.expanduser(browsers), "chromium*", "*", "chrome")
    mac = os.path.join(os.path.expanduser("~/Library/Caches/ms-playwright"), "chromium*", "*", "*.app/Contents/MacOS/*")
    return next(
        (path for path in sorted(glob.glob(pattern) + glob.glob(mac), reverse=True) if os.access(path, os.X_OK)), None
    )


def no_chromium_message() -> str:
    """Return what to say where page tests are skipped."""
    return (
        "THE PAGE TESTS ARE SKIPPED: no Chromium was found and none could be installed.\n"
        "Debian, Ubuntu: sudo apt-get install chromium; elsewhere: .venv/bin/python -m playwright install chromium;\n"
        "or point CHROMIUM_PATH at one."
    )


def clean() -> None:
    """Remove what `make` made: data, packages, libraries, caches. Refused while something of it runs."""
    with contextlib.suppress(FileNotFoundError), Path(".arena/up.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unready("The arena is running here, or is just being stopped. Stop it with Ctrl-C first.") from None
    if PYTHON.exists() and Path(".arena").exists():
        _run(
            [str(PYTHON), "manage.py", "services", "remove"],
            failed="The embedded services could not be removed; see above.",
        )
    for path in (".arena", "node_modules", VENDOR, ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", VENV):
        shutil.rmtree(path, ignore_errors=True)
    for cache in Path().rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def boxed(message: str) -> str:
    """Frame a message in plain characters, which every terminal and encoding has."""
    lines = message.splitlines()
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 2) + "+"
    return "\n".join(["", edge, *(f"| {line.ljust(width)} |" for line in lines), edge, ""])


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second `make` in the same checkout wait for the first one's steps."""
    handle = os.open(ROOT / "Makefile", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _create_environment() -> None:
    try:
        import ensurepip  # noqa: F401  Debian ships it apart
        import venv
    except ImportError:
        version = _dotted(sys.version_info[:2])
        raise Unready(
            f"This Python ({sys.executable}) cannot make virtual environments.\n"
            f"Debian, Ubuntu: apt-get install python{version}-venv, then repeat the command."
        ) from None
    print("Creating .venv ...", flush=True)
    venv.create(VENV, clear=True, symlinks=True, with_pip=True)


def _environment_works() -> bool:
    """Tell whether `.venv` has a Python of this version that runs and finds pip (a moved or half-made one may not)."""
    version = _dotted(sys.version_info[:2])
    if not PYTHON.exists() or not (VENV / "lib" / f"python{version}" / "site-packages" / "pip").is_dir():
        return False
    return subprocess.run([str(PYTHON), "-S", "-c", ""], capture_output=True, check=False).returncode == 0


def _run(command: Sequence[str], *, failed: str) -> None:
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Unready(failed)


def _run_quietly(command: Sequence[str], environment: dict[str, str]) -> None:
    """Run a command whose failure shows in what comes after; a missing program counts as one."""
    with contextlib.suppress(OSError):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version[:2]))


if __name__ == "__main__":
    main(sys.argv[1:])
