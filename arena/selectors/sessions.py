"""What the arena's pages and its REST list show of a session: its listing with the contest's card."""

from collections.abc import Iterable
from dataclasses import dataclass

from arena.models import Listing
from arena.selectors.access import Mode
from arena.selectors.listings import with_entrants
from competitions.selectors import pages, visibility
from competitions.selectors.competitions import prize_pool_cents, prize_pool_tokens
from competitions.selectors.pages import Card
from competitions.selectors.watching import Viewer
from tradingarena.core.errors import DomainError


@dataclass(frozen=True, slots=True)
class Session:
    """A listed contest at a glance. Units: pools in US cents and in tokens. `refusal` says why the viewer may not watch."""

    listing: Listing
    card: Card
    pool_cents: int
    pool_tokens: int
    refusal: DomainError | None


def sessions(viewer: Viewer, listings: Iterable[Listing]) -> list[Session]:
    """Make sessions of listings, in their order. Of a contest with a pass, everybody learns who leads and by how much."""
    rows = with_entrants(list(listings))
    contests = [row.competition for row in rows]
    teased = {row.competition_id for row in rows if row.mode == Mode.TOKEN_GATED}
    cards = pages.cards(viewer, contests, top=1, teased=teased)
    refusals = visibility.watching_refusals([(viewer, contest) for contest in contests])
    return [
        Session(row, card, prize_pool_cents(row.competition), prize_pool_tokens(row.competition), refusal)
        for row, card, refusal in zip(rows, cards, refusals, strict=True)
    ]
