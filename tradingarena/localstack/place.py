"""Where the embedded services keep their data, sockets and programs, and which account runs them.

Decided once by trying, recorded in `place.json`, and decided anew only when the record no longer holds.
What is started there is in `postgres.py` and `redis.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
import shutil
import socket
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tradingarena.localstack.programs import (
    Account,
    PlaceError,
    can_execute,
    copy_programs,
    own_directory,
    processes_in,
    run_as,
)

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
LONGEST_SOCKET = 100
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")
UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")

BELONGS_TO = "belongs-to"  # names, in an outside directory, the state directory that uses it

Record = dict[str, str | int | None]


@dataclass(frozen=True)
class Place:
    """The answer: absolute paths, usable by the account; `programs` is None when the wheels' own files are usable."""

    state: Path
    data: Path
    sockets: Path
    programs: Path | None
    account: Account

    @property
    def outside(self) -> Path | None:
        """Return our directory outside the checkout, when one was needed."""
        return next(
            (path.parent for path in (self.data, self.programs) if path and self.state not in path.parents), None
        )


def find_place(state: Path) -> Place:
    """Return where one pair of services lives; decide and record it when no valid record exists.

    Shapes: `state` is the pair's own directory, made if absent.
    Effects: makes directories it owns; never changes the mode or owner of a directory that it did not make.
    Raises: PlaceError: another user's state, or no directory works.
    """
    own_directory(state, mode=0o711)
    record = _read_record(state / "place.json")
    account = _account(record, state)
    place = _recorded_place(record, state, account) or _decide(state, account)
    if not _holds_sockets(place.sockets, account):
        place = Place(
            place.state, place.data, _socket_directory(place.state, place.data, account), place.programs, account
        )
    if place.programs:
        copy_programs(place.programs)
    _write_record(place)
    return place


def _account(record: Record, state: Path) -> Account:
    """Choose the account: ourselves, or, for root, whoever ran the services here before, else one without rights."""
    recorded = record.get("uid")
    if os.geteuid() != 0:
        if recorded is not None and recorded != os.geteuid():
            owner = pwd.getpwuid(state.stat().st_uid).pw_name
            raise PlaceError(f"{state} was made by the user {owner}: run `make clean` as {owner}, or work as {owner}")
        return Account(os.geteuid(), os.getegid())
    if isinstance(recorded, int) and recorded != 0:
        return Account(recorded, int(record["gid"] or 0))
    for name in UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise PlaceError("PostgreSQL refuses to run as root and there is no account `nobody`: work as a plain user")


def _recorded_place(record: Record, state: Path, account: Account) -> Place | None:
    """Return the recorded place if it still belongs to this directory and still works."""
    if not record or record.get("uid") != account.uid:
        return None
    moved_from = Path(str(record["state"]))
    if moved_from != state and (moved_from.exists() or not record["data_outside"]):
        return None  # a copy needs its own place; a moved checkout finds inside data beside itself
    data = Path(str(record["data"]))
    programs = Path(str(record["programs"])) if record["programs"] else None
    if programs is None and not can_execute(account):
        return None
    if not _usable(data, account):
        return None
    return Place(state, data, Path(str(record["sockets"])), programs, account)


def _decide(state: Path, account: Account) -> Place:
    """Try the checkout first, then a directory of our own below the system's temporary ones."""
    inside = state / "data"
    outside: Path | None = None
    try:
        private_directory(inside, account)
        data = inside if _usable(inside, account) else None
    except OSError:
        data = None
    if data is None:
        outside = _outside_directory(state)
        data = outside / "data"
        private_directory(data, account)
        if not _usable(data, account):
            raise PlaceError(
                f"neither {inside} nor {data} can be used for the database: set DATABASE_URL and REDIS_URL"
            )
    programs = None
    if not can_execute(account):
        programs = (outside or _outside_directory(state)) / "programs"
    return Place(state, data, _socket_directory(state, data, account), programs, account)


def _outside_directory(state: Path) -> Path:
    """Make this checkout's directory below /var/tmp or /tmp, where every account may pass."""
    name = f"arena-{os.geteuid()}-{_digest(state)}"
    for parent in (Path("/var/tmp"), Path("/tmp")):  # noqa: S108  the name is fixed on purpose and its owner is checked
        path = parent / name
        try:
            own_directory(path, mode=0o711)
        except OSError:
            continue
        if _is_ours(path, os.geteuid()):
            replace_file(path / BELONGS_TO, str(state))
            _remove_orphans(parent)
            return path
    return Path(tempfile.mkdtemp(prefix=f"{name}-"))


def _remove_orphans(parent: Path) -> None:
    """Remove outside directories of ours whose checkout is gone, as those of deleted trial copies are."""
    for path in parent.glob(f"arena-{os.geteuid()}-*"):
        try:
            owner = Path((path / BELONGS_TO).read_text())
        except OSError:
            continue
        busy = any(processes_in(path / "data" / service) for service in ("pg", "redis"))
        if _is_ours(path, os.geteuid()) and not owner.exists() and not busy:
            shutil.rmtree(path, ignore_errors=True)


def _socket_directory(state: Path, data: Path, account: Account) -> Path:
    """Choose a directory whose socket paths are short and plain enough for sun_path and for URLs."""
    beside = data.parent / "run"
    if _fits(beside):
        try:
            private_directory(beside, account)
            if _holds_sockets(beside, account):
                return beside
        except OSError:
            pass  # a file system without sockets: the temporary directory has them
    short = Path("/tmp") / f"arena-{account.uid}-{_digest(state)}"  # noqa: S108  its owner is checked
    try:
        private_directory(short, account)
        if _holds_sockets(short, account):
            return short
    except OSError:
        pass  # somebody else's: take a name that nobody could know
    made = Path(tempfile.mkdtemp(prefix="arena-", dir="/tmp"))
    os.chown(made, account.uid, account.gid)
    return made


def private_directory(path: Path, account: Account) -> None:
    """Make a directory that only the account enters; an existing one stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    if not account.is_ourselves():
        os.chown(path, account.uid, account.gid)


def _usable(path: Path, account: Account) -> bool:
    """Tell whether the account can enter the directory, owns it and can write there: by doing it."""
    if not _is_ours(path, account.uid):
        return False
    try:
        run_as(account, ["/bin/sh", "-c", 'cd "$1" && : > .trial && rm .trial', "sh", path], timeout_s=20)
    except PlaceError:
        return False
    return True


def _holds_sockets(path: Path, account: Account) -> bool:
    """Tell whether a socket can be bound in the directory and nobody else could have put one there."""
    if not _fits(path) or not _is_ours(path, account.uid):
        return False
    trial = path / ".trial"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(trial))
        except OSError:
            return False
        finally:
            trial.unlink(missing_ok=True)
    return True


def _fits(path: Path) -> bool:
    return bool(PLAIN_PATH.fullmatch(str(path))) and len(os.fsencode(path / ".s.PGSQL.5432")) <= LONGEST_SOCKET


def _is_ours(path: Path, uid: int) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o022


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _read_record(file: Path) -> Record:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return (
        found
        if isinstance(found, dict) and {"state", "data", "sockets", "programs", "uid", "gid"} <= found.keys()
        else {}
    )


def _write_record(place: Place) -> None:
    values: Record = {key: str(value) if value else None for key, value in asdict(place).items() if key != "account"}
    values |= {
        "uid": place.account.uid,
        "gid": place.account.gid,
        "data_outside": place.state not in place.data.parents,
    }
    file = place.state / "place.json"
    text = json.dumps(values, indent=1)
    if not file.is_file() or file.read_text() != text:
        replace_file(file, text)


def replace_file(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a kill at any moment, finds the old text or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w") as out:
        out.write(text)
    os.chmod(name, mode)
    os.replace(name, file)
