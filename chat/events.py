"""Facts about the chat for whoever stands above: ids and primitives, published when they have been committed. No text of a message.

Rules: docs/rules/chat.md.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """A line stands in a channel."""

    channel_id: UUID
    message_id: UUID
    author_id: UUID | None


@dataclass(frozen=True, slots=True)
class PersonMentioned:
    """Somebody was named, or answered, in a message. Whoever tells them reads the text then, so that a deleted one is not told."""

    channel_id: UUID
    message_id: UUID
    author_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message is a tombstone now; whatever shows its text takes it away."""

    channel_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class PersonSanctioned:
    """Somebody was warned, muted or banned, or this was lifted. channel_id None: everywhere; actor_id None: the arena itself."""

    sanction_id: UUID
    user_id: UUID
    action: str
    channel_id: UUID | None
    reason: str
    until: datetime | None
    actor_id: UUID | None


@dataclass(frozen=True, slots=True)
class AppealDecided:
    """An appeal was answered."""

    sanction_id: UUID
    user_id: UUID
    lifted: bool
