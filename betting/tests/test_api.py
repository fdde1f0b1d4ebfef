"""The REST paths of bets, held against their description, and the records that they show."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from arena.services.listings import listing_change
from betting.selectors.records import bettor_record, trader_record
from betting.services.settlement import settle_what_is_due
from betting.tests.stage import FUNDS, Stage, set_up
from tradingarena.tests.callers import anonymous, by_token, problem_of
from tradingarena.tests.described import check
from tradingarena.tests.fresh import fresh_redis

pytestmark = pytest.mark.django_db(transaction=True)
BETS, ONE = "/api/betting/bets", "/api/betting/bets/{bet_id}"
MARKETS, RECEIPT = "/api/betting/markets/{competition_id}", "/api/betting/settlements/{market_id}"
RULES = Path(__file__).parents[2] / "docs/rules/bet-behind.md"


@pytest.fixture
def stage() -> Stage:
    fresh_redis()
    return set_up()


def body(stage: Stage, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "market_id": str(stage.market().pk),
        "outcome": "positive",
        "stake_tokens": 100,
    } | fields


def test_from_the_first_look_to_the_receipt(stage: Stage) -> None:
    ben, bea, stranger = by_token(stage.bettors["ben"]), by_token(stage.bettors["bea"], "read", "bet"), anonymous()
    path = f"/api/betting/markets/{stage.contest.pk}"
    seen = check(stranger, "get", MARKETS, path).json()
    assert [one["code"] for one in seen["reasons"]] == ["not_signed_in"]
    assert (seen["balance_tokens"], seen["min_stake_tokens"], seen["max_stake_tokens"]) == (None, 10, 1_000)
    assert [line["outcomes"][0]["outcome"] for line in seen["markets"][0]["lines"]] == [
        "positive", "beat_2_pct", "beat_5_pct", "beat_10_pct",
    ]  # fmt: skip
    sent = body(stage)
    placed = check(ben, "post", BETS, body=sent)
    assert placed.status_code == 201
    again = check(ben, "post", BETS, body=sent)
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, placed.json(), "true")
    check(bea, "post", BETS, body=body(stage, outcome="negative", stake_tokens=300))
    own = check(ben, "get", MARKETS, path).json()
    assert (own["reasons"], own["balance_tokens"]) == ([], FUNDS - 100)
    assert own["markets"][0]["own"][0]["possible_pay_tokens"] == 380
    sign = own["markets"][0]["lines"][0]["outcomes"]
    assert [(one["stakes_tokens"], one["share_bps"], one["price_milli"]) for one in sign] == [
        (100, 2_500, 3_800), (300, 7_500, 1_266),
    ]  # fmt: skip
    listed = check(ben, "get", BETS, f"{BETS}?status=open").json()["results"]
    assert [(one["id"], one["status"], one["net_tokens"]) for one in listed] == [(sent["id"], "open", None)]
    one = check(ben, "get", ONE, f"{BETS}/{sent['id']}").json()
    assert one["possible_pay_tokens"] == 380
    problem_of(bea.get(f"{BETS}/{sent['id']}"), 404, "not_found")
    history = check(
        stranger, "get", "/api/betting/history/{competition_id}", f"/api/betting/history/{stage.contest.pk}"
    )
    assert [point[1:] for point in history.json()["lines"][0]["points"]] == [[100, 0], [100, 300]]
    receipt = f"/api/betting/settlements/{stage.market().pk}"
    problem_of(ben.get(receipt), 409, "not_settled")
    stage.end(tara=10_300_000)
    settle_what_is_due()
    told = check(stranger, "get", RECEIPT, receipt).json()
    assert (told["staked_tokens"], told["paid_tokens"], told["rake_tokens"]) == (400, 380, 20)
    assert {one["bet_id"] for one in told["lines"][0]["bets"]} == {None}
    mine = check(ben, "get", RECEIPT, receipt).json()["lines"][0]["bets"][0]
    assert (mine["own"], mine["bet_id"], mine["pay_tokens"]) == (True, sent["id"], 380)
    assert str(stage.bettors["ben"].pk) not in str(told)
    settled = check(ben, "get", BETS, f"{BETS}?status=settled").json()["results"]
    assert [(one["status"], one["net_tokens"]) for one in settled] == [("won", 280)]
    record = check(ben, "get", "/api/betting/record").json()
    assert (record["won"], record["net_tokens"], record["hit_rate_bps"]) == (1, 280, 10_000)
    trader = check(stranger, "get", "/api/betting/traders/{username}", "/api/betting/traders/tara").json()
    assert (trader["settled"], trader["backers"], trader["results"][0]["return_bps"]) == (1, 2, 300)
    assert trader["lines"][0] == {"threshold_bps": 0, "above": 1, "below": 0}


def test_refusals_say_what_they_are(stage: Stage) -> None:
    ben = by_token(stage.bettors["ben"])
    problem_of(anonymous().post(BETS, body(stage), format="json"), 401, "not_signed_in")
    reader = by_token(stage.bettors["ben"], "read", "trade")
    problem_of(reader.post(BETS, body(stage), format="json"), 403, "scope_missing")
    for fields, status, code in (
        ({"stake_tokens": 9}, 422, "stake_too_small"),
        ({"stake_tokens": 1_001}, 422, "stake_too_large"),
        ({"outcome": "beat_7_pct"}, 422, "outcome_unknown"),
        ({"market_id": str(uuid4())}, 404, "not_found"),
        ({"least_pay_tokens": 101}, 409, "odds_changed"),
    ):
        check(ben, "post", BETS, body=body(stage, **fields))
        problem_of(ben.post(BETS, body(stage, **fields), format="json"), status, code)
    stage.lock_in(-1)
    problem_of(ben.post(BETS, body(stage), format="json"), 409, "market_locked")


def test_a_private_contest_shows_its_markets_to_nobody_outside(stage: Stage) -> None:
    listing_change(stage.operator, stage.listing.pk, mode="private")
    ben = by_token(stage.bettors["ben"])
    problem_of(ben.get(f"/api/betting/markets/{stage.contest.pk}"), 403, "invitation_needed")
    problem_of(ben.get(f"/api/betting/settlements/{stage.market().pk}"), 403, "invitation_needed")
    problem_of(ben.post(BETS, body(stage), format="json"), 403, "invitation_needed")


def _records() -> list[list[str]]:
    section = RULES.read_text(encoding="utf-8").split("\n## Records\n")[1].split("\n## ")[0]
    table = next(block for block in section.split("\n\n") if block.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("row", _records(), ids=" / ".join)
def test_a_bettors_record_is_what_the_rules_say(row: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    for text in row[0].split(", "):
        stake, pay = map(int, re.findall(r"\d+", text))
        judged.append((None if "refunded" in text else pay > stake, stake, pay, 5_000))
    monkeypatch.setattr("betting.selectors.records._judged", lambda user_id: judged)
    with transaction.atomic():
        record = bettor_record(uuid4())
    wanted = [int(re.sub(r"[^0-9−]", "", cell).replace("−", "-")) for cell in row[1:]]
    assert [record["hit_rate_bps"], record["return_bps"]] == wanted


def test_records_and_calibration_come_from_the_rows(stage: Stage) -> None:
    stage.bet("ben", "positive", 100)
    stage.bet("bea", "negative", 300)
    stage.bet("ben", "beat_10_pct", 10)
    stage.end(tara=9_000_000)
    settle_what_is_due()
    ben, bea = bettor_record(stage.bettors["ben"].pk), bettor_record(stage.bettors["bea"].pk)
    assert (ben["lost"], ben["refunded"], ben["net_tokens"], ben["hit_rate_bps"]) == (1, 1, -100, 0)
    assert (bea["won"], bea["net_tokens"], bea["return_bps"]) == (1, 80, 2_666)
    assert bea["calibration"] == [
        {"from_bps": 6_000, "to_bps": 8_000, "bets": 1, "expected_bps": 7_500, "hit_bps": 10_000}
    ]
    record = trader_record(stage.traders["tara"].user_id)
    assert (record["staked_tokens"], record["backers"]) == (410, 2)
