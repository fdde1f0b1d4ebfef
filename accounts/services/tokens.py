"""Personal API tokens: made, revoked, recognised. The secret is shown once; only its hash is stored.

Rules: docs/rules/accounts.md#api-tokens.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from accounts import audit, selectors
from accounts.events import AccessChanged
from accounts.models import ApiToken, User
from accounts.rules import roles
from tradingarena.core import events
from tradingarena.core.clock import ClockTimestamp
from tradingarena.core.errors import Forbidden, NotFound, RuleRefusal
from tradingarena.core.ids import new_token
from tradingarena.core.locks import lock_row

SECRET_START = "arena_"  # noqa: S105  what every secret begins with, so that a leaked one is recognised
SECRET_BYTES = 32  # so much chance that a plain hash needs no salt
MAX_TOKENS = 20
NAME_LENGTH = 60
LAST_USED_EXACT_TO = timedelta(minutes=5)


class ScopesRefused(RuleRefusal):
    """Raised when a token would have no scope, or one that does not exist."""

    code, message = "scopes_refused", f"Choose at least one of the scopes: {', '.join(roles.SCOPES)}."


class TooManyTokens(RuleRefusal):
    """Raised when a person has as many valid tokens as one may have."""

    code, message = "too_many_tokens", f"You have {MAX_TOKENS} API tokens. Revoke one first."


class SecondFactorNeeded(Forbidden):
    """Raised when staff would make a key that is worth more than their own way of signing in."""

    code, message = "second_factor_needed", "Staff set up a second factor before making API tokens."


def token_create(user_id: UUID, *, name: str, scopes: Sequence[str], by_operator: bool = False) -> tuple[ApiToken, str]:
    """Make an API token.

    Shapes: (the row, the secret); scopes in any order, repetitions ignored.
    Guarantees: the secret is nowhere stored; one person has at most 20 valid tokens, also when asked for in parallel.
    Locks / Effects: the user's row; an audit row without the secret.
    Raises: ScopesRefused, TooManyTokens, SecondFactorNeeded (not for a command: `by_operator`), NotFound.
    """
    chosen = [scope for scope in roles.SCOPES if scope in scopes]
    if not chosen or set(scopes) - set(roles.SCOPES):
        raise ScopesRefused
    with transaction.atomic():
        user = lock_row(User, user_id)
        if user.is_staff and not by_operator and not selectors.acts_as_staff(user):
            raise SecondFactorNeeded
        if selectors.api_tokens(user).count() >= MAX_TOKENS:
            raise TooManyTokens
        secret = SECRET_START + new_token(SECRET_BYTES)
        token = ApiToken.objects.create(
            user=user,
            name=name.strip()[:NAME_LENGTH] or "API token",
            digest=digest(secret),
            prefix=secret[: len(SECRET_START) + 4],
            last_four=secret[-4:],
            scopes=chosen,
        )
        audit.record(
            None if by_operator else user, "api_token.created", token, new={"scopes": chosen, "user": str(user.pk)}
        )
    return token, secret


def token_revoke(user_id: UUID, token_id: UUID, *, actor: User | None = None) -> None:
    """Make a token worthless, at once and for ever. Doing it again changes nothing. The actor is the owner unless told.

    Locks / Effects: an audit row; publishes AccessChanged, so that streams opened with it end.
    Raises: NotFound: it does not exist, or is another's.
    """
    if (
        not _revoke(user_id, Q(pk=token_id), actor)
        and not ApiToken.objects.filter(pk=token_id, user_id=user_id).exists()
    ):
        raise NotFound("You have no such API token.")


def tokens_revoke_all(user_id: UUID) -> int:
    """Revoke every token of a person; say how many were valid."""
    return _revoke(user_id, Q())


def _revoke(user_id: UUID, which: Q, actor: User | None = None) -> int:
    with transaction.atomic():
        user = lock_row(User, user_id)
        tokens = list(selectors.api_tokens(user).filter(which).select_for_update())
        selectors.api_tokens(user).filter(pk__in=[token.pk for token in tokens]).update(revoked_at=ClockTimestamp())
        for token in tokens:
            audit.record(actor or user, "api_token.revoked", token)
        if tokens:
            events.publish(AccessChanged(user.pk, "api_token_revoked"))
    return len(tokens)


def token_recognise(secret: str) -> ApiToken | None:
    """Find the valid token with this secret, its owner included, if the owner may sign in.

    Guarantees: the secret is compared only as a hash, by an index, so that the time taken tells nothing of it.
    Locks / Effects: notes the use, at most once in five minutes.
    """
    token = ApiToken.objects.select_related("user").filter(digest=digest(secret), revoked_at=None).first()
    if token is None or not token.user.may_sign_in():
        return None
    moment = now()
    if token.last_used_at is None or token.last_used_at < moment - LAST_USED_EXACT_TO:
        unseen = Q(last_used_at=None) | Q(last_used_at__lt=moment - LAST_USED_EXACT_TO)
        ApiToken.objects.filter(unseen, pk=token.pk).update(last_used_at=moment)
    return token


def digest(secret: str) -> str:
    """Hash a secret the way it is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
