"""What challenges do when something has happened below, a line per fact. What an event missed, `tasks.tend` finds."""

from uuid import UUID

from accounts.selectors import profiles
from accounts.services import deletion, exports
from competitions.events import CompetitionCancelled, CompetitionCompleted
from pvp.models import Challenge
from pvp.selectors import challenges, records
from pvp.services import funding, life, own_data, settlement
from tokens.events import PaymentClosed, PaymentPaid, PaymentReversed
from tokens.selectors import references
from tradingarena.core import events


def connect() -> None:
    """Listen: a line for each."""
    events.on(CompetitionCompleted, follow_contest)
    events.on(CompetitionCancelled, follow_contest)
    events.on(PaymentPaid, follow_payment)
    events.on(PaymentClosed, follow_payment)
    events.on(PaymentReversed, follow_payment)
    profiles.add_section("pvp/_profile.html", records.profile, place=20)
    references.register(settlement.REFERENCE, challenges.links)
    exports.register("challenges", own_data.challenges_of)
    deletion.add_blocker(own_data.open_challenges)
    deletion.add_eraser(own_data.erase)


def follow_contest(event: CompetitionCompleted | CompetitionCancelled) -> None:
    """Let a challenge follow its contest to the end."""
    found: UUID | None = Challenge.objects.filter(competition=event.competition_id).values_list("pk", flat=True).first()
    if found is not None:
        life.challenge_look(found)


def follow_payment(event: PaymentPaid | PaymentClosed | PaymentReversed) -> None:
    """Let a stake follow its payment."""
    if event.purpose == funding.PURPOSE:
        funding.payment_looked_at(event.payment_id)
