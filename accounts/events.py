"""What the higher apps may want to know about people. Published when it has been committed."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class UserJoined:
    """Somebody signed up, or was added by an operator."""

    user_id: UUID


@dataclass(frozen=True)
class UsernameChanged:
    """Somebody goes by another name."""

    user_id: UUID
    old: str
    new: str


@dataclass(frozen=True)
class AccessChanged:
    """What a person may do has shrunk or grown: disabled, enabled, banned, another role, a token revoked, signed out.

    Whoever serves an open stream to this person closes it or judges it afresh.
    """

    user_id: UUID
    reason: str


@dataclass(frozen=True)
class MailQueued:
    """Mail waits to be sent."""


@dataclass(frozen=True)
class ExportRequested:
    """Somebody wants a copy of their data; it waits to be made."""

    export_id: UUID


@dataclass(frozen=True)
class PersonForgotten:
    """Somebody's account has been deleted: name, address and sessions are gone, the id stays."""

    user_id: UUID
