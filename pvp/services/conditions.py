"""What every challenge asks before it is sent or accepted: whom it goes to, how many there are, terms that hold.

What is done with offers is in `offers.py`. Rules: docs/rules/pvp.md#offers, docs/rules/pvp.md#terms.
"""

from datetime import datetime, timedelta

from accounts import selectors
from accounts.models import User
from accounts.services import social
from accounts.services.people import check_email
from competitions.engine.instruments import INSTRUMENTS
from pvp.models import Challenge
from pvp.rules import states
from pvp.rules.terms import Problem, Wanted, problems
from tokens.payments.gateway import PaymentsOff
from tokens.payments.stripe_gateway import is_on
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound, RuleRefusal, TooFast
from tradingarena.core.locks import queue_for

OPEN_CHALLENGES, NEW_AN_HOUR = 20, 10


class SelfChallenge(RuleRefusal):
    """Raised when somebody would challenge themselves."""

    code, message = "self_challenge", "You cannot challenge yourself."


class TooManyOpen(RuleRefusal):
    """Raised when a person has as many open challenges as one may have."""

    code, message = "too_many_challenges", f"You have {OPEN_CHALLENGES} open challenges. Settle or cancel one first."


class TermsRefused(RuleRefusal):
    """Raised when terms do not hold; `errors` names every field, with a code and a sentence."""

    code, message = "terms_refused", "These terms do not hold."

    def __init__(self, found: list[Problem]) -> None:
        errors = [{"pointer": f"/terms/{one.field}", "code": one.code, "detail": one.detail} for one in found]
        super().__init__(" ".join(one.detail for one in found), errors=errors)


def require_terms(wanted: Wanted, now: datetime | None = None) -> None:
    """Refuse terms that do not hold.

    Raises: TermsRefused. PaymentsOff: a stake by card where none can be paid.
    """
    found = problems(wanted, now or database_now())
    if unknown := [pair for pair in wanted.pairs if pair not in INSTRUMENTS]:
        found.append(Problem("pairs", "unknown", f"There is no pair {', '.join(map(str, unknown[:5]))}."))
    if found:
        raise TermsRefused(found)
    if wanted.stake_cents and not is_on():
        raise PaymentsOff


def find_invitee(user: User, to: str) -> tuple[User | None, str]:
    """Find whom a challenge goes to: a person by name, or an address.

    Raises: SelfChallenge, NotFound, Blocked, EmailRefused.
    """
    if "@" not in to:
        invitee = selectors.user_by_name(to).user
        if invitee.pk == user.pk:
            raise SelfChallenge
        if not invitee.is_active:
            raise NotFound("Nobody goes by this name.")
        require_taken(user, invitee)
        return invitee, ""
    address = check_email(to)
    if address == user.email:
        raise SelfChallenge
    return None, address


def require_taken(user: User, invitee: User) -> None:
    """Refuse a challenge between two people of whom one has blocked the other.

    Raises: Blocked.
    """
    social.require_unblocked(user.pk, invitee.pk)


def require_room(user: User) -> None:
    """Refuse more challenges than one may have open or send in an hour.

    Locks / Effects: the person's turn, in the caller's transaction.
    Raises: TooManyOpen, TooFast.
    """
    queue_for("challenges", user.pk)
    mine = Challenge.objects.filter(challenger=user)
    if mine.filter(status__in=states.OPEN).count() >= OPEN_CHALLENGES:
        raise TooManyOpen
    hour_ago = database_now() - timedelta(hours=1)
    recent = list(mine.filter(created_at__gt=hour_ago).order_by("created_at").values_list("created_at", flat=True))
    if len(recent) >= NEW_AN_HOUR:
        wait = int((recent[-NEW_AN_HOUR] - hour_ago).total_seconds()) + 1
        raise TooFast(
            f"{NEW_AN_HOUR} challenges an hour are enough. Try again in {wait // 60 + 1} min.", retry_after_s=wait
        )
