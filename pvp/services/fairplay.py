"""Looking for challenges in which one lets the other win, and putting them before the moderators. Nobody is punished here.

When it is one is in `rules/signals.py`. Rules: docs/rules/fair-play.md#chip-dumping.
"""

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from django.db import connection

from accounts.models import User
from accounts.selectors.links import pair
from accounts.services.integrity import case_open
from pvp.rules.signals import Lost, is_dumping
from tokens.selectors.evidence import links_among
from tradingarena.core.money import BPS

LOOK_BACK, FRESH = timedelta(days=30), timedelta(days=1)

# Decided challenges of the last thirty days between people who have played one in the last day.
_DECIDED = """
    WITH decided AS (
        SELECT challenge.id, challenge.winner_id, challenge.closed_at, challenge.competition_id,
            CASE WHEN winner_id = challenger_id THEN invitee_id ELSE challenger_id END AS loser_id,
            terms.stake_tokens, terms.stake_cents
        FROM pvp_challenge AS challenge
        JOIN pvp_terms AS terms ON terms.challenge_id = challenge.id AND terms.version = challenge.version
        WHERE challenge.outcome = 'won' AND challenge.closed_at > clock_timestamp() - %s::interval)
    SELECT one.id, one.winner_id, one.loser_id, one.stake_tokens, one.stake_cents, coalesce(entry.fills_count, 0),
        coalesce((entry.final_equity_cents - contest.starting_balance_cents) * %s / contest.starting_balance_cents, 0)
    FROM decided AS one
    JOIN competitions_competition AS contest ON contest.id = one.competition_id
    LEFT JOIN competitions_entry AS entry ON entry.competition_id = one.competition_id AND entry.user_id = one.loser_id
    WHERE EXISTS (SELECT FROM decided AS fresh WHERE fresh.closed_at > clock_timestamp() - %s::interval
        AND least(fresh.winner_id, fresh.loser_id) = least(one.winner_id, one.loser_id)
        AND greatest(fresh.winner_id, fresh.loser_id) = greatest(one.winner_id, one.loser_id))
    ORDER BY one.closed_at
"""


def look_for_dumping() -> int:
    """Open a case for each two people of whom one lets the other win; say how many were new.

    Guarantees: doing it again opens nothing more.
    Locks / Effects: four queries; a row for each case.
    """
    lost: dict[tuple[UUID, UUID], list[tuple[UUID, int, int, Lost]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED, [LOOK_BACK, BPS, FRESH])
        for pk, winner, loser, tokens, cents, fills, return_bps in cursor.fetchall():
            lost[loser, winner].append((pk, tokens, cents, Lost(fills, return_bps)))
    people = {one for both in lost for one in both}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "username"))
    links = links_among(people)
    opened = 0
    for (loser, winner), games in lost.items():
        shared = links.get(pair(loser, winner), set())
        if is_dumping(len(lost.get((winner, loser), ())), [game[3] for game in games], linked=bool(shared)):
            opened += case_open(
                "pvp_chip_dumping",
                f"{loser}:{winner}",
                [loser, winner],
                summary=f"{names[loser]} lets {names[winner]} win challenges",
                evidence={
                    "challenges": [str(game[0]) for game in games],
                    "tokens": sum(game[1] for game in games),
                    "cents": sum(game[2] for game in games),
                    "given_up": sum(game[3].given_up for game in games),
                    "shared": sorted(shared),
                },
                url=f"/challenges/{games[-1][0]}",
            )
    return opened
