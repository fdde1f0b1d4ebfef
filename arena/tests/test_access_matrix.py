"""Who sees what: every reader × every mode × every path of the site that can be read, with canaries planted. None leaks.

Paths are taken from the site's own table of them, so that a new one is in the matrix by itself. Sockets are in
`tradingarena/tests/realtime/test_access.py`. The rules are those of docs/rules/arena.md.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from accounts.models import User
from arena.services.listings import listing_change
from arena.tests.stage import BOARD, CLOSED, FRESH, OPEN, OPEN_TO_ALL, OWN, Session, ban, close_now, seen_in, set_up
from competitions.models import Competition
from tradingarena.tests.cast import anonymous, by_token

# the owner may see everything, the banned are strangers, the host sees as moderators do: they have tests of their own
SWEEPING = ("anonymous", "unpaid", "paid", "invited", "rival", "moderator")
MODES = ("open", "token_gated", "closed", "private")
CONCERNS = ("<uuid:competition_id>", "<uuid:listing_id>", "<slug:slug>", "<uuid:trade_id>", "<uuid:fill_id>")
LISTS = ("", "arena", "competitions", "api/competitions", "api/arena/listings")
# what a full door shows to whoever may watch: then the matrix cannot pass because nothing is shown at all
FULL = {
    "api/competitions/<uuid:competition_id>/room": OPEN_TO_ALL,
    "arena/<slug:slug>": OPEN_TO_ALL,
    "api/competitions/<uuid:competition_id>/leaderboard": frozenset({BOARD}),
    "api/competitions/<uuid:competition_id>/deals": frozenset({CLOSED, OPEN}),
    "api/competitions/<uuid:competition_id>/fills": frozenset({CLOSED, OPEN}),
    "api/competitions/<uuid:competition_id>/trades": frozenset({CLOSED, OPEN}),
    "api/competitions/<uuid:competition_id>/positions": frozenset({OPEN}),
    "api/competitions/<uuid:competition_id>/trades.csv": frozenset({CLOSED}),
    "competitions/<slug:slug>/traders/<str:username>/fills": frozenset({CLOSED, OPEN}),
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """List every path of the site that concerns one contest, and the lists of contests; pictures have a test of their own."""
    for one in resolver.url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one, route)
        elif route in LISTS or (any(name in route for name in CONCERNS) and not route.endswith(".png")):
            yield route


def addresses(session: Session, route: str) -> list[str]:
    """Fill a path in: with every trade and fill where it names one, and with the owner's entry where a query may."""
    contest, owner = session.contest, session.owner
    path = "/" + route
    for name, value in {
        "<uuid:competition_id>": contest.pk, "<uuid:listing_id>": session.listing.pk, "<slug:slug>": contest.slug,
        "<str:username>": owner.user.username, "<uuid:position_id>": contest.pk, "<uuid:order_id>": contest.pk,
    }.items():  # fmt: skip
        path = path.replace(name, str(value))
    found = [path]
    for name, rows in {"<uuid:trade_id>": session.trades, "<uuid:fill_id>": session.fills}.items():
        if name in path:
            found = [path.replace(name, str(row.pk)) for row in rows.values()]
    if any("<" in one for one in found):
        return []  # another app's own kind of thing
    if route.startswith("api/competitions/<"):
        found += [f"{one}?entry_id={owner.pk}" for one in found]
    return found


@pytest.fixture
def session(db: None) -> Session:
    found = set_up()
    ban(found.people["banned"])
    return found


def way_in(user: User | None, route: str) -> Client:
    """Ask pages with a session, and REST with a token, as a program does."""
    if user is None or not user.may_sign_in():
        return anonymous()
    if route.startswith("api/"):
        return by_token(user)
    page = Client(raise_request_exception=False)
    page.force_login(user)
    return page


@pytest.mark.parametrize("mode", MODES)
def test_no_path_gives_more_away_than_its_reader_may_see(session: Session, mode: str) -> None:
    all_routes = list(dict.fromkeys(routes(get_resolver())))
    assert len(all_routes) > 40
    session.change("closed" if mode == "open" else "open")  # what was allowed a moment ago counts for nothing
    session.change(mode)
    leaks, empty = [], []
    for who in SWEEPING:
        user = session.people[who]
        allowed = session.may_see(who, mode)
        page, program = way_in(user, ""), way_in(user, "api/")
        for route in all_routes:
            shown: set[str] = set()
            for address in addresses(session, route):
                response = (program if route.startswith("api/") else page).get(address)
                assert response.status_code < 500, (address, response.content[:300])
                shown |= seen_in(response.content.decode(errors="replace") + response.get("Location", ""))
            if shown - allowed:
                leaks.append((who, route, shown - allowed))
            if not shown >= FULL.get(route, frozenset()) & allowed:
                empty.append((who, route, shown))
    assert leaks == []
    assert empty == []


@pytest.mark.parametrize("mode", MODES)
def test_the_owner_the_host_and_the_banned_see_what_is_theirs(session: Session, mode: str) -> None:
    session.change(mode)
    for who in ("owner", "host", "banned"):
        room, page = f"/api/competitions/{session.contest.pk}/room", "/arena/guarded"
        bodies = [way_in(session.people[who], path[1:]).get(path).content.decode() for path in (room, page)]
        assert [seen_in(body) & OPEN_TO_ALL for body in bodies] == [session.may_see(who, mode) & OPEN_TO_ALL] * 2
        assert who == "owner" or not {FRESH, OWN} & seen_in("".join(bodies))


def test_a_banned_person_gets_no_more_than_a_stranger(session: Session) -> None:
    session.change("private")
    banned = session.people["banned"]
    client = Client(raise_request_exception=False)
    client.force_login(banned)
    assert client.get("/settings").status_code == 302
    assert client.get("/arena/guarded").status_code == 403
    assert by_token(banned).get(f"/api/competitions/{session.contest.pk}/room").status_code == 401


@pytest.mark.parametrize("mode", MODES)
def test_a_picture_is_made_for_a_stranger(session: Session, mode: str) -> None:
    session.change(mode)
    owner = Client()
    owner.force_login(session.cast.alice)
    for trade in session.trades.values():
        path = f"/arena/guarded/trades/{trade.pk}/card.png"
        fresh = trade == session.trades["fresh"]
        assert owner.get(path).status_code == (403 if mode != "open" else 404 if fresh else 200)
    rival = Client()
    rival.force_login(session.cast.bob)
    if mode == "open":  # what everybody sees of an open trade, a rival does not
        paths = {name: f"/arena/guarded/trades/{trade.pk}/card.png" for name, trade in session.trades.items()}
        answers = {name: rival.get(path).status_code for name, path in paths.items()}
        assert answers == {"closed": 200, "open": 404, "fresh": 404}
    assert owner.get("/arena/guarded/traders/alice/card.png").status_code == (200 if mode == "open" else 403)
    assert owner.get("/arena/guarded/card.png").status_code == 200
    assert owner.get("/embed/guarded").status_code == (200 if mode == "open" else 403)


def test_a_fresh_trade_is_seen_when_its_delay_is_over(session: Session) -> None:
    path = f"/api/competitions/{session.contest.pk}/deals?entry_id={session.owner.pk}"
    assert FRESH not in seen_in(anonymous().get(path).content.decode())
    listing_change(session.cast.operator, session.listing.pk, delay_s=0)
    assert seen_in(anonymous().get(path).content.decode()) == {CLOSED, OPEN, FRESH}


def test_a_trade_that_has_just_closed_still_looks_open(session: Session) -> None:
    close_now(session, "1.36363")
    path = f"/api/competitions/{session.contest.pk}"
    (shown,) = [
        trade
        for trade in anonymous().get(f"{path}/trades?entry_id={session.owner.pk}").json()["results"]
        if trade["pair"] == "EUR/USD"
    ]
    assert (shown["closed_at"], shown["closed_units"], shown["pnl_cents"], shown["close_reason"]) == (None, 0, 0, "")
    held = anonymous().get(f"{path}/positions?entry_id={session.owner.pk}").json()["results"]
    assert [(one["pair"], one["units"], one["average_price"]) for one in held] == [("EUR/USD", 100_000, "1.313130")]
    rival = by_token(session.cast.bob)
    assert [trade["pair"] for trade in rival.get(f"{path}/trades?entry_id={session.owner.pk}").json()["results"]] == [
        "GBP/USD"
    ]
    own = by_token(session.cast.alice)
    assert [one["pair"] for one in own.get(f"{path}/positions").json()["results"]] == ["EUR/GBP"]


def test_after_the_end_everybody_may_check_a_public_contest(session: Session) -> None:
    Competition.objects.filter(pk=session.contest.pk).update(status="completed")
    for mode in ("open", "token_gated", "closed"):
        session.change(mode)
        for tail in (f"/deals?entry_id={session.owner.pk}", "/room"):
            found = seen_in(anonymous().get(f"/api/competitions/{session.contest.pk}{tail}").content.decode())
            assert found >= {CLOSED, OPEN, FRESH}
    session.change("private")
    Competition.objects.filter(pk=session.contest.pk).update(kind="private")
    assert anonymous().get(f"/api/competitions/{session.contest.pk}/room").status_code == 403
    assert by_token(session.people["invited"]).get(f"/api/competitions/{session.contest.pk}/room").status_code == 200
