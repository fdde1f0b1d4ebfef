"""Identifiers: UUIDv7 for rows (sortable, index-friendly), UUIDv5 for ids derived from what caused them."""

import secrets
from uuid import UUID

from uuid_utils import compat

NAMESPACE = UUID("5f0c2f1e-6c1b-5c0e-9b0a-7a7261656e61")


def new_id() -> UUID:
    """Make a row's id: time-ordered, so that an index grows at its end. It tells when it was made; links use `new_token`."""
    return compat.uuid7()


def derived_id(cause: UUID, purpose: str) -> UUID:
    """Derive the id of an effect from its cause, so that doing it twice is doing it once.

    Example:
        >>> derived_id(NAMESPACE, "stake") == derived_id(NAMESPACE, "stake")
        True
    """
    return compat.uuid5(cause, purpose)


def new_token(size_bytes: int = 24) -> str:
    """Make an unguessable text for links and secrets."""
    return secrets.token_urlsafe(size_bytes)
