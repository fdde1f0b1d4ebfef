"""What must hold between markets, bets, settlements and the ledger. Run by `tradingarena/invariants.py`, on line.

Rules: docs/rules/bet-behind.md#settlement.
"""

from tradingarena.core.invariants import Check

STAKES = Check(
    "bet_stakes",
    "Σ stakes without a result = escrow, of every market",
    """
    SELECT market.id AS market_id, coalesce(staked.tokens, 0) AS staked_tokens, coalesce(held.tokens, 0) AS escrow_tokens
    FROM betting_market AS market
    LEFT JOIN (
        SELECT bet.market_id, sum(bet.stake_tokens) AS tokens FROM betting_bet AS bet
        LEFT JOIN betting_result AS result ON result.bet_id = bet.id WHERE result.bet_id IS NULL GROUP BY bet.market_id
    ) AS staked ON staked.market_id = market.id
    LEFT JOIN (
        SELECT account.owner_id, sum(leg.amount_tokens) AS tokens FROM tokens_account AS account
        JOIN tokens_leg AS leg ON leg.account_id = account.id
        WHERE account.kind = 'escrow' AND account.name = 'bets' GROUP BY account.owner_id
    ) AS held ON held.owner_id = market.id
    WHERE coalesce(staked.tokens, 0) <> coalesce(held.tokens, 0)
    """,
)

LINES = Check(
    "bet_lines",
    "payouts + rake + refunds = total = Σ stakes, of every settled line; each bet has one result, and a right one its stake at least",
    """
    SELECT line.id AS line_id, line.total_tokens, line.rake_tokens, line.bets,
        count(bet.id) AS bets_found, count(result.bet_id) AS results,
        coalesce(sum(bet.stake_tokens), 0) AS staked_tokens, coalesce(sum(result.pay_tokens), 0) AS paid_tokens
    FROM (SELECT line.id, s.id AS settlement_id, s.total_tokens, s.rake_tokens, s.bets, s.right_side
        FROM betting_settlement AS s JOIN betting_line AS line ON line.id = s.line_id) AS line
    LEFT JOIN betting_bet AS bet ON bet.line_id = line.id
    LEFT JOIN betting_result AS result ON result.bet_id = bet.id AND result.settlement_id = line.settlement_id
    GROUP BY line.id, line.total_tokens, line.rake_tokens, line.bets, line.right_side
    HAVING count(bet.id) <> line.bets OR count(result.bet_id) <> line.bets
        OR coalesce(sum(bet.stake_tokens), 0) <> line.total_tokens
        OR coalesce(sum(result.pay_tokens), 0) + line.rake_tokens <> line.total_tokens
        OR bool_or(CASE line.right_side WHEN '' THEN result.pay_tokens <> bet.stake_tokens
            WHEN bet.side THEN result.pay_tokens < bet.stake_tokens ELSE result.pay_tokens <> 0 END)
    """,
)

SETTLEMENTS = Check(
    "bet_settlements",
    "a market that is settled or void has a settlement of each line, another has none; every result has its bet and settlement",
    """
    SELECT market.id AS market_id, market.status, count(line.id) AS lines, count(s.id) AS settlements
    FROM betting_market AS market JOIN betting_line AS line ON line.market_id = market.id
    LEFT JOIN betting_settlement AS s ON s.line_id = line.id AND s.market_id = market.id
    GROUP BY market.id, market.status
    HAVING count(s.id) <> CASE WHEN market.status IN ('settled', 'void') THEN count(line.id) ELSE 0 END
    UNION ALL
    SELECT result.bet_id, 'result', 0, 0 FROM betting_result AS result
    LEFT JOIN betting_bet AS bet ON bet.id = result.bet_id
    LEFT JOIN betting_settlement AS s ON s.id = result.settlement_id AND s.line_id = bet.line_id
    WHERE s.id IS NULL
    """,
)

BETS = Check(
    "bets",
    "every bet was taken before the lock, in its line's market; what a person staked on a market is what left the wallet for it",
    """
    SELECT bet.id AS bet_id, bet.placed_at, market.locks_at, NULL::bigint AS staked_tokens, NULL::bigint AS paid_tokens
    FROM betting_bet AS bet JOIN betting_line AS line ON line.id = bet.line_id
    JOIN betting_market AS market ON market.id = line.market_id
    WHERE bet.placed_at >= market.locks_at OR bet.market_id <> line.market_id
    UNION ALL
    SELECT coalesce(staked.market_id, paid.market_id), NULL, NULL, staked.tokens, paid.tokens FROM (
        SELECT market_id, user_id, sum(stake_tokens) AS tokens FROM betting_bet GROUP BY market_id, user_id
    ) AS staked FULL JOIN (
        SELECT whole.reference_id::uuid AS market_id, account.owner_id AS user_id, -sum(leg.amount_tokens) AS tokens
        FROM tokens_transfer AS whole JOIN tokens_leg AS leg ON leg.transfer_id = whole.id
        JOIN tokens_account AS account ON account.id = leg.account_id AND account.kind = 'wallet'
        WHERE whole.kind = 'bet' AND whole.reference_type = 'market' GROUP BY whole.reference_id, account.owner_id
    ) AS paid ON paid.market_id = staked.market_id AND paid.user_id = staked.user_id
    WHERE staked.tokens IS DISTINCT FROM paid.tokens
    """,
)

CHECKS = (STAKES, LINES, SETTLEMENTS, BETS)
