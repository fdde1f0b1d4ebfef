"""Reading people: by name, by id, by what they may do. Nothing here writes.

Rules: docs/rules/accounts.md.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from accounts.models import ApiToken, SelfLimits, Sighting, User, UsernameHistory
from accounts.rules import limits, names, roles
from accounts.rules.links import A_CROWD
from tradingarena.core import statements
from tradingarena.core.errors import DomainError, Forbidden, NotFound


@dataclass(frozen=True)
class NamedUser:
    """Whom a name leads to; `moved` when the person goes by another name (or another spelling of it) now."""

    user: User
    moved: bool


def user_by_id(user_id: UUID) -> User:
    """Find a person by id.

    Raises: NotFound.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    return user


def user_by_name(name: str) -> NamedUser:
    """Find whom a name means: today's name first, then a former one whose 180 days have not passed.

    Shapes: case does not matter; look-alikes do not match.
    Raises: NotFound: nobody goes or recently went by this name.
    """
    if len(name) <= names.MAX_LENGTH and name.isascii() and "\0" not in name:
        user = User.objects.filter(username__lower=name.lower()).first()
        if user is not None:
            return NamedUser(user, moved=user.username != name)
        former = UsernameHistory.objects.filter(username__lower=name.lower(), reserved_until__gt=now())
        row = former.select_related("user").order_by("-changed_at").first()
        if row is not None:
            return NamedUser(row.user, moved=True)
    raise NotFound("Nobody goes by this name.")


def email_confirmed(user: User) -> bool:
    """Tell whether the person's own address is confirmed."""
    return EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()


@dataclass(frozen=True)
class Standing:
    """What money and bets ask of a person beyond the row itself. Units: tokens; None: no cap."""

    email_confirmed: bool
    daily_cap_tokens: int | None
    cool_off_until: datetime | None
    excluded_until: datetime | None


_STANDING = """
    SELECT EXISTS (SELECT FROM account_emailaddress AS a WHERE a.user_id = %s AND a.email = %s AND a.verified),
        CASE WHEN own.next_cap_from <= clock_timestamp() THEN own.next_daily_cap_tokens ELSE own.daily_cap_tokens END,
        CASE WHEN own.cool_off_until > clock_timestamp() THEN own.cool_off_until END,
        CASE WHEN own.excluded_until > clock_timestamp() THEN own.excluded_until END
    FROM (SELECT) AS one LEFT JOIN accounts_selflimits AS own ON own.user_id = %s
"""


def standing(user: User) -> Standing:
    """Read in one query whether the address is confirmed and what the person has forbidden themselves, as it holds now."""
    (row,) = statements.fetch(_STANDING, (user.pk, user.email, user.pk))
    return Standing(*row)


def self_limits(user: User) -> SelfLimits:
    """Read what a person has forbidden themselves, as it holds now: changes whose time has come have taken place, pauses that
    are over are gone. Nothing is stored."""
    row = SelfLimits.objects.filter(user=user).first() or SelfLimits(user=user)
    moment = now()
    cap = limits.cap_at(limits.Cap(row.daily_cap_tokens, row.next_daily_cap_tokens, row.next_cap_from), moment)
    row.daily_cap_tokens, row.next_daily_cap_tokens, row.next_cap_from = cap
    for name in ("cool_off_until", "excluded_until"):
        until = getattr(row, name)
        if until is not None and until <= moment:
            setattr(row, name, None)
    return row


def has_second_factor(user: User) -> bool:
    """Tell whether signing in takes more than a password: an authenticator app, a security key or a passkey."""
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def acts_as_staff(user: User) -> bool:
    """Tell whether a signed-in person may use staff's powers: the role, and the second factor where it is required."""
    if not user.is_authenticated or not user.is_staff or not user.may_sign_in():
        return False
    return not settings.STAFF_MFA_REQUIRED or has_second_factor(user)


def acts_as_operator(user: User) -> bool:
    """Tell whether a signed-in person may use an admin's powers."""
    return getattr(user, "role", None) == roles.ADMIN and acts_as_staff(user)


def seen_together(one_id: UUID, other_id: UUID) -> set[str]:
    """Tell what two accounts have been seen on in common: "device", "address"."""
    others = Sighting.objects.filter(user=other_id, kind=OuterRef("kind"), digest=OuterRef("digest"))
    return set(Sighting.objects.filter(Exists(others), user=one_id).values_list("kind", flat=True))


def seen_with(user_id: UUID, others: Collection[UUID]) -> dict[UUID, set[str]]:
    """Tell which of these accounts have been seen on something in common with one, and on what: "device", "address".

    Guarantees: two queries; what more than 10 accounts were seen on links nobody.
    """
    own = Sighting.objects.filter(user=user_id, kind=OuterRef("kind"), digest=OuterRef("digest"))
    rows = Sighting.objects.filter(Exists(own), user__in=list(others)).exclude(user=user_id)
    shared = list(rows.values_list("user", "kind", "digest"))
    crowded = set(
        Sighting.objects.filter(digest__in={digest for _, _, digest in shared})
        .values_list("kind", "digest")
        .annotate(accounts=Count("pk"))
        .filter(accounts__gt=A_CROWD)
        .values_list("kind", "digest")
    )
    found: dict[UUID, set[str]] = {}
    for other_id, kind, digest in shared:
        if (kind, digest) not in crowded:
            found.setdefault(other_id, set()).add(kind)
    return found


def shut_out(user_ids: Collection[UUID]) -> dict[UUID, DomainError]:
    """Tell which of these people may not be connected now, with one query; the sockets ask again every few seconds."""
    people = User.objects.filter(Q(is_active=False) | Q(banned_until__gt=now()), pk__in=user_ids)
    return {
        pk: Forbidden("This account is disabled.", code="account_disabled")
        for pk in people.values_list("pk", flat=True)
    }


def valid_tokens(token_ids: Collection[str]) -> set[str]:
    """Tell which of these API tokens have not been revoked, with one query."""
    return {str(pk) for pk in ApiToken.objects.filter(pk__in=token_ids, revoked_at=None).values_list("pk", flat=True)}


def api_tokens(user: User) -> QuerySet[ApiToken]:
    """List a person's API tokens that are valid, the newest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None)


def former_names(user: User) -> QuerySet[UsernameHistory]:
    """List the names a person has given up, the latest first."""
    return UsernameHistory.objects.filter(user=user).order_by("-changed_at")
