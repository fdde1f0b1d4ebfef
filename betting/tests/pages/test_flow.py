"""In Chromium, from the session page of a live contest: bet, see odds move from another browser, the lock, the end, the settlement and
the receipt, verified."""

import random
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from arena.services.listings import listing_make
from betting.models import Bet, Market
from betting.rules.lines import Side, right_side
from betting.rules.parimutuel import Stake, settle_line
from betting.services import markets, telling
from betting.services.bets import bet_place
from betting.services.settlement import settle_what_is_due
from betting.tests.pages.conftest import Bets
from competitions.models import Competition
from competitions.services import lifecycle
from competitions.tests.pages.conftest import PHONE, Scene, Visit
from competitions.tests.pages.test_pages import serious_violations, settle
from tokens.tests.ledger.book import balance
from tradingarena.core.realtime import publish_many
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page


def watch(bets: Bets, web: Web, seen: Visit) -> Page:
    assert seen.go(web.path(f"/arena/{bets.contest.slug}")) == 200
    expect(seen.page.locator("bet-panel .bet-traders")).to_be_visible()
    return seen.page


def back(page: Page, claim: str, stake: int) -> None:
    """Choose alice and a claim, and place a bet as a person would."""
    panel = page.locator("bet-panel")
    panel.get_by_role("button", name="alice").click()
    panel.locator(f"[data-outcome={claim}]").click()
    panel.get_by_label("Stake in tokens").fill(str(stake))
    expect(panel.locator(".bet-range")).to_contain_text(f"If right you receive between {stake} and")
    panel.get_by_role("button", name="Place bet").click()
    page.get_by_role("dialog").get_by_role("button", name="Place bet").dblclick()


def end(scene: Scene) -> None:
    """Let the engine end the contest now, with alice above zero."""
    scene.desk.decide("EUR/USD", "1.09000", "1.09010")
    moment = timezone.now()
    Competition.objects.filter(pk=scene.running.pk).update(ends_at=moment, objection_s=0)
    scene.desk.engine.desks[scene.running.pk].move_end(moment)
    scene.desk.decide("EUR/USD", "1.09000", "1.09010")


def test_from_the_bet_to_the_verified_receipt(bets: Bets, web: Web, visit: Callable[..., Visit]) -> None:
    seen, other = visit(bets.carol), visit(bets.dora)
    page, second = watch(bets, web, seen), watch(bets, web, other)
    panel, rival = page.locator("bet-panel"), second.locator("bet-panel")
    back(page, "positive", 50)
    own = panel.locator(".bet-own")
    expect(own).to_contain_text("if right about 50")
    expect(page.locator("header wallet-balance")).to_contain_text("950")
    assert (Bet.objects.count(), balance(bets.carol.pk)) == (1, 950)  # a double click is one bet
    expect(rival.locator("[data-outcome=positive] small")).to_contain_text("50")  # seen in the other browser
    back(second, "negative", 100)
    expect(own).not_to_contain_text("if right about 50")
    expect(panel.locator("[data-outcome=negative] small")).to_contain_text("100")
    panel.get_by_label("How odds are written").select_option("implied")
    expect(panel.locator("[data-outcome=negative] b")).to_contain_text("%")

    market = bets.market()
    Market.objects.filter(pk=market.pk).update(locks_at=timezone.now() + timedelta(seconds=1.5))
    bet_place(bets.dora, id=uuid4(), market_id=market.pk, outcome="beat_5_pct", stake_tokens=10)
    publish_many(telling.odds_of({market.pk: bets.market()}))
    expect(panel.locator("[data-part=clock]")).to_have_text("locked")
    expect(panel.locator("[data-outcome=positive]")).to_be_disabled()
    markets.lock_what_is_due()

    end(bets.scene)
    expect(page.locator("contest-status")).to_contain_text("settling")
    expect(panel.locator("[data-part=clock]")).to_have_text("waits for final standings")
    lifecycle.advance()
    settle_what_is_due()
    expect(own).to_contain_text("received")
    market.refresh_from_db()
    assert market.status == "settled"
    expect(page.locator("header wallet-balance")).to_contain_text(f"{balance(bets.carol.pk):,}")
    assert balance(bets.carol.pk) == 950 + 50 + 93  # 100 lost, of which 7 are the rake of 150
    assert balance(bets.dora.pk) == 900  # 10 on a line with one side were given back
    panel.get_by_role("link", name="Receipt").click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status").first).to_contain_text("Verified: 3 bets computed again")
    expect(page.locator("[data-part=mark]").first).to_have_text("verified")
    page.goto(web.path("/bets"))
    expect(page.locator("main")).to_contain_text("won")
    expect(page.locator("main")).to_contain_text("+93")
    assert seen.faults == []
    assert other.faults == []


def test_the_browser_pays_what_the_rules_pay(bets: Bets, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit(None)
    seen.go(web.path("/rules"))
    chance = random.Random(5)
    lines, expected = [], []
    for _ in range(200):
        final = chance.choice([10_000_000, 10_200_000, 10_200_001, 9_000_000, 2**50])
        rake, threshold = chance.choice([0, 1, 500, 10_000]), chance.choice([0, 200])
        stakes = [
            Stake(
                chance.choice(list(Side)),
                chance.choice([10, 11, chance.randint(10, 10**14)]),
                chance.randint(5_000, 10_000),
            )
            for _ in range(chance.randint(1, 12))
        ]
        bets_of = [{"side": one.side, "stake_tokens": one.stake_tokens, "weight_bps": one.weight_bps} for one in stakes]
        lines.append({"bets": bets_of, "final": final, "threshold": threshold, "rake": rake})
        plan = settle_line(stakes, right_side(final, 10_000_000, threshold), rake_bps=rake)
        expected.append([str(plan.rake_tokens), *map(str, plan.pays)])
    found = seen.page.evaluate(
        """async (lines) => {
            const { settleLine, rightSide } = await import("/static/js/betting/math.js");
            return lines.map(({ bets, final, threshold, rake }) => {
                const plan = settleLine(bets, rightSide(final, 10000000, threshold), rake);
                return [String(plan.rake), ...plan.pays.map(String)];
            });
        }""",
        lines,
    )
    assert found == expected


def test_pages_and_parts_shut_nobody_out_and_fit_a_phone(bets: Bets, web: Web, visit: Callable[..., Visit]) -> None:
    over = bets.scene.over
    listing_make(None, over.pk, bets_allowed=True)
    market = bets.market()
    for user, outcome in ((bets.carol, "positive"), (bets.dora, "negative"), (bets.carol, "beat_2_pct")):
        bet_place(user, id=uuid4(), market_id=market.pk, outcome=outcome, stake_tokens=100)
    seen = visit(bets.carol)
    held = f"/bets/markets/{market.pk}"
    pages = ["/bets", held, "/traders/alice/bet-behind", f"/arena/{bets.contest.slug}", f"/embed/{bets.contest.slug}"]
    for path in pages:
        look_at(seen, web, path)
    expect(seen.page.locator(".overlay-odds")).to_contain_text("alice")
    end(bets.scene)
    lifecycle.advance()
    settle_what_is_due()
    for path in (
        "/bets",
        f"/settlements/{market.pk}",
        "/traders/alice/bet-behind",
        f"/arena/{bets.contest.slug}/replay",
    ):
        look_at(seen, web, path)
    assert seen.go(web.path("/bets/markets/01890000-0000-7000-8000-000000000000")) == 404
    stranger = visit(None)
    watcher = bets.scene.cast.elsewhere
    listing_make(None, watcher.pk)
    markets.markets_open(watcher.pk)
    assert stranger.go(web.path(f"/arena/{watcher.slug}")) == 200
    expect(stranger.page.locator("bet-panel")).to_contain_text("Sign in first.")


def look_at(seen: Visit, web: Web, path: str) -> None:
    seen.page.set_viewport_size({"width": 1440, "height": 900})
    assert seen.go(web.path(path)) == 200, path
    settle(seen)
    for theme in ("dark", "light"):
        seen.page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        assert serious_violations(seen) == [], (path, theme)
    seen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert seen.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)") <= PHONE["width"], path
    assert seen.faults == [], path
