"""A secret key for one machine, made once and kept beside its database."""

import os
import secrets
from pathlib import Path


def local_secret(state_dir: Path) -> str:
    """Return this machine's own secret key, made at the first call and readable by its owner alone."""
    file = state_dir / "secret_key"
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text()
    with os.fdopen(handle, "w") as out:
        key = secrets.token_urlsafe(50)
        out.write(key)
    return key
