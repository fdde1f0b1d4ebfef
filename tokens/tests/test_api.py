"""REST of tokens: what each path answers, to whom, and that it is what the schema says."""

import pytest

from accounts.models import User
from tokens.models import TokenPackage
from tokens.tests.ledger.book import give, pay
from tradingarena.tests.callers import anonymous, by_session, by_token, problem_of
from tradingarena.tests.described import check

pytestmark = pytest.mark.django_db
BASE = "/api/tokens"


def test_an_empty_wallet_is_a_wallet(ann: User) -> None:
    found = check(by_token(ann), "get", f"{BASE}/wallet").json()
    assert (found["balance_tokens"], found["debt_tokens"], found["frozen"]) == (0, 0, False)
    assert check(by_token(ann), "get", f"{BASE}/history").json()["results"] == []


def test_a_wallet_tells_what_its_owner_has_and_did(ann: User, ben: User) -> None:
    give(ann.pk, 100)
    pay(ann.pk, 30)
    give(ben.pk, 7)
    found = check(by_session(ann), "get", f"{BASE}/wallet").json()
    assert (found["balance_tokens"], found["lifetime_earned_tokens"], found["lifetime_spent_tokens"]) == (70, 100, 30)
    assert found["spent_today_tokens"] == 30
    lines = check(by_token(ann), "get", f"{BASE}/history").json()["results"]
    assert [(line["number"], line["kind"], line["amount_tokens"]) for line in lines] == [
        (2, "bet", -30),
        (1, "reward", 100),
    ]
    assert [line["balance_after_tokens"] for line in lines] == [70, 100]


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ("way=in", [3, 1]),
        ("way=out", [2]),
        ("kind=bet", [2]),
        ("kind=purchase", []),
        ("from=2020-01-01T00:00:00Z", [3, 2, 1]),
        ("to=2020-01-01T00:00:00Z", []),
    ],
)
def test_a_statement_is_filtered(ann: User, asked: str, numbers: list[int]) -> None:
    give(ann.pk, 100)
    pay(ann.pk, 30)
    give(ann.pk, 1)
    answer = check(by_token(ann), "get", f"{BASE}/history", f"{BASE}/history?{asked}")
    assert [line["number"] for line in answer.json()["results"]] == numbers


def test_a_statement_is_read_whole_by_cursor_and_stays_put_while_more_is_written(ann: User) -> None:
    for amount in range(1, 13):
        give(ann.pk, amount)
    client, address, found = by_token(ann), f"{BASE}/history?limit=5", []
    while address:
        page = check(client, "get", f"{BASE}/history", address).json()
        found += [line["number"] for line in page["results"]]
        give(ann.pk, 1)
        address = page["next"] or ""
    assert found == list(range(12, 0, -1))


def test_what_is_sold_is_public_and_what_is_owned_is_not(package: TokenPackage) -> None:
    sold = check(anonymous(), "get", f"{BASE}/packages").json()
    assert sold["currency"] == "usd"
    assert package.slug in [one["slug"] for one in sold["packages"]]
    for path in ("wallet", "history", "payments"):
        problem_of(check(anonymous(), "get", f"{BASE}/{path}"), 401, "not_signed_in")
