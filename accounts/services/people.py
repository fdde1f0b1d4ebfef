"""Adding people, what they say of themselves, and what operators do to accounts.

Rules: docs/rules/accounts.md.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts import audit, selectors
from accounts.events import AccessChanged, UserJoined
from accounts.models import User, UserManager
from accounts.rules import countries, roles
from accounts.services import usernames
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, Forbidden, RuleRefusal
from tradingarena.core.locks import lock_row

EMAIL_LENGTH = 254  # RFC 5321


class EmailRefused(RuleRefusal):
    """Raised when a text is not an e-mail address."""

    code, message = "email_refused", "This is not an e-mail address."


class PersonExists(Conflict):
    """Raised when the address or the name has just become somebody else's."""

    code, message = "person_exists", "This name or address has just been taken. Go back and choose another."


class CountryUnknown(RuleRefusal):
    """Raised when a country code is not one of ISO 3166."""

    code, message = "country_unknown", "This is not a two-letter country code."


class TimezoneUnknown(RuleRefusal):
    """Raised when a time zone has no such name."""

    code, message = "timezone_unknown", "There is no time zone of this name; one is Europe/Paris."


class ReasonNeeded(RuleRefusal):
    """Raised when staff do something to a person and say no reason."""

    code, message = "reason_needed", "Say why: the reason is kept in the audit log."


@dataclass(frozen=True)
class Profile:
    """What a person may change about themselves; None leaves it as it is."""

    country: str | None = None
    timezone: str | None = None


def person_add(
    email: str,
    username: str,
    *,
    password: str | None = None,
    role: str = roles.USER,
    confirmed: bool = False,
    is_bot: bool = False,
    country: str = "",
) -> User:
    """Add a person without the sign-up form: for commands, demo worlds and tests.

    Guarantees: the same rules of names as at sign-up; `confirmed` stands for the address, the age and the current terms.
    Locks / Effects: user, address, audit row; publishes UserJoined.
    Raises: EmailRefused, CountryUnknown, usernames.NameRefused, usernames.NameTaken, PersonExists.
    """
    address = check_email(email)
    check_country(country)
    usernames.check_free(username)
    with transaction.atomic():
        moment = database_now()
        user = User(email=address, username=username, role=role, is_bot=is_bot, country=country)
        user.set_password(password)
        if confirmed:
            user.age_confirmed_at = user.terms_accepted_at = moment
            user.terms_version = settings.TERMS_VERSION
        store_new(user)
        EmailAddress.objects.create(user=user, email=address, primary=True, verified=confirmed)
        audit.record(None, "user.added", user, new={"username": username, "role": role, "confirmed": confirmed})
    return user


def person_confirm(user_id: UUID) -> User:
    """Count address, age and current terms as confirmed, on an operator's word. Doing it again changes nothing.

    Locks / Effects: user and address; an audit row when something changed.
    """
    with transaction.atomic():
        user = lock_row(User, user_id)
        if selectors.email_confirmed(user) and user.age_confirmed_at and user.terms_version == settings.TERMS_VERSION:
            return user
        moment = database_now()
        accepted = {"terms_version": settings.TERMS_VERSION, "terms_accepted_at": moment}
        _change(user, age_confirmed_at=user.age_confirmed_at or moment, **accepted)
        mine = {"user": user, "email": user.email}
        EmailAddress.objects.update_or_create(**mine, defaults={"verified": True, "primary": True})
        audit.record(None, "user.confirmed", user)
    return user


def store_new(user: User) -> None:
    """Insert a person once; the unique indexes and the trigger on former names have the last word.

    Locks / Effects: publishes UserJoined.
    Raises: PersonExists.
    """
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise PersonExists from None
    events.publish(UserJoined(user.pk))


def profile_update(user_id: UUID, profile: Profile) -> User:
    """Change what a person tells of themselves.

    Locks / Effects: the user's row; an audit row when something changed.
    Raises: CountryUnknown, TimezoneUnknown, NotFound.
    """
    wanted = {name: value for name, value in vars(profile).items() if value is not None}
    check_country(wanted.get("country", ""))
    if wanted.get("timezone", "UTC") not in countries.TIMEZONES:
        raise TimezoneUnknown
    with transaction.atomic():
        user = lock_row(User, user_id)
        old = {name: getattr(user, name) for name, value in wanted.items() if getattr(user, name) != value}
        if old:
            new = {name: wanted[name] for name in old}
            _change(user, **new)
            audit.record(user, "user.profile_changed", user, old=old, new=new)
    return user


def terms_accept(user_id: UUID, *, of_age: bool) -> User:
    """Note that a person accepts today's terms, and (once) that the person is 18 or older.

    Locks / Effects: the user's row; an audit row.
    """
    with transaction.atomic():
        user = lock_row(User, user_id)
        moment = database_now()
        old = {"terms_version": user.terms_version}
        _change(
            user,
            terms_version=settings.TERMS_VERSION,
            terms_accepted_at=moment,
            age_confirmed_at=user.age_confirmed_at or (moment if of_age else None),
        )
        audit.record(user, "user.terms_accepted", user, old=old, new={"terms_version": settings.TERMS_VERSION})
    return user


def person_disable(actor: User, user_id: UUID, *, reason: str) -> User:
    """Shut a person out until enabled again: sign-in, sessions, API tokens and open streams.

    Locks / Effects: the user's row; the sessions' rows are deleted; an audit row; publishes AccessChanged.
    Raises: Forbidden: the actor does not stand above the person. ReasonNeeded, NotFound.
    """
    return _set_access(actor, user_id, "user.disabled", reason, is_active=False)


def person_enable(actor: User, user_id: UUID, *, reason: str) -> User:
    """Let a disabled or banned person in again.

    Locks / Effects: the user's row; an audit row; publishes AccessChanged.
    Raises: Forbidden, ReasonNeeded, NotFound.
    """
    return _set_access(actor, user_id, "user.enabled", reason, is_active=True, banned_until=None)


def person_ban(actor: User, user_id: UUID, *, until: datetime, reason: str) -> User:
    """Shut a person out until a moment, after which the account works again by itself.

    Units: until is aware UTC.
    Locks / Effects: as `person_disable`.
    Raises: Forbidden, ReasonNeeded, NotFound.
    """
    return _set_access(actor, user_id, "user.banned", reason, banned_until=until)


def person_bar_prizes(actor: User, user_id: UUID, *, reason: str) -> User:
    """Let a person play on without winning prizes, in contests whose results are written from now on.

    Locks / Effects: the user's row; an audit row; publishes AccessChanged.
    Raises: Forbidden: the actor does not stand above the person. ReasonNeeded, NotFound.
    """
    return _set_access(actor, user_id, "user.prizes_barred", reason, prizes_barred_at=database_now())


def person_allow_prizes(actor: User, user_id: UUID, *, reason: str) -> User:
    """Let a person win prizes again.

    Locks / Effects: the user's row; an audit row; publishes AccessChanged.
    Raises: Forbidden, ReasonNeeded, NotFound.
    """
    return _set_access(actor, user_id, "user.prizes_allowed", reason, prizes_barred_at=None)


def person_set_role(actor: User | None, user_id: UUID, *, role: str, reason: str) -> User:
    """Give a person another role. Only admins do, never to themselves; None is an operator's command.

    Locks / Effects: the user's row; an audit row; publishes AccessChanged.
    Raises: Forbidden, ReasonNeeded, NotFound, RuleRefusal: there is no such role.
    """
    if role not in dict(roles.ROLES):
        raise RuleRefusal("There is no such role.", code="role_unknown")
    _need_reason(reason)
    if actor is not None and (actor.pk == user_id or not selectors.acts_as_operator(actor)):
        raise Forbidden("Roles are given by another admin.")
    with transaction.atomic():
        user = lock_row(User, user_id)
        if user.role != role:
            old = {"role": user.role}
            _change(user, role=role)
            audit.record(actor, "user.role_changed", user, old=old, new={"role": role}, reason=reason)
            events.publish(AccessChanged(user.pk, "role_changed"))
    return user


def sessions_end(user: User) -> int:
    """End every browser session of a person; say how many there were.

    Locks / Effects: the sessions' rows are deleted. Those who end sessions publish AccessChanged.
    """
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    return len(sessions)


def check_email(email: str) -> str:
    """Write an address the way it is stored.

    Raises: EmailRefused.
    """
    address = UserManager.normalize_email(email)
    if len(address) > EMAIL_LENGTH:
        raise EmailRefused
    try:
        validate_email(address)
    except ValidationError:
        raise EmailRefused from None
    return address


def check_country(code: str) -> None:
    """Refuse what is neither empty nor a country.

    Raises: CountryUnknown.
    """
    if code and code not in countries.NAMES:
        raise CountryUnknown


def _set_access(actor: User, user_id: UUID, action: str, reason: str, **fields: object) -> User:
    _need_reason(reason)
    if not selectors.acts_as_staff(actor):
        raise Forbidden
    with transaction.atomic():
        user = lock_row(User, user_id)
        if not roles.outranks(actor.role, user.role):
            raise Forbidden("Nobody decides over an equal or higher role.")
        old = {name: _plain(getattr(user, name)) for name in fields}
        _change(user, **fields)
        if not user.may_sign_in():
            sessions_end(user)
        new = {name: _plain(value) for name, value in fields.items()}
        audit.record(actor, action, user, old=old, new=new, reason=reason)
        events.publish(AccessChanged(user.pk, action.removeprefix("user.")))
    return user


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonNeeded


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _change(user: User, **fields: object) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
