"""What can be a username, and what looks like what: docs/rules/accounts.md#usernames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import names

LOOK_ALIKES = [
    ("alice", "ALICE"),
    ("alice", "a1ice"),
    ("alice", "aIice"),
    ("mike", "rnike"),
    ("bob", "b0b"),
    ("wow", "vvow"),
]
NAME = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=3, max_size=20)


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES)
def test_names_that_can_be_mistaken_have_one_skeleton(one: str, other: str) -> None:
    assert names.skeleton(one) == names.skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("alice", "alice2"), ("alice", "alicia"), ("bob", "bod"), ("n1ck", "nack")])
def test_names_that_differ_to_the_eye_have_different_skeletons(one: str, other: str) -> None:
    assert names.skeleton(one) != names.skeleton(other)


@pytest.mark.parametrize("text", ["аdmin", "ａｄｍｉｎ", "ad\u200bmin", "ádmin", "𝐚𝐝𝐦𝐢𝐧", "аdｍin"])
def test_letters_of_other_alphabets_do_not_disguise_a_name(text: str) -> None:
    assert names.skeleton(text) == names.skeleton("admin")


@given(NAME)
def test_a_change_of_case_alone_keeps_the_skeleton(name: str) -> None:
    assert names.skeleton(name) == names.skeleton(name.swapcase())


@given(NAME)
def test_a_skeleton_is_its_own_skeleton_and_fits_its_column(name: str) -> None:
    skeleton = names.skeleton(name)
    assert names.skeleton(skeleton) == skeleton
    assert len(skeleton) <= names.SKELETON_MAX_LENGTH


@pytest.mark.parametrize("name", ["abc", "a" * 20, "Zed_is-dead", "007", "_x_"])
def test_it_accepts_letters_digits_underscores_and_hyphens(name: str) -> None:
    names.check(name)


@pytest.mark.parametrize("name", ["", "ab", "a" * 21])
def test_it_refuses_names_that_are_too_short_or_too_long(name: str) -> None:
    with pytest.raises(names.NameProblem) as refusal:
        names.check(name)
    assert refusal.value.code == "username_length"


@pytest.mark.parametrize(
    "name", ["a b c", "zoë", "a.b.c", "имя", "abc\n", "abc\0", "a/b", "<b>", "---", "_-_", "abc\u200b"]
)
def test_it_refuses_other_characters_and_names_without_a_letter_or_digit(name: str) -> None:
    with pytest.raises(names.NameProblem) as refusal:
        names.check(name)
    assert refusal.value.code == "username_characters"


RESERVED = [
    "admin",
    "Adm1n",
    "ADRNIN",
    "moderator",
    "Staff",
    "support",
    "system",
    "trading-arena",
    "TradingArena",
    "Trad1ng_Arena",
]


@pytest.mark.parametrize("name", [*RESERVED, "support-team", "real_admin", "xadmin", "0fficial-arena", "null", "me_"])
def test_it_reserves_the_names_of_the_house_and_their_look_alikes(name: str) -> None:
    with pytest.raises(names.NameProblem) as refusal:
        names.check(name)
    assert refusal.value.code == "username_reserved"


@pytest.mark.parametrize("name", ["badminton", "arenaqueen", "modern-art", "trader7", "betty"])
def test_it_leaves_names_alone_that_merely_contain_such_letters(name: str) -> None:
    names.check(name)
