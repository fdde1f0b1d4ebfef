"""Which decisions fit which kind of case. Pure. Rules: docs/rules/chat.md#the-queue."""

from typing import Final

PUNISHMENTS: Final = ("warn", "mute", "ban")
DECISIONS: Final[dict[str, tuple[str, ...]]] = {
    "report": ("dismiss", "delete", *PUNISHMENTS),
    "review": ("approve", "decline", *PUNISHMENTS),
    "appeal": ("lift", "uphold"),
}
