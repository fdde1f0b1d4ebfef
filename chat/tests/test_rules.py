"""What may be said and how often, with the numbers of docs/rules/chat.md."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules import authority, language, pace, text
from chat.rules.authority import Rank
from chat.rules.language import Severity, judge

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)


def lines(name: str) -> list[str]:
    """Read a list; \\u escapes stand for what cannot be seen."""
    rows = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), row) for row in rows if row]


def test_of_two_hundred_evasions_nine_in_ten_are_caught() -> None:
    evasions = lines("evasions.txt")
    assert len(set(evasions)) == 200
    missed = [one for one in evasions if judge(one).severity < Severity.MASK]
    assert len(missed) <= 20, missed


def test_of_five_hundred_harmless_messages_one_in_a_hundred_is_refused_at_most() -> None:
    harmless = set(lines("harmless.txt"))
    assert len(harmless) >= 500
    touched = [one for one in harmless if judge(one).severity >= Severity.MASK]
    refused = [one for one in harmless if judge(one).severity == Severity.BLOCK]
    assert len(refused) <= len(harmless) // 100, refused
    assert len(touched) <= len(harmless) // 50, touched


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("what a shit fill", "what a s*** fill"),
        ("F.U.C.K this", "F****** this"),
        ("f u c k it", "f * * * it"),
        ("fuсk", "f***"),
        ("buy 1.0850", "buy 1.0850"),
        ("Scunthorpe", "Scunthorpe"),
    ],
)
def test_masked_words_keep_their_first_letter_and_their_place(said: str, read: str) -> None:
    assert judge(said).masked == read


@given(st.text(max_size=300))
def test_whatever_is_said_is_judged_and_masking_keeps_the_length(said: str) -> None:
    verdict = judge(said)
    assert len(verdict.masked) == len(said)
    assert verdict.severity == Severity.MASK or verdict.masked == said


def at(*ages_s: float, say: str = "x") -> list[pace.Said]:
    return [pace.Said(f"{say}{number}", NOW - timedelta(seconds=age)) for number, age in enumerate(ages_s)]


@pytest.mark.parametrize(
    ("ages_s", "wait_s"),
    [
        ([], 0),
        ([1, 2, 3, 4], 0),
        ([1, 2, 3, 4, 9], 1),  # the sixth within ten seconds: when the oldest of five is out
        ([1, 2, 3, 4, 5], 5),
        ([1, 2, 3, 4, 10], 0),
        ([11 + 2 * number for number in range(19)], 0),
        ([11 + 2 * number for number in range(20)], 11),  # the twenty-first within a minute
    ],
)
def test_five_in_ten_seconds_and_twenty_in_a_minute(ages_s: list[float], wait_s: int) -> None:
    assert pace.flood_wait_s(NOW, at(*ages_s)) == wait_s


@pytest.mark.parametrize(
    ("before", "now_said", "age_s", "wait_s"),
    [
        ("Go long!", "go  LONG", 10, 20),
        ("go long", "go long", 30, 0),
        ("go long", "go lonk", 10, 0),  # short ones are compared as they are
        ("sell the rally", "sell the rallyy", 10, 20),
        ("sell the rally", "sell the rolly", 10, 20),
        ("sell the rally", "sell the roly", 10, 0),
        ("👍", "👍", 5, 25),
        ("👍", "👎", 5, 0),
    ],
)
def test_the_same_within_thirty_seconds(before: str, now_said: str, age_s: int, wait_s: int) -> None:
    assert pace.repeat_wait_s(NOW, now_said, [pace.Said(before, NOW - timedelta(seconds=age_s))]) == wait_s


def test_three_refusals_within_a_minute_mute() -> None:
    ages = [NOW - timedelta(seconds=age) for age in (0, 30, 59)]
    assert pace.mutes_itself(NOW, ages)
    assert not pace.mutes_itself(NOW, [*ages[:2], NOW - timedelta(seconds=60)])


def test_links_are_found_also_when_they_hide() -> None:
    for one in (
        "https://a.example",
        "www.foo",
        "hxxp://x",
        "evil dot com",
        "evil(dot)com",
        "t.me/x",
        "ｅｖｉｌ.ｃｏｍ",
        "evil . com",
    ):
        assert text.has_link(one), one
    for one in ("EUR/USD at 1.0850.", "e.g. this", "1.10 to 1.20", "stop. It is over", "hello...what", "p.s. sell"):
        assert not text.has_link(one), one


def test_a_text_is_tidied() -> None:
    assert text.tidy("  a\n\tb\u202e c\u0000  ") == "a b c"
    assert text.tidy("e" + "\u0301" * 20).count("\u0301") <= 2
    assert not text.says_something("\u200b \u2060")
    assert text.mentioned("@Ann and @ann, mail@bob.example, @carol!") == ["ann", "carol"]


def test_what_a_newcomer_says_is_scored() -> None:
    new = text.Newcomer(timedelta(hours=1), 0)
    assert text.spam_score("Guaranteed profit, contact me on telegram", new) >= text.HELD_FROM
    assert text.spam_score("hello, first time here", new) < text.HELD_FROM
    known = text.Newcomer(timedelta(days=2), 10)
    assert text.spam_score("Guaranteed profit, contact me on telegram", known) == 0


@pytest.mark.parametrize(
    ("actor", "target", "everywhere", "may"),
    [
        (Rank.GUEST, Rank.GUEST, False, False),
        (Rank.HOST, Rank.GUEST, False, True),
        (Rank.HOST, Rank.GUEST, True, False),
        (Rank.HOST, Rank.MODERATOR, False, False),
        (Rank.MODERATOR, Rank.HOST, True, True),
        (Rank.MODERATOR, Rank.MODERATOR, False, False),
        (Rank.ADMIN, Rank.MODERATOR, True, True),
        (Rank.ADMIN, Rank.ADMIN, True, False),
    ],
)
def test_nobody_moderates_an_equal_or_a_higher_role(actor: Rank, target: Rank, everywhere: bool, may: bool) -> None:
    assert authority.may_moderate(actor, target, everywhere=everywhere) is may


def test_three_mutes_in_thirty_days_suggest_a_day() -> None:
    assert [authority.suggested(count) for count in (0, 2, 3)] == ["1h", "1h", "24h"]
    assert authority.until("7d", NOW) == NOW + timedelta(days=7)
    assert authority.until("permanent", NOW) is None


def test_known_words_are_remembered_within_bounds() -> None:
    assert language._of_word.cache_info().maxsize == language.KNOWN_WORDS
