"""A fixed cast for tests of the API: a few people, each with a part, and one who may see nothing of the others.

operator   an admin              alice, bob   entrants of the running contest `sprint`
moderator  a moderator           carol        a spectator: signed in, in no contest
mallory    an entrant of another contest, who tries what is none of her business
"""

from dataclasses import dataclass
from functools import cached_property

from accounts.models import User
from accounts.rules import roles
from competitions.models import Competition, Entry
from competitions.tests.factories import make_competition, make_entry, make_market, make_user
from tradingarena.tests.callers import anonymous, by_session, by_token, problem_of
from tradingarena.tests.fresh import fresh_redis

__all__ = ["Cast", "anonymous", "by_session", "by_token", "problem_of"]


@dataclass
class Cast:
    """The people and the contest they are in. Needs the database and Redis."""

    operator: User
    moderator: User
    alice: User
    bob: User
    carol: User
    mallory: User
    sprint: Competition
    elsewhere: Competition

    @classmethod
    def assemble(cls) -> "Cast":
        """Make everybody, a running contest and a market with fresh quotes."""
        fresh_redis()
        make_market()
        people = {name: make_user(name) for name in ("alice", "bob", "carol", "mallory")}
        cast = cls(
            operator=make_user("olga", role=roles.ADMIN),
            moderator=make_user("mona", role=roles.MODERATOR),
            sprint=make_competition(title="Sprint"),
            elsewhere=make_competition(title="Elsewhere"),
            **people,
        )
        make_entry(cast.elsewhere, cast.mallory)
        assert (cast.alices.number, cast.bobs.number) == (1, 2)
        return cast

    @cached_property
    def alices(self) -> Entry:
        """Alice's entry in the sprint."""
        return make_entry(self.sprint, self.alice)

    @cached_property
    def bobs(self) -> Entry:
        """Bob's entry in the sprint."""
        return make_entry(self.sprint, self.bob)

    def path(self, tail: str = "", competition: Competition | None = None) -> str:
        """Name a path below the sprint, or below another contest."""
        return f"/api/competitions/{(competition or self.sprint).pk}{tail}"
