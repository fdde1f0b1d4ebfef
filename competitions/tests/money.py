"""Contests that cost something, behind the doors' back: entries that have been paid for."""

from django.utils import timezone

from competitions.models import BuyIn, Competition, Entry
from tokens.tests.money import arrived


def charge(competition: Competition, cents: int, **terms: object) -> None:
    """Give a contest a buy-in after the fact, and let everybody who is in have paid it."""
    Competition.objects.filter(pk=competition.pk).update(buy_in_cents=cents, **terms)
    competition.refresh_from_db()
    for entry in competition.entries.exclude(status=Entry.Status.WITHDRAWN).select_related("user"):
        pay_in(entry, cents)


def pay_in(entry: Entry, cents: int) -> BuyIn:
    """Let an entry have been paid by card."""
    return BuyIn.objects.create(
        competition_id=entry.competition_id,
        user=entry.user,
        entry=entry,
        payment_id=arrived(entry.user, cents, reference_id=entry.competition_id),
        amount_cents=cents,
        status=BuyIn.Status.PAID,
        paid_at=timezone.now(),
    )
