"""Joining a contest and withdrawing from it, and the reasons why not.

What a person may do anywhere is in `accounts.policy`; the account of an entry belongs to the engine once the contest
runs. Rules: docs/rules/competitions.md#entry.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts import audit, policy
from accounts.models import User
from accounts.selectors import seen_with
from competitions.events import EntryJoined, EntryWithdrawn
from competitions.models import BuyIn, Competition, Entry
from competitions.services import buy_ins
from competitions.services.steps import tell_room, wake_engine
from tokens.payments.stripe_gateway import is_on
from tokens.selectors.payments import paid_with_cards_of
from tokens.selectors.wallet import balance_of
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, CountryRefused, DomainError, NotFound, NotSignedIn, RuleRefusal
from tradingarena.core.locks import lock_row, require_transaction
from tradingarena.core.money import bps_of

Status = Competition.Status


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody cannot join now: a stable code and a sentence with the way on."""

    code: str
    message: str


Condition = Callable[[User, Competition], DomainError | None]
_added: list[Condition] = []


def add_condition(condition: Condition) -> None:
    """Let a higher app refuse entries, from its AppConfig.ready(): it says why not, or None. It is asked under the contest's lock."""
    if condition not in _added:
        _added.append(condition)


class EntryRefused(RuleRefusal):
    """Raised when a condition of the contest is not met; `reasons` lists all of them."""

    code, message = "entry_refused", "You cannot join this contest."


class EntryClosed(Conflict):
    """Raised when the contest takes no entry now: not open, too late, full, or already joined."""

    code, message = "entry_closed", "This contest takes no entries now."


def entry_join(user: User, competition_id: UUID, *, invite_code: str = "", country: str = "") -> Entry:
    """Enter a contest that is free or takes tokens; one with a buy-in by card is entered through `seats.seat_take`.

    Shapes: country as `accounts.countries.country_of` finds it, "" when unknown.
    Guarantees: never more active entries than the cap, numbers without gaps, one entry a person, also under races; the
        deadline is judged by the database's clock after the lock. Who had withdrawn gets the same entry back before
        the start.
    Locks / Effects: the contest's row, then the wallet where tokens are paid; an audit row; publishes EntryJoined; tells the
        arena room; wakes a running engine.
    Raises: NotFound, NotSignedIn, EntryClosed (409), EntryRefused (422), what `policy.require` and `spending.spend` raise,
        CountryRefused (451); the first reason in the order of `entry_reasons`.
    """
    if not user.is_authenticated:
        raise NotSignedIn
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        if competition.status == Status.DRAFT:
            raise NotFound
        if competition.buy_in_cents:
            raise EntryRefused("This contest has a buy-in: it is entered through its checkout.", code="buy_in_by_card")
        entry = competition.entries.filter(user=user).first()
        refuse_first(refusals(user, competition, entry, database_now(), invite_code, country))
        entry = enter(competition, entry, user)
        if competition.entry_tokens:
            buy_ins.pay_with_tokens(user, competition, entry, country)
    return entry


def enter(competition: Competition, entry: Entry | None, user: User) -> Entry:
    """Give somebody a place in a contest: the one they had and withdrew, or the next.

    Locks / Effects: in the caller's transaction, which holds the contest's row: the entry, an audit row; publishes EntryJoined;
        tells the arena room; wakes a running engine.
    """
    require_transaction()
    if entry is not None:
        entry.status = Entry.Status.ACTIVE
        entry.save(update_fields=["status"])
    else:
        last = competition.entries.aggregate(last=Max("number"))["last"] or 0
        balance = competition.starting_balance_cents
        entry = Entry.objects.create(
            competition=competition,
            user=user,
            number=last + 1,
            cash_cents=balance,
            max_equity_cents=balance,
            day_start_equity_cents=balance,
            last_equity_cents=balance,
        )
    audit.record(user, "entry.joined", entry, new={"competition": str(competition.pk), "number": entry.number})
    events.publish(EntryJoined(competition.pk, entry.pk, user.pk))
    tell_room(competition)
    if competition.status == Status.RUNNING:
        transaction.on_commit(wake_engine)
    return entry


def entry_withdraw(user: User, competition_id: UUID) -> Entry:
    """Leave a contest before it starts.

    Guarantees: judged by the database's clock after the lock. Doing it again changes nothing. The entry keeps its
        number.
        What was paid comes back: tokens at once, money to the card.
    Locks / Effects: the contest's row, then the wallet or the payment; audit rows; publishes EntryWithdrawn.
    Raises: NotFound: no entry. EntryClosed `already_started`, `entry_not_active`.
    """
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        entry = competition.entries.filter(user=user).first()
        if entry is None:
            raise NotFound("You have no entry in this contest.", code="no_entry")
        if entry.status == Entry.Status.WITHDRAWN:
            return entry
        if entry.status != Entry.Status.ACTIVE:
            raise EntryClosed("Your entry is no longer in this contest.", code="entry_not_active")
        if competition.kind == Competition.Kind.PVP:
            raise EntryClosed("A challenge stands once both stakes are paid.", code="entry_closed")
        if competition.status != Status.OPEN or competition.starts_at <= database_now():
            raise EntryClosed("One can withdraw until the contest starts.", code="already_started")
        withdraw(user, competition, entry)
        paid = competition.buy_ins.filter(entry=entry, status=BuyIn.Status.PAID).first()
        if paid is not None:
            buy_ins.give_back(user, paid, cause="withdrawn", reason=f"Withdrew from {competition.title}")
    return entry


def withdraw(actor: User | None, competition: Competition, entry: Entry) -> None:
    """Take an entry out of a contest that has not started; what was paid for it is the caller's.

    Locks / Effects: in the caller's transaction, which holds the contest's row: the entry, an audit row; publishes EntryWithdrawn;
        tells the arena room.
    """
    entry.status = Entry.Status.WITHDRAWN
    entry.save(update_fields=["status"])
    audit.record(actor, "entry.withdrawn", entry, old={"status": "active"}, new={"status": "withdrawn"})
    events.publish(EntryWithdrawn(competition.pk, entry.pk, entry.user_id))
    tell_room(competition)


def refuse_first(found: Iterable[DomainError]) -> None:
    """Refuse with the first of the reasons found, which carries all of them; none: let pass."""
    listed = list(found)
    if listed:
        listed[0].data["reasons"] = [{"code": one.code, "message": one.message} for one in listed]
        raise listed[0]


def entry_reasons(user: User, competition: Competition, *, country: str = "") -> list[Reason]:
    """List why a person cannot join now, for the page; the door judges again under its lock.

    Shapes: empty when nothing stands in the way. A contest with an invite code lists `invite_code_needed` last: the
        code is asked for when joining.
    """
    entry = competition.entries.filter(user_id=user.pk).first() if user.is_authenticated else None
    found = refusals(user, competition, entry, database_now(), None, country)
    return [Reason(one.code, one.message) for one in found]


def join_ends_at(competition: Competition) -> datetime:
    """Tell until when one may join: the start, or later by the late-join share of the duration, in whole seconds."""
    length = int((competition.ends_at - competition.starts_at).total_seconds())
    return competition.starts_at + timedelta(seconds=bps_of(length, competition.late_join_bps))


def refusals(
    user: User, competition: Competition, entry: Entry | None, now: datetime, invite_code: str | None, country: str
) -> Iterator[DomainError]:
    """Judge every condition, in the order in which a person can do something about them.

    Shapes: invite_code None: it has not been asked for yet.
    """
    if (found := closed(competition, entry, now)) is not None:
        yield found
    if competition.buy_in_cents and not is_on():
        yield EntryRefused("Card payments are not set up on this site.", code="payments_off")
    if competition.entry_tokens and user.is_authenticated and balance_of(user.pk) < competition.entry_tokens:
        yield EntryRefused(
            f"Entering costs {competition.entry_tokens:,} tokens; you do not have enough.", code="insufficient_tokens"
        )
    paid = bool(competition.buy_in_cents or competition.entry_tokens)
    try:
        policy.require(user, policy.Action.ENTER_PAID if paid else policy.Action.ENTER_FREE, country)
    except DomainError as refusal:
        yield refusal
    if user.is_authenticated:
        yield from _conditions(user, competition, now, country)
    if competition.invite_code and not hmac.compare_digest(
        (invite_code or "").encode(), competition.invite_code.encode()
    ):
        if not invite_code:
            yield EntryRefused("This contest is by invitation: enter its code.", code="invite_code_needed")
        else:
            yield EntryRefused("This is not the invite code of this contest.", code="invite_code_wrong")


def closed(
    competition: Competition, entry: Entry | None, now: datetime, *, own_seat: bool = False
) -> DomainError | None:
    """Tell why a contest takes no entry from whoever has this one (or none) now; None when it does.

    Shapes: own_seat: one of the seats that are held is theirs.
    """
    if entry is not None and entry.status == Entry.Status.ACTIVE:
        return EntryClosed("You have joined this contest already.", code="already_joined")
    if entry is not None and entry.status == Entry.Status.DISQUALIFIED:
        return EntryClosed("You were disqualified from this contest.", code="entry_not_active")
    if entry is not None and competition.status == Status.RUNNING:  # the engine has left its account out
        return EntryClosed("You withdrew from this contest before it started.", code="entry_not_active")
    if competition.kind == Competition.Kind.PVP:
        return EntryClosed("A challenge is between its two parties.", code="entry_closed")
    if competition.status not in {Status.OPEN, Status.RUNNING}:
        return EntryClosed(f"This contest is {competition.status}: it takes no entries.", code="competition_not_open")
    if now >= join_ends_at(competition) and now >= competition.starts_at:
        late = (
            "It is too late to join."
            if competition.late_join_bps
            else "This contest has started; it takes no late entries."
        )
        return EntryClosed(late, code="entry_too_late")
    if competition.max_entries is not None and _taken(competition) - own_seat >= competition.max_entries:
        return EntryClosed(f"All {competition.max_entries} places are taken.", code="competition_full")
    return None


def _taken(competition: Competition) -> int:
    active = competition.entries.filter(status=Entry.Status.ACTIVE).count()
    return active + (buy_ins.seats_held(competition) if competition.buy_in_cents else 0)


def _conditions(user: User, competition: Competition, now: datetime, country: str) -> Iterator[DomainError]:
    if user.is_bot and not competition.bots_allowed:
        yield EntryRefused("Bots do not enter this contest.", code="bots_not_allowed")
    if competition.bots_only and not user.is_bot:
        yield EntryRefused(
            "Only accounts marked as bots enter this contest; yours can be marked with its API tokens.",
            code="bots_only",
        )
    old_enough_at = user.date_joined + timedelta(hours=competition.min_account_age_h)
    if now < old_enough_at:
        hours, when = competition.min_account_age_h, f"{old_enough_at:%d %B %Y, %H:%M} UTC"
        yield EntryRefused(f"Your account must be {hours} hours old; it will be on {when}.", code="account_too_new")
    if competition.max_linked_entries and _linked(user, competition) >= competition.max_linked_entries:
        yield EntryRefused(
            "Another account that was used on your device, or with your card, is in this contest already.",
            code="linked_accounts_full",
        )
    where = country or user.country
    if where in competition.blocked_countries:
        yield CountryRefused("This contest is not offered in your country.", code="country_refused")
    yield from (found for condition in _added if (found := condition(user, competition)) is not None)


def _linked(user: User, competition: Competition) -> int:
    """Count who is in a contest and shares a device or a card with somebody. An address is shared by homes, and does not count."""
    others = list(
        competition.entries.exclude(user=user).exclude(status=Entry.Status.WITHDRAWN).values_list("user", flat=True)
    )
    seen = {other for other, kinds in seen_with(user.pk, others).items() if "device" in kinds}
    return len(seen | paid_with_cards_of(user.pk, others))
