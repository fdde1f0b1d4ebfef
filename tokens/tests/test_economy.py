"""What people are given and who leads: docs/rules/economy.md. Races are in `test_economy_races.py`."""

import random
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test import RequestFactory
from django.utils import timezone

from accounts import policy
from accounts.models import User
from accounts.services import people, sightings
from tokens import invariants, ledger
from tokens.ledger import House, Kind, escrow, house, wallet
from tokens.models import BoardRow, DailyBonus, Payment, Referral
from tokens.rules.economy import Period, bonus_tokens, next_streak, shared_places, starts_on
from tokens.selectors import boards as read
from tokens.selectors.bonus import bonus_of
from tokens.services import boards, referrals
from tokens.services.boards import Gain
from tokens.services.bonus import BonusTaken, bonus_claim
from tokens.tests.ledger.book import balance, give
from tradingarena.core.invariants import run
from tradingarena.tests.callers import anonymous, by_token, problem_of
from tradingarena.tests.described import check
from tradingarena.tests.tables import rows_of

pytestmark = pytest.mark.django_db
RULES = "docs/rules/economy.md"


def broken() -> list[str]:
    return [found.check.name for found in map(run, invariants.CHECKS) if found.violations]


def backdate(bonus: DailyBonus, days: int) -> None:
    DailyBonus.objects.filter(pk=bonus.pk).update(day=bonus.day - timedelta(days=days))


# -- the daily bonus ----------------------------------------------------------------------------------------------------


def test_a_days_worth_is_that_of_the_rules() -> None:
    table = rows_of(RULES, "Daily bonus")
    assert len(table) == 7
    for day, tokens in table:
        assert bonus_tokens(int(day), step_tokens=5, most_tokens=25) == int(tokens)


def test_a_streak_goes_on_from_yesterday_and_begins_again_after_a_missed_day() -> None:
    today = date(2028, 3, 1)
    assert next_streak(None, 0, today) == 1
    assert next_streak(date(2028, 2, 29), 6, today) == 7
    assert next_streak(date(2028, 2, 28), 6, today) == 1


def test_a_bonus_is_given_once_a_day_and_grows(ann: User) -> None:
    first = bonus_claim(ann)
    assert (first.streak, first.tokens, balance(ann.pk)) == (1, 5, 5)
    with pytest.raises(BonusTaken) as refusal:
        bonus_claim(ann)
    assert refusal.value.data["next_at"][11:19] == "00:00:00"
    seen = bonus_of(ann.pk)
    assert (seen.claimable, seen.streak, seen.tokens, seen.steps) == (False, 1, 10, (5, 10, 15, 20, 25))
    assert broken() == []
    backdate(first, 1)
    assert bonus_of(ann.pk).claimable
    second = bonus_claim(ann)
    assert (second.streak, second.tokens) == (2, 10)


def test_a_bonus_is_for_people_with_a_confirmed_address(db: Any) -> None:
    eve = people.person_add("eve@example.com", "eve")
    with pytest.raises(policy.EmailUnconfirmed):
        bonus_claim(eve)


def test_a_bonus_over_rest_is_one_for_one_key(ann: User) -> None:
    client, path = by_token(ann), "/api/tokens/daily-bonus"
    assert check(client, "get", path).json()["claimable"] is True
    problem_of(check(client, "post", path), 400, "idempotency_key_required")
    given = check(client, "post", path, **{"Idempotency-Key": "a"})
    assert (given.status_code, given.json()["tokens"], given.json()["balance_tokens"]) == (201, 5, 5)
    assert check(client, "post", path, **{"Idempotency-Key": "a"}).json() == given.json()
    problem_of(check(client, "post", path, **{"Idempotency-Key": "b"}), 409, "bonus_taken")
    problem_of(check(by_token(ann, "read"), "post", path, **{"Idempotency-Key": "c"}), 403, "scope_missing")
    problem_of(check(anonymous(), "get", path), 401, "not_signed_in")
    assert balance(ann.pk) == 5


# -- referrals ----------------------------------------------------------------------------------------------------------


def brought(referrer: User, referee: User) -> Referral:
    made = referrals.referral_note(referee, referrals.referral_code(referrer))
    assert made is not None
    return made


def play(user: User, settled_bets: int) -> None:
    day = timezone.now().date()
    boards.gains_add("bettors", uuid4(), day, [Gain(user.pk, -5, settled_bets, 0)])


def seen_from(user: User, *, device: str = "", address: str = "") -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=address or "unix")
    request.COOKIES[sightings.COOKIE] = device or uuid4().hex
    sightings.person_seen(request, user)


def test_both_are_rewarded_once_when_the_friend_has_ten_settled_bets(ann: User, ben: User) -> None:
    made = brought(ann, ben)
    play(ben, 9)
    assert referrals.decide_due() == 0
    play(ben, 1)
    assert referrals.decide_due() == 1
    assert referrals.decide_due() == 0
    assert referrals.referral_decide(made.pk) is False
    assert (balance(ann.pk), balance(ben.pk)) == (100, 100)
    assert broken() == []


def test_a_completed_contest_is_enough(ann: User, ben: User) -> None:
    brought(ann, ben)
    boards.gains_add("traders", uuid4(), timezone.now().date(), [Gain(ben.pk, 0, 1, 0)])
    assert referrals.decide_due() == 1
    assert balance(ann.pk) == 100


@pytest.mark.parametrize("reason", ["same_device", "same_address", "same_card", "disabled", "too_late"])
def test_nobody_is_rewarded_for_a_second_account_of_their_own(ann: User, ben: User, reason: str) -> None:
    made = brought(ann, ben)
    seen_from(ann, device="a" * 32, address="192.0.2.7")
    seen_from(ben, device="b" * 32, address="198.51.100.9")
    if reason == "same_device":
        seen_from(ben, device="a" * 32)
    elif reason == "same_address":
        seen_from(ben, address="192.0.2.7")
    elif reason == "same_card":
        for user in (ann, ben):
            Payment.objects.create(user=user, purpose="tokens", reference_id="x", description="x", amount_cents=100,
                                   site_url="https://x", card_fingerprint="card")  # fmt: skip
    elif reason == "disabled":
        User.objects.filter(pk=ann.pk).update(is_active=False)
    else:
        Referral.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=91))
    play(ben, 10)
    assert referrals.decide_due() == 1
    made.refresh_from_db()
    assert (made.status, made.reason, balance(ann.pk), balance(ben.pk)) == ("refused", reason, 0, 0)
    assert referrals.decide_due() == 0


def test_an_ipv6_household_is_one_address(ann: User, ben: User) -> None:
    brought(ann, ben)
    seen_from(ann, address="2001:db8:1:2::5")
    seen_from(ben, address="2001:db8:1:2:ffff::9")
    play(ben, 10)
    referrals.decide_due()
    assert Referral.objects.get().reason == "same_address"


def test_a_person_is_brought_once_and_by_another(ann: User, ben: User, olga: User) -> None:
    assert referrals.referral_note(ann, referrals.referral_code(ann)) is None
    assert referrals.referral_note(ann, "nobodys") is None
    brought(ann, ben)
    assert referrals.referral_note(ben, referrals.referral_code(olga)) == Referral.objects.get()
    assert Referral.objects.get().referrer == ann


def test_referrals_over_rest_tell_the_link_and_who_came(ann: User, ben: User) -> None:
    link = check(by_token(ann), "get", "/api/tokens/referral").json()
    assert link["url"].endswith(f"/r/{link['code']}")
    brought(ann, ben)
    rows = check(by_token(ann), "get", "/api/tokens/referrals").json()["results"]
    assert [(row["username"], row["status"], row["tokens"]) for row in rows] == [("ben", "waiting", 0)]
    assert check(by_token(ann), "get", "/api/tokens/referral").json()["waiting"] == 1
    assert check(by_token(ben), "get", "/api/tokens/referrals").json()["results"] == []


# -- leaderboards -------------------------------------------------------------------------------------------------------


def moves(rng: random.Random, crowd: list[UUID], count: int) -> None:
    """Let a crowd receive, stake, win, and be given back at random."""
    stakes: list[tuple[UUID, int, UUID]] = []
    for _ in range(count):
        user, amount = rng.choice(crowd), rng.randint(1, 50)
        way = rng.choice(["reward", "purchase", "bet", "bet", "pvp_stake", "refund", "payout", "pass", "adjustment"])
        with transaction.atomic():
            if way in {"reward", "purchase", "adjustment", "payout"}:
                ledger.move(Kind(way), uuid4(), amount, source=house(House.ISSUANCE), target=wallet(user), reason="In")
            elif way == "refund":
                if not stakes:
                    continue
                user, amount, pot = stakes.pop(rng.randrange(len(stakes)))
                ledger.move(Kind.REFUND, uuid4(), amount, source=escrow(pot, "p"), target=wallet(user), reason="Back",
                            reference=(rng.choice(["market", "challenge", "competition"]), pot))  # fmt: skip
            elif balance(user) >= amount:
                pot, kind = uuid4(), {"pass": Kind.SPECTATOR_PASS}.get(way) or Kind(way)
                ledger.move(kind, uuid4(), amount, source=wallet(user), target=escrow(pot, "p"), reason="Out")
                stakes.append((user, amount, pot))


def recount(crowd: list[UUID]) -> dict[tuple[Any, ...], tuple[int, int]]:
    """Count the boards again in Python, from the ledger's rows alone."""
    found: dict[tuple[Any, ...], tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.owner_id, l.amount_tokens, t.kind, t.reference_type, t.created_at FROM tokens_leg l"
            " JOIN tokens_account a ON a.id = l.account_id JOIN tokens_transfer t ON t.id = l.transfer_id WHERE a.kind = 'wallet'"
        )
        rows = cursor.fetchall()
    for user, amount, kind, reference, at in rows:
        if amount > 0 and kind in {"reward", "payout", "chat_tip"}:
            board, score, items = "earned", amount, 1
        elif amount < 0 and kind in {"bet", "pvp_stake"}:
            board, score, items = "wagered", -amount, 1
        elif amount > 0 and kind == "refund" and reference in {"market", "challenge"}:
            board, score, items = "wagered", -amount, -1
        else:
            continue
        for period in Period:
            key = (user, board, period.value, starts_on(period, at.astimezone(tz=None).date()))
            before = found.get(key, (0, 0))
            found[key] = (before[0] + score, before[1] + items)
    return found


def kept() -> dict[tuple[Any, ...], tuple[int, int]]:
    rows = BoardRow.objects.values_list("user", "board", "period", "starts_on", "score", "items")
    return {row[:4]: row[4:] for row in rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_boards_that_grew_step_by_step_are_what_a_recount_gives(monkeypatch: Any, seed: int) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(boards, "LEGS_A_STEP", 3)
    monkeypatch.setattr(boards, "WALLETS_A_STEP", 2)
    crowd = [people.person_add(f"p{n}@example.com", f"person{n}", confirmed=True).pk for n in range(5)]
    for _ in range(4):
        moves(rng, crowd, 30)
        boards.ledger_count()
        assert broken() == []
    assert kept() == recount(crowd)
    assert boards.ledger_count() == 0
    assert kept() == recount(crowd)


def test_a_board_that_does_not_say_what_the_ledger_says_is_found(ann: User) -> None:
    give(ann.pk, 7)
    boards.ledger_count()
    assert broken() == []
    BoardRow.objects.filter(period="all").update(score=8)
    assert broken() == ["boards", "board_periods"]


def test_a_line_counts_where_the_rules_say(ann: User) -> None:
    table = rows_of(RULES, "Which board")
    assert len(table) == 8
    for kind, way, reference, earned, wagered in table:
        before = {board: read.standing_of(board, ann.pk)[0] for board in ("earned", "wagered")}
        give(ann.pk, 10)
        boards.ledger_count()
        gift = read.standing_of("earned", ann.pk)[0] - before["earned"]
        assert gift == 10
        source, target = (wallet(ann.pk), house(House.SALES)) if way == "out" else (house(House.SALES), wallet(ann.pk))
        with transaction.atomic():
            ledger.move(Kind(kind), uuid4(), 10, source=source, target=target, reason="x", reference=(reference, 1))
        boards.ledger_count()
        after = {board: read.standing_of(board, ann.pk)[0] for board in ("earned", "wagered")}
        assert after["earned"] - before["earned"] - 10 == int(earned.replace("−", "-"))
        assert after["wagered"] - before["wagered"] == int(wagered.replace("−", "-"))


def test_a_page_of_a_board_has_shared_places_and_leaves_out_who_is_shut(
    ann: User, ben: User, olga: User, otto: User
) -> None:
    for user, score in ((ann, 50), (ben, 30), (olga, 30), (otto, 10)):
        give(user.pk, score)
    boards.ledger_count()
    page = read.board_page("earned", Period.DAY, viewer_id=otto.pk)
    assert [(line["place"], line["score"]) for line in page.lines] == [(1, 50), (2, 30), (2, 30), (4, 10)]
    assert page.own is not None
    assert (page.own["place"], page.total) == (4, 4)
    rest = read.board_page("earned", Period.ALL, place=3, limit=5)
    assert [(line["place"], line["score"]) for line in rest.lines] == [(2, 30), (4, 10)]
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert [line["place"] for line in read.board_page("earned", Period.WEEK).lines] == [1, 1, 3]
    assert shared_places([3, 3, 1], 5) == [5, 5, 7]


def test_a_board_over_rest_is_public_and_turns_by_place(ann: User, ben: User) -> None:
    path = "/api/tokens/leaderboard"
    assert check(anonymous(), "get", path).json()["results"] == []
    give(ann.pk, 50)
    give(ben.pk, 30)
    boards.ledger_count()
    first = check(by_token(ben), "get", path, f"{path}?period=week&limit=1").json()
    assert [line["username"] for line in first["results"]] == ["ann"]
    assert (first["own"]["place"], first["own"]["username"], first["total"], first["unit"]) == (2, "ben", 2, "tokens")
    second = check(anonymous(), "get", path, first["next"]).json()
    assert [line["username"] for line in second["results"]] == ["ben"]
    assert second["own"] is None
    assert check(anonymous(), "get", path, f"{path}?board=traders&period=month").json()["unit"] == "points"
    problem_of(check(anonymous(), "get", path, f"{path}?board=liars"), 400, "invalid")


def test_a_cause_is_counted_once(ann: User) -> None:
    cause, day = uuid4(), datetime(2026, 11, 30).date()
    assert boards.gains_add("traders", cause, day, [Gain(ann.pk, 3, 1, 1)])
    assert not boards.gains_add("traders", cause, day, [Gain(ann.pk, 3, 1, 1)])
    assert boards.uncounted([cause]) == []
    rows = BoardRow.objects.filter(user=ann).values_list("period", "starts_on", "score", "items", "wins")
    assert sorted(rows) == [
        ("all", date(1970, 1, 1), 3, 1, 1), ("day", day, 3, 1, 1), ("month", date(2026, 11, 1), 3, 1, 1), ("week", day, 3, 1, 1),
    ]  # fmt: skip
