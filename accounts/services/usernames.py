"""Changing a username, and what can stand in its way. What a name may look like is in `rules.names`.

Rules: docs/rules/accounts.md#usernames.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.events import UsernameChanged
from accounts.models import User, UsernameHistory
from accounts.rules import names
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, RuleRefusal
from tradingarena.core.locks import lock_row

# Says why a person may not change the name now, or None: a live competition, an open market on the trader.
Blocker = Callable[[UUID], str | None]
_blockers: list[Blocker] = []


class NameRefused(RuleRefusal):
    """Raised when a text cannot be anybody's username."""

    code, message = "username_refused", "This cannot be a username."


class NameTaken(Conflict):
    """Raised when a name, or one that looks like it, is somebody's or is still reserved for its former owner."""

    code, message = "username_taken", "This username is taken, or looks like one that is."


class ChangedTooRecently(RuleRefusal):
    """Raised when the last change was less than 30 days ago."""

    code, message = "username_changed_recently", "A username can be changed every 30 days."


class NotNow(RuleRefusal):
    """Raised when something that is under way shows the name, such as a live competition."""

    code, message = "username_in_use", "Your username cannot be changed right now."


def add_blocker(blocker: Blocker) -> None:
    """Let a higher app refuse changes of name, from its AppConfig.ready(): it says why not, or None."""
    if blocker not in _blockers:
        _blockers.append(blocker)


def check_free(name: str, *, user_id: UUID | None = None) -> None:
    """Refuse a name that this person could not get. The unique index decides in the end; this only tells early.

    Raises: NameRefused: shape or reserved. NameTaken: somebody has it, or had it less than 180 days ago.
    """
    _check_text(name)
    skeleton = names.skeleton(name)
    if User.objects.filter(username_skeleton=skeleton).exclude(pk=user_id).exists():
        raise NameTaken
    former = UsernameHistory.objects.filter(username_skeleton=skeleton, reserved_until__gt=database_now())
    if former.exclude(user_id=user_id).exists():
        raise NameTaken


def username_change(user_id: UUID, new_name: str) -> User:
    """Give a person another name.

    Guarantees: the old name leads to the person for 180 days and is nobody else's; a change of case alone is free once.
        Source: docs/rules/accounts.md#usernames.
    Locks / Effects: the user's row; a row of former names; an audit row; publishes UsernameChanged.
    Raises: NameRefused, NameTaken, ChangedTooRecently, NotNow, NotFound.
    """
    with transaction.atomic():
        user = lock_row(User, user_id)
        old_name = user.username
        if new_name == old_name:
            return user
        moment = database_now()
        if new_name.lower() == old_name.lower() and not user.case_change_used:
            user.case_change_used = True
        else:
            _check_text(new_name)
            _check_change(user, moment)
            if new_name.lower() != old_name.lower():
                _give_up(user, moment)
            user.username_changed_at = moment
        user.username = new_name
        _store(user)
        audit.record(user, "user.renamed", user, old={"username": old_name}, new={"username": new_name})
        events.publish(UsernameChanged(user.pk, old_name, new_name))
    return user


def next_change_at(user: User) -> datetime | None:
    """Tell when the 30 days are over; None when the name was never changed."""
    return user.username_changed_at and user.username_changed_at + names.CHANGE_EVERY


def _check_text(name: str) -> None:
    try:
        names.check(name)
    except names.NameProblem as problem:
        raise NameRefused(str(problem), code=problem.code) from None


def _check_change(user: User, moment: datetime) -> None:
    allowed_at = next_change_at(user)
    if allowed_at is not None and moment < allowed_at:
        raise ChangedTooRecently(
            f"A username can be changed every 30 days; yours again on {allowed_at:%d %B %Y}.",
            allowed_at=allowed_at.isoformat(),
        )
    for blocker in _blockers:
        if reason := blocker(user.pk):
            raise NotNow(reason)


def _give_up(user: User, moment: datetime) -> None:
    UsernameHistory.objects.create(
        user=user,
        username=user.username,
        username_skeleton=user.username_skeleton,
        changed_at=moment,
        reserved_until=moment + names.OLD_NAME_KEPT,
    )


def _store(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(update_fields=["username", "username_changed_at", "case_change_used"])
    except IntegrityError:  # its skeleton is somebody's, or a trigger found it reserved
        raise NameTaken from None
