"""What must hold between the rows of contests: cash and deals, fills and positions, orders, trades, ranks, prizes.

Run by `tradingarena/invariants.py`, on line. Rules: docs/rules/trading.md, docs/rules/ranking.md, docs/rules/prizes.md.
"""

from tradingarena.core.invariants import Check

CASH = Check(
    "cash",
    "cash = start + Σ realized − Σ fees, of every entry",
    """
    SELECT entry.id AS entry_id, entry.cash_cents, contest.starting_balance_cents + coalesce(booked.cents, 0) AS expected_cents
    FROM competitions_entry AS entry
    JOIN competitions_competition AS contest ON contest.id = entry.competition_id
    LEFT JOIN (
        SELECT entry_id, sum(pnl_cents - fee_cents) AS cents FROM competitions_deal GROUP BY entry_id
    ) AS booked ON booked.entry_id = entry.id
    WHERE entry.cash_cents <> contest.starting_balance_cents + coalesce(booked.cents, 0)
    """,
)

CASH_CHAIN = Check(
    "cash_chain",
    "every deal's cash after = cash before + profit − fee; deals are numbered without gaps; protection ends at zero",
    """
    SELECT deal_id, entry_id, number, cash_after_cents, before_cents, pnl_cents, fee_cents FROM (
        SELECT deal.id AS deal_id, deal.entry_id, deal.number, deal.cash_after_cents, deal.pnl_cents, deal.fee_cents,
            deal.direction,
            coalesce(lag(deal.cash_after_cents) OVER one_entry, contest.starting_balance_cents) AS before_cents,
            row_number() OVER one_entry AS expected_number
        FROM competitions_deal AS deal
        JOIN competitions_competition AS contest ON contest.id = deal.competition_id
        WINDOW one_entry AS (PARTITION BY deal.entry_id ORDER BY deal.number)
    ) AS chain
    WHERE cash_after_cents <> before_cents + pnl_cents - fee_cents OR number <> expected_number
        OR (direction = 'protection' AND cash_after_cents <> 0)
    """,
)

NO_DEBT = Check(
    "no_debt",
    "nobody's cash stays below zero without an open position",
    """
    SELECT entry.id AS entry_id, entry.cash_cents FROM competitions_entry AS entry
    WHERE entry.cash_cents < 0
        AND NOT EXISTS (SELECT FROM competitions_position AS held WHERE held.entry_id = entry.id AND held.units <> 0)
    """,
)

POSITIONS = Check(
    "positions",
    "Σ signed fills = position, of every entry and pair",
    """
    SELECT coalesce(filled.entry_id, held.entry_id) AS entry_id, coalesce(filled.pair, held.pair) AS pair,
        coalesce(filled.units, 0) AS filled_units, coalesce(held.units, 0) AS position_units
    FROM (
        SELECT entry_id, pair, sum(CASE side WHEN 'buy' THEN units ELSE -units END) AS units
        FROM competitions_fill GROUP BY entry_id, pair
    ) AS filled
    FULL JOIN competitions_position AS held ON held.entry_id = filled.entry_id AND held.pair = filled.pair
    WHERE coalesce(filled.units, 0) <> coalesce(held.units, 0)
    """,
)

ORDERS = Check(
    "orders",
    "fills are at most the order, of its pair and side, and an order is filled exactly when it has a fill",
    """
    SELECT wanted.id AS order_id, wanted.status, wanted.units AS order_units, filled.units AS filled_units
    FROM competitions_order AS wanted LEFT JOIN competitions_fill AS filled ON filled.order_id = wanted.id
    WHERE (wanted.status = 'filled') <> (filled.id IS NOT NULL) OR filled.units > wanted.units
        OR filled.entry_id <> wanted.entry_id OR filled.pair <> wanted.pair OR filled.side <> wanted.side
    """,
)

FILL_PRICES = Check(
    "fill_prices",
    "every fill's price follows from its rule and the quote it carries",
    """
    SELECT filled.id AS fill_id, filled.rule, filled.side, filled.price, filled.bid, filled.ask, wanted.price AS asked
    FROM competitions_fill AS filled LEFT JOIN competitions_order AS wanted ON wanted.id = filled.order_id
    WHERE filled.bid >= filled.ask OR CASE
        WHEN filled.rule = 'limit' THEN filled.price <> wanted.price
            OR (filled.side = 'buy' AND filled.ask > filled.price) OR (filled.side = 'sell' AND filled.bid < filled.price)
        WHEN filled.rule = 'take_profit' THEN
            (filled.side = 'buy' AND filled.ask > filled.price) OR (filled.side = 'sell' AND filled.bid < filled.price)
        ELSE filled.price <> CASE filled.side WHEN 'buy' THEN filled.ask ELSE filled.bid END
    END
    """,
)

FILL_TIMES = Check(
    "fill_times",
    "no order is filled at a quote that had come before it was accepted",
    """
    SELECT filled.id AS fill_id, wanted.id AS order_id, wanted.accepted_at, filled.quote_received_at
    FROM competitions_fill AS filled JOIN competitions_order AS wanted ON wanted.id = filled.order_id
    WHERE filled.quote_received_at <= date_trunc('milliseconds', wanted.accepted_at)
    """,
)

FILL_COUNTS = Check(
    "fill_counts",
    "fills are numbered without gaps, and the entry knows how many they are",
    """
    SELECT entry.id AS entry_id, entry.fills_count, coalesce(filled.fills, 0) AS fills, filled.last_number
    FROM competitions_entry AS entry LEFT JOIN (
        SELECT entry_id, count(*) AS fills, max(number) AS last_number FROM competitions_fill GROUP BY entry_id
    ) AS filled ON filled.entry_id = entry.id
    WHERE entry.fills_count <> coalesce(filled.fills, 0) OR filled.fills <> filled.last_number
    """,
)

DEALS_OF_FILLS = Check(
    "deals_of_fills",
    "the deals of a fill sum to its units and its fee",
    """
    SELECT filled.id AS fill_id, filled.units, booked.units AS deal_units, filled.fee_cents, booked.fee_cents AS deal_fee_cents
    FROM competitions_fill AS filled LEFT JOIN (
        SELECT fill_id, sum(units) AS units, sum(fee_cents) AS fee_cents FROM competitions_deal
        WHERE fill_id IS NOT NULL GROUP BY fill_id
    ) AS booked ON booked.fill_id = filled.id
    WHERE booked.units IS DISTINCT FROM filled.units OR booked.fee_cents IS DISTINCT FROM filled.fee_cents
    """,
)

TRADES = Check(
    "trades",
    "a trade's profit, fees and units are the sums of its deals",
    """
    SELECT trade.id AS trade_id, trade.pnl_cents, booked.pnl_cents AS deals_pnl_cents, trade.opened_units, booked.opened,
        trade.closed_units, booked.closed
    FROM competitions_trade AS trade LEFT JOIN (
        SELECT trade_id, sum(pnl_cents) AS pnl_cents, sum(fee_cents) AS fee_cents,
            coalesce(sum(units) FILTER (WHERE direction = 'in'), 0) AS opened,
            coalesce(sum(units) FILTER (WHERE direction = 'out'), 0) AS closed
        FROM competitions_deal WHERE trade_id IS NOT NULL GROUP BY trade_id
    ) AS booked ON booked.trade_id = trade.id
    WHERE booked.pnl_cents IS DISTINCT FROM trade.pnl_cents OR booked.fee_cents IS DISTINCT FROM trade.fee_cents
        OR booked.opened IS DISTINCT FROM trade.opened_units OR booked.closed IS DISTINCT FROM trade.closed_units
        OR (trade.closed_at IS NOT NULL AND trade.opened_units <> trade.closed_units)
    """,
)

OPEN_TRADES = Check(
    "open_trades",
    "a position is open exactly when its trade is, with as many units",
    """
    SELECT trade.id AS trade_id, held.id AS position_id, trade.opened_units - trade.closed_units AS trade_units, held.units
    FROM (SELECT * FROM competitions_trade WHERE closed_at IS NULL) AS trade
    FULL JOIN (SELECT * FROM competitions_position WHERE units <> 0) AS held ON held.trade_id = trade.id
    WHERE trade.id IS NULL OR held.id IS NULL OR trade.opened_units - trade.closed_units <> abs(held.units)
        OR (trade.side = 'buy') <> (held.units > 0)
    """,
)

NOTHING_OPEN = Check(
    "nothing_open",
    "a contest that has ended has no open position, order or amendment; one that was cancelled no order or amendment",
    """
    SELECT contest.id AS competition_id, contest.status, 'order' AS what, wanted.id AS row_id
    FROM competitions_order AS wanted JOIN competitions_competition AS contest ON contest.id = wanted.competition_id
    WHERE wanted.status IN ('accepted', 'working') AND contest.status IN ('settling', 'completed', 'cancelled')
    UNION ALL
    SELECT contest.id, contest.status, 'amendment', asked.id
    FROM competitions_amendment AS asked JOIN competitions_competition AS contest ON contest.id = asked.competition_id
    WHERE asked.status = 'accepted' AND contest.status IN ('settling', 'completed', 'cancelled')
    UNION ALL
    SELECT contest.id, contest.status, 'position', held.id
    FROM competitions_position AS held JOIN competitions_entry AS entry ON entry.id = held.entry_id
    JOIN competitions_competition AS contest ON contest.id = entry.competition_id
    WHERE held.units <> 0 AND contest.status IN ('settling', 'completed')
    """,
)

ENTRY_NUMBERS = Check(
    "entry_numbers",
    "entries are numbered without gaps, and the cap of a contest holds",
    """
    SELECT contest.id AS competition_id, contest.max_entries, count(*) AS entries, max(entry.number) AS last_number
    FROM competitions_competition AS contest JOIN competitions_entry AS entry ON entry.competition_id = contest.id
    GROUP BY contest.id HAVING max(entry.number) <> count(*)
        OR count(*) FILTER (WHERE entry.status = 'active') > contest.max_entries
    """,
)

FROZEN = Check(
    "frozen",
    "an entry of an ended contest has its final equity and when it was frozen; with no positions left it equals the cash",
    """
    SELECT entry.id AS entry_id, entry.final_equity_cents, entry.finalized_at, entry.cash_cents
    FROM competitions_entry AS entry JOIN competitions_competition AS contest ON contest.id = entry.competition_id
    WHERE contest.status IN ('settling', 'completed') AND entry.status <> 'withdrawn'
        AND (entry.final_equity_cents IS NULL OR entry.finalized_at IS NULL
            OR (entry.status = 'active' AND entry.final_equity_cents <> entry.cash_cents))
    """,
)

RANKS = Check(
    "ranks",
    "final ranks follow from final equity, drawdown and last fill; nobody else has a rank",
    """
    SELECT entry_id, competition_id, rank, expected_rank FROM (
        SELECT entry.id AS entry_id, entry.competition_id, entry.rank, CASE WHEN eligible.ranked THEN rank() OVER (
            PARTITION BY entry.competition_id, eligible.ranked
            ORDER BY entry.final_equity_cents DESC, entry.max_drawdown_bps, date_trunc('milliseconds', entry.last_fill_at)
        ) END AS expected_rank
        FROM competitions_entry AS entry
        JOIN competitions_competition AS contest ON contest.id = entry.competition_id
        CROSS JOIN LATERAL (SELECT contest.status IN ('settling', 'completed') AND entry.status = 'active'
            AND entry.fills_count > 0 AS ranked) AS eligible
    ) AS board
    WHERE rank IS DISTINCT FROM expected_rank
    """,
)

PRIZES = Check(
    "prizes",
    "Σ payouts + rake = Σ buy-ins − refunds, of every contest, in cents and in tokens; a payout is its place's entrant's",
    """
    SELECT contest.id AS competition_id, paid.cents AS paid_cents, paid.tokens AS paid_tokens, ranked.found AS ranked,
        coalesce(given.cents, 0) AS payout_cents, coalesce(given.tokens, 0) AS payout_tokens
    FROM competitions_competition AS contest
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents), 0) AS cents, coalesce(sum(amount_tokens), 0) AS tokens
        FROM competitions_buyin WHERE competition_id = contest.id AND status = 'paid'
    ) AS paid
    CROSS JOIN LATERAL (
        SELECT contest.status IN ('settling', 'completed')
            AND EXISTS (SELECT FROM competitions_entry AS entry WHERE entry.competition_id = contest.id AND entry.rank IS NOT NULL) AS found
    ) AS ranked
    LEFT JOIN (
        SELECT payout.competition_id, sum(payout.amount_cents) AS cents, sum(payout.amount_tokens) AS tokens,
            bool_or(entry.rank IS DISTINCT FROM payout.place OR entry.user_id <> payout.user_id
                OR entry.competition_id <> payout.competition_id) AS misplaced
        FROM competitions_payout AS payout JOIN competitions_entry AS entry ON entry.id = payout.entry_id
        GROUP BY payout.competition_id
    ) AS given ON given.competition_id = contest.id
    WHERE coalesce(given.misplaced, false)
        OR coalesce(given.cents, 0) <> CASE WHEN ranked.found THEN paid.cents - div(paid.cents * contest.rake_bps, 10000) ELSE 0 END
        OR coalesce(given.tokens, 0) <> CASE WHEN ranked.found THEN paid.tokens - div(paid.tokens * contest.rake_bps, 10000) ELSE 0 END
    """,
)

BUY_INS = Check(
    "buy_ins",
    "an active entry of a contest that costs something is paid for, once, with what the contest asks; what is paid for is in it",
    """
    SELECT entry.competition_id, entry.id AS entry_id, entry.status, count(paid.id) AS paid
    FROM competitions_entry AS entry JOIN competitions_competition AS contest ON contest.id = entry.competition_id
    LEFT JOIN competitions_buyin AS paid ON paid.entry_id = entry.id AND paid.status = 'paid'
        AND paid.amount_cents = contest.buy_in_cents AND paid.amount_tokens = contest.entry_tokens
    WHERE (contest.buy_in_cents > 0 OR contest.entry_tokens > 0) AND contest.status <> 'cancelled'
    GROUP BY entry.id, contest.status, contest.id
    HAVING (entry.status = 'active' AND count(paid.id) <> 1
            AND NOT (contest.status = 'completed' AND (bool_and(entry.rank IS NULL) OR NOT EXISTS (
                SELECT FROM competitions_buyin AS kept WHERE kept.competition_id = contest.id AND kept.status = 'paid'))))
        OR (entry.status = 'withdrawn' AND count(paid.id) <> 0)
    """,
)

POT = Check(
    "pot",
    "the escrow of a contest holds what is paid in with tokens while it is under way, and nothing when it is over",
    """
    SELECT contest.id AS competition_id, contest.status, coalesce(held.tokens, 0) AS held_tokens, paid.tokens AS paid_tokens
    FROM competitions_competition AS contest
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_tokens), 0) AS tokens FROM competitions_buyin
        WHERE competition_id = contest.id AND status = 'paid'
    ) AS paid
    LEFT JOIN (
        SELECT account.owner_id, sum(leg.amount_tokens) AS tokens
        FROM tokens_account AS account JOIN tokens_leg AS leg ON leg.account_id = account.id
        WHERE account.kind = 'escrow' AND account.name = 'entries' GROUP BY account.owner_id
    ) AS held ON held.owner_id = contest.id
    WHERE coalesce(held.tokens, 0) <> CASE WHEN contest.status IN ('completed', 'cancelled') THEN 0 ELSE paid.tokens END
    """,
)

CHECKS = (
    CASH,
    CASH_CHAIN,
    NO_DEBT,
    POSITIONS,
    ORDERS,
    FILL_PRICES,
    FILL_TIMES,
    FILL_COUNTS,
    DEALS_OF_FILLS,
    TRADES,
    OPEN_TRADES,
    NOTHING_OPEN,
    ENTRY_NUMBERS,
    FROZEN,
    RANKS,
    PRIZES,
    BUY_INS,
    POT,
)
