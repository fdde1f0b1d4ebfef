"""Who may watch a contest, and how long after it happened the crowd learns of a deal. A higher app may put up a gate and decide.

Without one, public contests are open to everybody and others to those who are in them. What of somebody's trading is seen through
an open gate is `visibility.py`'s. Rules: docs/rules/arena.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from competitions.models import Competition
from tradingarena.core.errors import DomainError, Forbidden

Viewer = User | AnonymousUser
Question = tuple[Viewer, Competition]
Status = Competition.Status
OVER = (Status.SETTLING, Status.COMPLETED, Status.CANCELLED)
PAID_DELAY_S = 10


class InvitedOnly(Forbidden):
    """Raised when somebody would watch a contest that is watched by invitation."""

    code, message = "invitation_needed", "This contest is watched by invitation."


@dataclass(frozen=True, slots=True)
class Gate:
    """The answers of whoever decides.

    Shapes: `admit` answers many questions with few queries, in their order: None, or why not. It is not asked about entrants.
        `delay_s` is in seconds.
    """

    admit: Callable[[Sequence[Question]], Sequence[DomainError | None]]
    delay_s: Callable[[Competition], int]


def default_refusal(competition: Competition) -> DomainError | None:
    """Say why nobody from outside watches a contest of which nobody has decided; None when everybody may."""
    return None if competition.kind == Competition.Kind.PUBLIC else InvitedOnly()


def default_delay_s(competition: Competition) -> int:
    """Tell how late the crowd hears of deals where nobody has decided: at once in contests that cost nothing."""
    return PAID_DELAY_S if competition.buy_in_cents or competition.entry_tokens else 0


_gate = Gate(lambda asked: [default_refusal(competition) for _, competition in asked], default_delay_s)


def put_up(gate: Gate) -> None:
    """Let a higher app decide from now on; its AppConfig.ready() does this."""
    global _gate
    _gate = gate


def refusals(asked: Sequence[Question]) -> Sequence[DomainError | None]:
    """Tell for each question why the viewer may not watch the contest, or None. Entrants are the caller's business."""
    return _gate.admit(asked) if asked else []


def delay_s(competition: Competition) -> int:
    """Tell how long after it happened a deal reaches everybody but its owner. Units: seconds; 0 once the contest is over."""
    return 0 if competition.status in OVER else _gate.delay_s(competition)
