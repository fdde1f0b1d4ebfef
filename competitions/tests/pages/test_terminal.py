"""The trade terminal and the live page in a real Chromium: what is sent, what comes back, and who sees it move."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from competitions.models import Competition, Entry, Order
from competitions.services.steps import tell_room
from competitions.tests.factories import make_quote_on_bus
from competitions.tests.pages.conftest import PHONE, Visit
from competitions.tests.pages.scene import Scene, trade
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page


def terminal(scene: Scene, web: Web, begin: Callable[..., Visit], **options: object) -> Visit:
    seen = begin(scene.cast.alice, **options)
    assert seen.go(web.path(f"/competitions/{scene.running.slug}/trade")) == 200
    expect(seen.page.locator("connection-status")).to_have_attribute("data-status", "live")
    make_quote_on_bus("EUR/USD")  # fresh, however long the page has taken
    return seen


def send(page: Page) -> None:
    """Press the ticket's button and say yes."""
    page.locator("order-ticket [data-part=submit]").click()
    page.locator("dialog button[type=submit]").click()


def test_the_ticket_says_what_an_order_means_before_it_is_sent(
    scene: Scene, web: Web, visit: Callable[..., Visit]
) -> None:
    page = terminal(scene, web, visit).page
    page.locator("#ticket-size").fill("1.00")
    # 100,000 EUR at a mid of 1.08505, leverage 30
    expect(page.locator("[data-part=margin]")).to_have_text("$3,616.84")
    expect(page.locator("[data-part=pip]")).to_have_text("$10.00")
    page.get_by_label("pips").check(force=True)
    page.get_by_label("Stop-loss", exact=True).fill("20")
    expect(page.locator("[data-part=exits]")).to_have_text("SL 1.08310 (−$200.00)")
    assert Order.objects.filter(entry=scene.cast.alices).count() == 1


def test_an_order_is_confirmed_decided_and_receipted(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    page.locator("#ticket-size").fill("0.20")
    with page.expect_response(lambda answer: answer.url.endswith("/orders")):
        send(page)
        expect(page.locator("[data-part=submit]")).to_have_attribute("aria-busy", "true")
        scene.decide("1.08520", "1.08530")
    decision = page.locator("[data-part=decision]")
    expect(decision).to_contain_text("Filled at 1.08530")
    expect(page.locator("#panel-positions")).to_contain_text("1.20")
    page.get_by_role("link", name="Receipt").click()
    expect(page.get_by_role("heading", name="Receipt of fill 2")).to_be_visible()
    expect(page.get_by_text("1.08520")).to_be_visible()


def test_a_second_press_is_not_a_second_order(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator("order-ticket [data-part=submit]").click()
    page.locator("dialog button[type=submit]").dblclick()
    expect(page.locator("[data-part=submit]")).to_be_disabled()
    page.evaluate("document.querySelector('order-ticket form').requestSubmit()")
    scene.decide()
    expect(page.locator("[data-part=decision]")).to_contain_text("Filled")
    assert len(sent) == 1
    assert Order.objects.filter(entry=scene.cast.alices).count() == 2


def test_a_lost_answer_is_asked_for_under_the_same_id(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    ids: list[str] = []

    def lose_the_first(route: object) -> None:
        ids.append(route.request.post_data_json["id"])  # type: ignore[attr-defined]
        if len(ids) == 1:
            headers = {name: value for name, value in route.request.headers.items() if name != "prefer"}  # type: ignore[attr-defined]
            route.fetch(headers=headers)  # type: ignore[attr-defined]  # it arrives, and the answer gets lost
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/orders", lose_the_first)
    page.get_by_text("Limit", exact=True).click()
    page.locator("#ticket-price").fill("1.07000")
    send(page)
    expect(page.locator("[data-part=decision]")).to_contain_text("Accepted")
    scene.decide()
    expect(page.locator("[data-part=decision]")).to_contain_text("Working")
    assert len(ids) >= 2
    assert len(set(ids)) == 1
    assert Order.objects.filter(entry=scene.cast.alices).count() == 2


def test_a_refusal_says_why(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    problem = page.locator("[data-part=problem]")
    page.locator("#ticket-size").fill("0.005")
    page.locator("[data-part=submit]").click()
    expect(problem).to_contain_text("smallest order")
    page.locator("#ticket-size").fill("400")
    page.locator("[data-part=submit]").click()
    expect(problem).to_contain_text("free margin")
    page.locator("#ticket-size").fill("1,234")
    page.locator("[data-part=submit]").click()
    expect(problem).to_contain_text("Enter a size")


def test_resting_orders_are_changed_and_cancelled(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    page.get_by_text("Limit", exact=True).click()
    page.locator("#ticket-price").fill("1.07000")
    send(page)
    page.get_by_role("tab", name="Orders").click()
    orders = page.locator("#panel-orders")
    scene.decide()
    expect(orders).to_contain_text("1.07000")
    expect(orders).to_contain_text("working")
    orders.get_by_role("button", name="Cancel").click()
    page.locator("dialog button[type=submit]").click()
    scene.decide()
    expect(orders).to_contain_text("No pending order")


def test_a_position_is_protected_and_closed(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    positions = page.locator("#panel-positions")
    positions.get_by_role("button", name=re.compile("Stop-loss")).click()
    page.get_by_label("Stop-loss").last.fill("1.08000")
    page.locator("dialog button[type=submit]").click()
    scene.decide()
    expect(positions).to_contain_text("1.08000")
    positions.get_by_role("button", name="Close", exact=True).click()
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog")).to_have_count(0)
    scene.decide()
    expect(positions).to_contain_text("No open position")
    page.get_by_role("tab", name="Trades").click()
    expect(page.locator("#panel-trades tbody tr")).to_have_count(1)


def test_keys_fill_the_ticket_in_and_never_act_inside_a_field(
    scene: Scene, web: Web, visit: Callable[..., Visit]
) -> None:
    page = terminal(scene, web, visit).page
    page.keyboard.press("s")
    expect(page.locator("input[name=side][value=sell]")).to_be_checked()
    page.locator("#ticket-size").focus()
    page.keyboard.press("b")
    expect(page.locator("input[name=side][value=sell]")).to_be_checked()
    page.locator("h1 a").focus()
    page.keyboard.press("2")
    expect(page.locator("#ticket-pair")).to_have_value("USD/JPY")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Sprint"


def test_a_spectator_sees_quotes_board_and_deals_move(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit()
    assert seen.go(web.path(f"/arena/{scene.running.slug}")) == 200
    page = seen.page
    expect(page.locator("connection-status")).to_have_attribute("data-status", "live")
    assert page.locator("order-ticket").count() == 0
    deals = page.locator("deal-tape li")
    before = deals.count()
    trade(scene, scene.cast.bob, "buy", 50_000)
    expect(deals).to_have_count(before + 1)
    expect(deals.first).to_contain_text("bob")


def test_a_rival_sees_no_open_trade(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit(scene.cast.alice)
    seen.go(web.path(f"/arena/{scene.running.slug}"))
    expect(seen.page.locator("connection-status")).to_have_attribute("data-status", "live")
    assert "bob" not in seen.page.locator("deal-tape").inner_text()
    seen.go(web.path(f"/competitions/{scene.running.slug}/traders/bob/fills"))
    expect(seen.page.get_by_text("No fill that may be seen.")).to_be_visible()


def test_a_cut_connection_is_shown_at_once_and_catches_up(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit()
    sockets: list[object] = []
    seen.page.route_web_socket("**/ws", lambda socket: sockets.append((socket, socket.connect_to_server())))
    seen.go(web.path(f"/arena/{scene.running.slug}"))
    page, status = seen.page, seen.page.locator("connection-status")
    expect(status).to_have_attribute("data-status", "live")
    deals = page.locator("deal-tape li")
    before = deals.count()
    page.context.set_offline(True)
    page.evaluate(
        "window.words = []; new MutationObserver(() => window.words.push(document.querySelector('connection-status').dataset.status))"
        ".observe(document.querySelector('connection-status'), {attributes: true})"
    )
    client, server = sockets[0]  # type: ignore[misc]
    client.close(code=1012)
    server.close()
    trade(scene, scene.cast.bob, "buy", 50_000)
    page.context.set_offline(False)
    expect(status).to_have_attribute("data-status", "live")
    assert page.evaluate("window.words.includes('reconnecting')")
    expect(deals).to_have_count(before + 1)


def test_prices_turn_grey_without_fresh_quotes(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit()
    make_quote_on_bus("EUR/USD")
    seen.go(web.path(f"/arena/{scene.running.slug}"))
    row = seen.page.locator("quote-board tr", has_text="EUR/USD")
    expect(row).to_have_class(re.compile("stale"), timeout=15_000)


def test_the_ticket_is_a_sheet_on_a_phone(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit, viewport=PHONE).page
    expect(page.locator("order-ticket")).to_be_hidden()
    page.get_by_role("button", name="Trade").click()
    expect(page.locator("order-ticket")).to_be_visible()
    kinds = ("order-ticket button", "order-ticket .input", "order-ticket .segments label", ".phone-tabs button")
    for target in page.locator(", ".join(f"{kind}:visible" for kind in kinds)).all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, target.evaluate("node => node.outerHTML")
    page.get_by_role("button", name="Board").click()
    expect(page.locator("order-ticket")).to_be_hidden()
    expect(page.locator("live-board")).to_be_visible()


def test_the_end_is_told_and_leads_to_the_results(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    Competition.objects.filter(pk=scene.running.pk).update(status=Competition.Status.SETTLING)
    scene.running.refresh_from_db()
    tell_room(scene.running)
    expect(page.locator("contest-status .badge")).to_have_text("settling")
    expect(page.locator("order-ticket [data-part=submit]")).to_be_disabled()
    expect(page.get_by_role("link", name="See the results")).to_be_visible()


def test_a_stop_loss_is_dragged_with_the_mouse_and_moved_by_keys(
    scene: Scene, web: Web, visit: Callable[..., Visit]
) -> None:
    page = terminal(scene, web, visit).page
    positions = page.locator("#panel-positions")
    handle = page.get_by_role("slider", name="new stop-loss or take-profit")
    box = handle.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    area = page.locator(".chart-handles").bounding_box()
    assert area
    page.mouse.move(box["x"] + 8, area["y"] + area["height"] - 40, steps=5)  # below the bid
    expect(handle).to_contain_text("SL")
    expect(handle).to_contain_text("−$")
    page.mouse.up()
    dialog = page.locator("dialog")
    price = dialog.locator("dd").last.inner_text()
    dialog.locator("button[type=submit]").click()
    scene.decide()
    expect(positions).to_contain_text(price)
    stop = page.get_by_role("slider", name="stop-loss", exact=True)
    stop.focus()
    for key in ("ArrowDown", "ArrowDown", "Escape", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    lower = f"{float(price) - 0.0001:.5f}"
    expect(dialog).to_contain_text(lower)
    page.keyboard.press("Enter")
    scene.decide()
    expect(positions).to_contain_text(lower)


def test_a_position_is_turned_around_by_one_order(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    page.keyboard.press("r")
    expect(page.locator("dialog")).to_contain_text("short 1.00")
    page.keyboard.press("Enter")
    scene.decide()
    expect(page.locator("#panel-positions")).to_contain_text("short")
    assert [order.units for order in Order.objects.filter(entry=scene.cast.alices).order_by("seq")] == [
        100_000,
        200_000,
    ]
    page.get_by_role("tab", name="Journal").click()
    journal = page.locator("trade-journal")
    expect(journal.locator("[data-figure=trades]")).to_have_text("1")
    expect(journal.locator("[data-figure=win_rate_bps]")).to_have_text("0.00%")


def test_the_keyboard_alone_can_trade(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = terminal(scene, web, visit).page
    page.locator("#ticket-size").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("0.30")
    for _ in range(30):  # on to the button, whatever stands between
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.part") == "submit":
            break
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("30,000 EUR")
    page.keyboard.press("Enter")
    scene.decide()
    expect(page.locator("[data-part=decision]")).to_contain_text("Filled")
    assert page.evaluate("document.activeElement.dataset.part") == "submit"
    expect(page.locator("#panel-positions")).to_contain_text("1.30")


def test_the_rule_meter_measures_from_where_the_rule_does(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    Competition.objects.filter(pk=scene.running.pk).update(drawdown_rule="peak", drawdown_limit_bps=1_000)
    Entry.objects.filter(pk=scene.cast.alices.pk).update(max_equity_cents=10_500_000)
    page = terminal(scene, web, visit).page
    # $100,000 less a spread of $10, from a peak of $105,000
    expect(page.locator("rule-meter")).to_contain_text("4.77% of 10.00%")
