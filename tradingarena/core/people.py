"""Who is behind a socket: signed in by a session cookie or by a ticket, and still allowed a moment later.

Synchronous database code; the socket's side is in core/consumers.py. Rules: docs/realtime.md#signing-in.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.http import HttpRequest, parse_cookie
from django.utils import timezone

from tradingarena.core import rooms
from tradingarena.core.addresses import Headers, header_values
from tradingarena.core.errors import DomainError, Forbidden, NotSignedIn
from tradingarena.core.realtime import session_mark
from tradingarena.core.tickets import Ticket


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, as one socket knows them. `credential` is what ends with it: a session or a token."""

    user_id: UUID
    scopes: frozenset[str]
    credential: str
    password: str
    session_key: str = ""


def session_cookie(headers: Headers) -> str:
    """Read the session's key from the Cookie header; empty when there is none."""
    try:
        cookies = parse_cookie("; ".join(header_values(headers, b"cookie")))
    except CookieError:
        return ""
    key: str = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return key


def by_session(session_key: str) -> Person | None:
    """Find the person of a session; None for a session that is unknown, over, or nobody's."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user: Any = get_user(cast(HttpRequest, SimpleNamespace(session=store)))  # it reads nothing but the session
    if not user.is_authenticated or refusals([user.pk]):
        return None
    return Person(user.pk, rooms.ALL_SCOPES, f"session:{session_mark(session_key)}", user.password, session_key)


def by_ticket(ticket: Ticket) -> Person:
    """Find the person of a redeemed ticket.

    Raises: NotSignedIn: disabled or gone meanwhile. Whatever a registered person check refuses with.
    """
    user = load(ticket.user_id)
    if user is None:
        raise NotSignedIn("This account cannot sign in.")
    if refused := refusals([ticket.user_id]):
        raise refused[ticket.user_id]
    return Person(ticket.user_id, ticket.scopes, ticket.credential, user.password)


def load(user_id: UUID) -> Any:
    """Read a person as they are now; None when disabled or gone."""
    return get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()


def load_many(user_ids: Collection[UUID]) -> dict[UUID, Any]:
    """Read several people with one query; the disabled are absent."""
    return get_user_model()._default_manager.filter(is_active=True).in_bulk(list(user_ids))


def ended(people: Iterable[Person]) -> dict[Person, DomainError]:
    """Tell who may not be connected any more, and why: disabled, banned, signed out, password changed, token revoked.

    Guarantees: a fixed number of queries, however many people.
    """
    everyone = list(people)
    users = load_many({person.user_id for person in everyone})
    refused = refusals(users)
    sessions = _living_sessions({person.session_key for person in everyone if person.session_key})
    good = _good_credentials({person.credential for person in everyone if not person.session_key})
    found: dict[Person, DomainError] = {}
    for person in everyone:
        user = users.get(person.user_id)
        if user is None or person.user_id in refused:
            found[person] = refused.get(person.user_id) or Forbidden(
                "This account is disabled.", code="account_disabled"
            )
        elif person.session_key and (person.session_key not in sessions or user.password != person.password):
            found[person] = NotSignedIn("This session has ended.", code="session_ended")
        elif not person.session_key and person.credential not in good:
            found[person] = NotSignedIn("The token of this connection was revoked.", code="session_ended")
    return found


def refusals(user_ids: Collection[UUID]) -> Mapping[UUID, DomainError]:
    """Ask the registered person checks."""
    found: dict[UUID, DomainError] = {}
    for check in rooms.person_checks():
        found |= check(user_ids)
    return found


def _living_sessions(keys: Collection[str]) -> set[str]:
    if not keys:
        return set()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    model = store.get_model_class()
    return set(
        model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list("session_key", flat=True)
    )


def _good_credentials(credentials: Collection[str]) -> set[str]:
    good = {""} & set(credentials)
    for prefix, check in rooms.credential_checks().items():
        rests = {credential.partition(":")[2] for credential in credentials if credential.startswith(f"{prefix}:")}
        if rests:
            good |= {f"{prefix}:{rest}" for rest in check(rests)}
    return good
