"""Rivals in the demo world: traders to follow, and challenges that wait. People, bots and contests are `demo.py`'s."""

from accounts.models import User
from accounts.selectors.social import is_blocked
from accounts.services import social
from competitions.services import steps
from pvp.models import Challenge
from pvp.rules.terms import Wanted
from pvp.services import offers
from tradingarena.bots.hosting import MAJORS, tradable
from tradingarena.core.errors import DomainError
from tradingarena.demo import BOTS, PEOPLE


def add_rivals() -> None:
    """Let somebody follow a few traders and find a challenge waiting, and two bots dare each other; the bots take it from there.

    Guarantees: a second time changes nothing.
    """
    person = User.objects.get(email=PEOPLE[2][0])
    bots = [User.objects.get(email=f"{name.lower()}@demo.local") for name, *_ in BOTS]
    for bot in bots[:3]:
        if not is_blocked(person.pk, bot.pk):
            social.follow(person, bot)
    for challenger, invitee in ((bots[1], person), (bots[0], bots[4])):
        if Challenge.objects.filter(challenger=challenger, invitee=invitee).exists():
            continue
        try:
            offers.challenge_create(challenger, to=invitee.username, wanted=_duel())
        except DomainError:  # somebody who has been banned, or has blocked the other, is left in peace
            continue


def _duel() -> Wanted:
    fed = steps.fed_pairs()
    return Wanted(
        stake_cents=0,
        stake_tokens=50,
        starting_balance_cents=100_000_00,
        pairs=tuple(tradable(MAJORS, fed) or tradable(sorted(fed), fed)[:4]),
        duration_s=15 * 60,
        starts_at=None,
        rake_bps=500,
        drawdown_rule="none",
        drawdown_limit_bps=0,
    )
