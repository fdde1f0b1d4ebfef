"""The chat in a real Chromium: two people talk, one reads back undisturbed, one is muted and reads why, a moderator clears a report."""

import json
import secrets
from collections.abc import Callable, Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import User
from chat.models import Case, Channel, Message
from chat.services import channels, queue
from chat.services.posting import Draft, message_post
from chat.services.sanctions import message_delete, sanction_impose
from chat.tests.conftest import pause, settle
from competitions.tests.pages.scene import Scene
from tradingarena.tests.browsing import PHONE, WIDE, Visit
from tradingarena.tests.live import Web

pytestmark = [pytest.mark.page, pytest.mark.django_db(transaction=True)]


def say(author: User, channel: Channel, text: str) -> Message:
    return message_post(author, channel.pk, Draft(text, secrets.token_hex(8))).message


def fill_up(channel: Channel, authors: Sequence[User], count: int) -> None:
    """Let a channel have a history that reaches beyond the first page."""
    for number in range(count):
        say(authors[number % len(authors)], channel, f"line number {number} of a long evening {'x' * (number % 7)}")
        if number % 8 == 7:
            for author in authors:
                pause(author)


def write(page: Page, text: str) -> None:
    expect(page.locator(".chat-line[data-number]").first).to_be_attached()  # the panel has come alive
    page.get_by_label("Message to").fill(text)
    page.keyboard.press("Enter")


def serious(page: Page, part: str = "html") -> list[str]:
    found = Axe().run(page, context=part, options={"runOnly": ["wcag2a", "wcag2aa", "best-practice"]})
    return [
        f"{rule['id']}: {json.dumps([node['target'] for node in rule['nodes']][:3])}"
        for rule in found.response["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]


def distance_to_end(page: Page) -> float:
    return float(
        page.locator(".chat-scroll").evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight")
    )


def test_two_people_talk_and_one_is_muted_and_reads_why(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    cast = scene.cast
    alice, bob, moderator = (settle(one) for one in (cast.alice, cast.bob, cast.moderator))
    hall = channels.global_channel()
    fill_up(hall, [settle(cast.carol), settle(cast.mallory), settle(cast.operator)], 70)
    one, two = visit(alice), visit(bob, viewport=PHONE)
    for seen in (one, two):
        assert seen.go(web.path("/chat")) == 200
        expect(seen.page.locator(".chat-line").last).to_contain_text("line number 69")
        assert distance_to_end(seen.page) < 5
    # they talk, with answers, mentions and links that lead out safely
    one.page.get_by_label("Message to").press_sequentially("hello @bob, see https://example.com/chart")
    expect(two.page.get_by_text("alice is writing…")).to_be_visible()
    one.page.keyboard.press("Enter")
    line = two.page.locator(".chat-line").last
    expect(line).to_contain_text("hello @bob")
    expect(line).to_have_class("chat-line chat-text chat-to-me")
    assert line.get_by_role("link", name="https://example.com/chart").get_attribute("rel") == "noopener nofollow ugc"
    line.get_by_role("button").click()
    two.page.get_by_role("button", name="Answer").click()
    write(two.page, "hello alice <b>bold</b>")
    answer = one.page.locator(".chat-line").filter(has_text="hello alice")
    expect(answer).to_contain_text("hello alice <b>bold</b>")
    expect(answer.locator(".chat-quote")).to_contain_text("hello @bob")
    # one reads back, over the first page, and is not torn away
    scroll = two.page.locator(".chat-scroll")
    scroll.evaluate("node => { node.scrollTop = 0; }")
    expect(two.page.locator(".chat-line").first).to_contain_text("line number 0 ")
    scroll.evaluate("node => { node.scrollTop = 300; }")
    before = two.page.locator(".chat-scroll").evaluate("node => node.scrollTop")
    write(one.page, "something new")
    expect(two.page.get_by_role("button", name="1 new")).to_be_visible()
    assert two.page.locator(".chat-scroll").evaluate("node => node.scrollTop") == before
    two.page.get_by_role("button", name="1 new").click()
    expect(two.page.locator(".chat-line").last).to_contain_text("something new")
    assert distance_to_end(two.page) < 5
    # a refusal names the rule and the wait, and the words are not lost
    write(one.page, "something  NEW")
    expect(one.page.get_by_role("alert").filter(has_text="You have just said this")).to_be_visible()
    assert one.page.get_by_label("Message to").input_value() == "something  NEW"
    # a deleted message is gone everywhere, from what quotes it too
    message_delete(moderator, hall.pk, Message.objects.get(text__startswith="hello @bob").pk, reason="link")
    expect(one.page.locator(".chat-line").filter(has_text="This message was deleted.")).to_have_count(1)
    expect(answer.locator(".chat-quote")).to_contain_text("a deleted message")
    assert "example.com/chart" not in two.page.locator(".chat-list").inner_text()
    # bob is muted while he writes, reads why, and appeals
    sanction_impose(moderator, bob.pk, "mute", channel_id=None, reason="Too loud.", preset="1h")
    told = two.page.get_by_role("alert").filter(has_text="You are muted")
    expect(told).to_contain_text("in every chat")
    expect(told).to_contain_text("Decided by mona: Too loud.")
    expect(two.page.get_by_label("Message to")).to_be_hidden()
    told.get_by_role("link").click()
    two.page.get_by_text("Appeal", exact=True).click()
    two.page.get_by_label("Why is this decision wrong?").fill("I was not.")
    two.page.get_by_role("button", name="Send the appeal").click()
    expect(two.page.locator(".decision")).to_contain_text("with the moderators")
    assert Case.objects.get(kind="appeal").appeal.text == "I was not."
    assert not serious(two.page)
    # the refusal that was wanted, and what a page leaves unfinished when one goes on to the next
    assert not [fault for fault in one.faults + two.faults if "429" not in fault and "ERR_ABORTED" not in fault]


def test_a_moderator_clears_a_report_in_two_clicks(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    cast = scene.cast
    alice, bob = settle(cast.alice), settle(cast.bob)
    hall = channels.global_channel()
    say(alice, hall, "good morning")
    bad = say(bob, hall, "an insult")
    say(alice, hall, "that was not nice")
    reader = visit(alice)
    reader.go(web.path("/chat"))
    reader.page.locator(".chat-line").filter(has_text="an insult").get_by_role("button").click()
    reader.page.get_by_role("button", name="Report").click()
    reader.page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(reader.page.get_by_text("The moderators will look at it.")).to_be_visible()
    queue.message_report(settle(cast.carol), hall.pk, bad.pk, reason="abuse")
    desk = visit(cast.moderator)
    desk.go(web.path("/moderation"))
    case = desk.page.locator(".case")
    expect(case).to_have_count(1)
    for words in ("good morning", "an insult", "that was not nice", "carol"):
        expect(case).to_contain_text(words)
    desk.page.get_by_text("Sanction…").click()
    desk.page.get_by_role("button", name="Mute").click()
    expect(desk.page.get_by_text("Decided: sanctioned (bob).")).to_be_visible()
    expect(desk.page.get_by_text("Nothing waits.")).to_be_visible()
    expect(reader.page.locator(".chat-line").filter(has_text="This message was deleted.")).to_be_visible()
    assert not [fault for fault in desk.faults + reader.faults if "ERR_ABORTED" not in fault]


@pytest.mark.parametrize(("theme", "viewport"), [("dark", WIDE), ("light", PHONE)])
def test_the_panel_and_the_pages_are_open_to_everybody(
    scene: Scene, web: Web, visit: Callable[..., Visit], theme: str, viewport: dict[str, int]
) -> None:
    cast = scene.cast
    arena = channels.competition_channel(scene.running)
    say(settle(cast.alice), arena, "my stop is at 1.0820")
    queue.message_report(settle(cast.bob), arena.pk, say(cast.alice, arena, "a second line").pk, reason="spam")
    watcher = visit(cast.carol, theme=theme, viewport=viewport)
    watcher.go(web.path(f"/arena/{scene.running.slug}"))
    if viewport is PHONE:
        watcher.page.get_by_role("button", name="Chat").click()
    panel = watcher.page.locator("chat-panel")
    expect(panel).to_contain_text("my stop is at 1.0820")
    write(watcher.page, "good luck alice")
    expect(panel.locator(".chat-line").last).to_contain_text("good luck alice")
    assert not serious(watcher.page, "chat-panel")
    moderator = visit(cast.moderator, theme=theme, viewport=viewport)
    pages = [(watcher, "/chat"), (watcher, "/chat/with/alice"), (watcher, "/chat/standing")]
    pages += [(moderator, "/moderation"), (moderator, "/moderation/rooms"), (moderator, "/moderation/people/alice")]
    for seen, path in pages:
        assert seen.go(web.path(path)) == 200
        assert not serious(seen.page), path
        width = seen.page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], (path, width)
    assert watcher.go(web.path("/moderation")) == 404
    stranger = visit(None, theme=theme, viewport=viewport, scripts=False)
    stranger.go(web.path("/chat"))
    expect(stranger.page.get_by_role("link", name="Sign in").last).to_be_visible()
    assert not [
        fault for fault in watcher.faults + moderator.faults if "404" not in fault and "ERR_ABORTED" not in fault
    ]
