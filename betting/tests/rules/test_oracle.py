"""Ten thousand random markets settled twice, by the rules and by an oracle that shares nothing with them; and what always holds."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from betting.rules.lines import Side
from betting.rules.odds import Pool, Pools, pay_if_right, pay_of_own, price_milli
from betting.rules.parimutuel import Stake, settle_line
from betting.rules.plans import Decided, plan_line
from betting.rules.verdicts import TraderResult, refund_reason
from betting.rules.weights import locks_at, weight_bps
from betting.tests.rules.oracle import Told, outcome
from betting.tests.rules.worlds import random_market

LOCK = datetime(2026, 3, 2, 12, tzinfo=UTC)


def result_of(told: Told) -> TraderResult:
    """Say how a told market's trader ended."""
    out_at = {"": None, "before": LOCK - timedelta(microseconds=1), "after": LOCK, "operator": LOCK}[told.out]
    return TraderResult(
        cancelled=told.contest_cancelled,
        withdrawn=told.withdrew,
        fills=told.fills,
        out_at=out_at,
        by_drawdown=told.out != "operator",
    )


def by_the_rules(told: Told) -> tuple[list[int], dict[Fraction, int], int, list[str]]:
    decided = Decided(refund_reason(result_of(told), LOCK), told.start_cents, told.final_cents)
    pays, rakes, refunded, reasons = [0] * len(told.bets), {}, 0, []
    for line in {bet[0] for bet in told.bets}:
        places = [place for place, bet in enumerate(told.bets) if bet[0] == line]
        stakes = [
            Stake(Side.ABOVE if told.bets[place][1] else Side.BELOW, told.bets[place][2], told.bets[place][3])
            for place in places
        ]
        plan, reason = plan_line(stakes, decided, threshold_bps=int(line * 100), rake_bps=int(told.rake * 10_000))
        for place, pay in zip(places, plan.pays, strict=True):
            pays[place] = pay
        rakes[line] = plan.rake_tokens
        refunded += plan.refunded_tokens
        reasons.append(str(reason or "counts"))
        assert plan.winning_tokens + plan.losing_tokens + plan.refunded_tokens == plan.total_tokens
    return pays, rakes, refunded, reasons


def test_the_oracle_agrees_on_ten_thousand_markets() -> None:
    chance = random.Random(20261127)
    seen: Counter[str] = Counter()
    for _ in range(10_000):
        told = random_market(chance, largest=10**9)
        expected = outcome(told)
        pays, rakes, refunded, reasons = by_the_rules(told)
        assert (pays, rakes, refunded) == (expected.pays, expected.rakes, expected.refunded), told
        assert sum(pays) + sum(rakes.values()) == sum(bet[2] for bet in told.bets)
        seen.update(reasons or ["no bet"])
    kinds = {"counts", "cancelled", "withdrawn", "disqualified", "no_fills", "one_sided", "on_the_line", "no bet"}
    assert set(seen) == kinds
    assert min(seen.values()) > 100


stakes = st.lists(
    st.builds(Stake, st.sampled_from(Side), st.integers(1, 10**12), st.integers(5_000, 10_000)), min_size=1, max_size=60
)


@given(stakes, st.sampled_from(Side), st.integers(0, 10_000))
def test_nothing_is_lost_and_a_right_answer_never_loses(many: list[Stake], right: Side, rake_bps: int) -> None:
    plan = settle_line(many, right, rake_bps=rake_bps)
    assert sum(plan.pays) + plan.rake_tokens == plan.total_tokens == sum(one.stake_tokens for one in many)
    for one, pay in zip(many, plan.pays, strict=True):
        assert pay >= one.stake_tokens if one.side == right or plan.right is None else pay == 0
    if plan.right is None:
        assert plan.rake_tokens == 0


@given(stakes, st.sampled_from(Side), st.integers(0, 10_000))
def test_equal_weights_share_as_a_plain_totalisator_does(many: list[Stake], right: Side, rake_bps: int) -> None:
    plan = settle_line([Stake(one.side, one.stake_tokens, 10_000) for one in many], right, rake_bps=rake_bps)
    if plan.right is None or plan.rake_tokens < plan.total_tokens * rake_bps // 10_000:
        return
    for one, pay in zip(many, plan.pays, strict=True):
        if one.side == right:
            exact = Fraction(one.stake_tokens * (plan.total_tokens - plan.rake_tokens), plan.winning_tokens)
            assert abs(pay - exact) < 1


def pools_of(many: list[Stake]) -> Pools:
    sides = []
    for side in (Side.ABOVE, Side.BELOW):
        own = [one for one in many if one.side == side]
        total = sum(one.stake_tokens for one in own)
        sides.append(Pool(total, sum(one.stake_tokens * one.weight_bps for one in own), len(own)))
    return Pools(*sides)


@given(stakes, st.sampled_from(Side), st.integers(1, 10**6), st.integers(5_000, 10_000), st.integers(0, 10_000))
def test_the_estimate_is_what_is_paid_if_nobody_bets_any_more(
    many: list[Stake], side: Side, stake: int, weight: int, rake_bps: int
) -> None:
    shown = pay_if_right(pools_of(many), side, stake, weight_bps=weight, rake_bps=rake_bps)
    mine = Stake(side, stake, weight)
    paid = settle_line([*many, mine], side, rake_bps=rake_bps).pays[-1]
    assert shown <= paid <= shown + 1
    assert shown >= stake
    assert shown == pay_of_own(pools_of([*many, mine]), side, stake, weight_bps=weight, rake_bps=rake_bps)
    price = price_milli(pools_of(many), side, weight_bps=weight, rake_bps=rake_bps)
    assert price is None or price * stake >= (shown - 1) * 1_000 - stake


@given(st.integers(1, 30 * 86_400), st.integers(0, 5_000), st.integers(-(10**6), 10**9))
def test_a_weight_falls_evenly_and_stays_in_its_bounds(length_s: int, lock_bps: int, after_ms: int) -> None:
    lock = locks_at(LOCK, LOCK + timedelta(seconds=length_s), lock_bps)
    assert LOCK <= lock <= LOCK + min(timedelta(seconds=length_s) / 2, timedelta(hours=24))
    moment = LOCK + timedelta(milliseconds=after_ms)
    weight = weight_bps(moment, LOCK, lock)
    assert 5_000 <= weight <= 10_000
    assert weight >= weight_bps(moment + timedelta(milliseconds=1), LOCK, lock)
    if moment <= LOCK:
        assert weight == 10_000
    elif moment >= lock > LOCK:
        assert weight == 5_000
