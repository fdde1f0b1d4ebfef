"""What must hold between the rows of the ledger and of payments. Run by `tradingarena/invariants.py`, on line.

The hash chains are recomputed by `manage.py verify_ledger`. Rules: docs/rules/tokens.md.
"""

from tradingarena.core.invariants import Check

TRANSFERS = Check(
    "transfers",
    "the legs of every transfer sum to zero, there are at least two, and each is on an account",
    """
    SELECT whole.id AS transfer_id, count(leg.id) AS legs, coalesce(sum(leg.amount_tokens), 0) AS total_tokens,
        count(leg.id) - count(account.id) AS without_account
    FROM tokens_transfer AS whole
    LEFT JOIN tokens_leg AS leg ON leg.transfer_id = whole.id
    LEFT JOIN tokens_account AS account ON account.id = leg.account_id
    GROUP BY whole.id
    HAVING count(leg.id) < 2 OR sum(leg.amount_tokens) <> 0 OR count(leg.id) <> count(account.id)
    """,
)

WALLETS = Check(
    "wallets",
    "Σ legs = balance, of every wallet and debt; no wallet is below zero, no debt above",
    """
    SELECT account.id AS account_id, account.kind, account.owner_id, account.balance_tokens,
        coalesce(booked.tokens, 0) AS legs_tokens, account.legs_count, coalesce(booked.legs, 0) AS legs
    FROM tokens_account AS account LEFT JOIN (
        SELECT account_id, sum(amount_tokens) AS tokens, count(*) AS legs FROM tokens_leg GROUP BY account_id
    ) AS booked ON booked.account_id = account.id
    WHERE account.kind IN ('wallet', 'debt') AND (account.balance_tokens <> coalesce(booked.tokens, 0)
        OR account.legs_count <> coalesce(booked.legs, 0)
        OR CASE account.kind WHEN 'wallet' THEN account.balance_tokens < 0 ELSE account.balance_tokens > 0 END)
    """,
)

WALLET_CHAIN = Check(
    "wallet_chain",
    "legs of a wallet are numbered without gaps, and each balance is the one before plus the amount",
    """
    SELECT leg_id, account_id, number, amount_tokens, before_tokens, balance_after_tokens FROM (
        SELECT leg.id AS leg_id, leg.account_id, leg.number, leg.amount_tokens, leg.balance_after_tokens, account.kind,
            coalesce(lag(leg.balance_after_tokens) OVER one_account, 0) AS before_tokens,
            row_number() OVER one_account AS expected_number
        FROM tokens_leg AS leg JOIN tokens_account AS account ON account.id = leg.account_id
        WHERE leg.number IS NOT NULL
        WINDOW one_account AS (PARTITION BY leg.account_id ORDER BY leg.number)
    ) AS chain
    WHERE number <> expected_number OR (kind IN ('wallet', 'debt')
        AND (balance_after_tokens IS NULL OR balance_after_tokens <> before_tokens + amount_tokens))
    """,
)

ESCROWS = Check(
    "escrows",
    "no escrow has paid more than it held",
    """
    SELECT account.id AS account_id, account.owner_id, account.name, sum(leg.amount_tokens) AS held_tokens
    FROM tokens_account AS account JOIN tokens_leg AS leg ON leg.account_id = account.id
    WHERE account.kind = 'escrow' GROUP BY account.id HAVING sum(leg.amount_tokens) < 0
    """,
)

LEDGER_TOTAL = Check(
    "ledger_total",
    "Σ of all accounts = 0",
    "SELECT sum(amount_tokens) AS total_tokens FROM tokens_leg HAVING sum(amount_tokens) <> 0",
)

DEBTS = Check(
    "debts",
    "a wallet shows what its person owes",
    """
    SELECT wallet.owner_id, wallet.debt_tokens, coalesce(-debt.balance_tokens, 0) AS owed_tokens
    FROM tokens_account AS wallet
    LEFT JOIN tokens_account AS debt ON debt.kind = 'debt' AND debt.owner_id = wallet.owner_id
    WHERE wallet.kind = 'wallet' AND wallet.debt_tokens <> coalesce(-debt.balance_tokens, 0)
    """,
)

LIFETIMES = Check(
    "lifetimes",
    "earned = credits other than refunds, spent = debits net of refunds, of every wallet",
    """
    SELECT account.owner_id, account.lifetime_earned_tokens, account.lifetime_spent_tokens, booked.earned, booked.spent
    FROM tokens_account AS account JOIN (
        SELECT leg.account_id,
            coalesce(sum(leg.amount_tokens) FILTER (WHERE leg.amount_tokens > 0 AND whole.kind <> 'refund'), 0) AS earned,
            -coalesce(sum(leg.amount_tokens) FILTER (WHERE leg.amount_tokens < 0 OR whole.kind = 'refund'), 0) AS spent
        FROM tokens_leg AS leg JOIN tokens_transfer AS whole ON whole.id = leg.transfer_id GROUP BY leg.account_id
    ) AS booked ON booked.account_id = account.id
    WHERE account.kind = 'wallet'
        AND (account.lifetime_earned_tokens <> booked.earned OR account.lifetime_spent_tokens <> booked.spent)
    """,
)

BOARDS = Check(
    "boards",
    "the leaderboards of the ledger are what its legs say, as far as they have been counted, in every period",
    """
    WITH counted AS (
        SELECT wallet.owner_id, leg.amount_tokens AS amount, whole.kind, whole.reference_type,
            (whole.created_at AT TIME ZONE 'UTC')::date AS day
        FROM tokens_boardcursor AS seen JOIN tokens_account AS wallet ON wallet.id = seen.account_id
        JOIN tokens_leg AS leg ON leg.account_id = wallet.id AND leg.number <= seen.counted_legs
        JOIN tokens_transfer AS whole ON whole.id = leg.transfer_id
    ), daily AS (
        SELECT owner_id, day, 'earned' AS board, sum(amount) AS score, count(*) AS items FROM counted
        WHERE kind IN ('reward', 'payout', 'chat_tip') AND amount > 0 GROUP BY owner_id, day
        UNION ALL
        SELECT owner_id, day, 'wagered', -sum(amount), count(*) FILTER (WHERE amount < 0) - count(*) FILTER (WHERE amount > 0)
        FROM counted WHERE (kind IN ('bet', 'pvp_stake') AND amount < 0)
            OR (kind = 'refund' AND reference_type IN ('market', 'challenge') AND amount > 0) GROUP BY owner_id, day
    ), recount AS (
        SELECT owner_id AS user_id, board, period, starts_on, sum(score) AS score, sum(items) AS items
        FROM daily CROSS JOIN LATERAL (VALUES ('day', day), ('week', day - (extract(isodow FROM day)::int - 1)),
            ('month', day - (extract(day FROM day)::int - 1)), ('all', DATE '1970-01-01')) AS p (period, starts_on)
        GROUP BY owner_id, board, period, starts_on
    ), kept AS (SELECT * FROM tokens_boardrow WHERE board IN ('earned', 'wagered'))
    SELECT user_id, board, period, starts_on, kept.score AS kept_score, recount.score AS counted_score
    FROM kept FULL JOIN recount USING (user_id, board, period, starts_on)
    WHERE kept.score IS DISTINCT FROM recount.score OR kept.items IS DISTINCT FROM recount.items
    """,
)

BOARD_PERIODS = Check(
    "board_periods",
    "a person's line of all time is the sum of the days, on every leaderboard",
    """
    SELECT user_id, board, sum(score) FILTER (WHERE period = 'all') AS all_score, sum(score) FILTER (WHERE period = 'day') AS day_score
    FROM tokens_boardrow GROUP BY user_id, board
    HAVING sum(score) FILTER (WHERE period = 'all') IS DISTINCT FROM sum(score) FILTER (WHERE period = 'day')
        OR sum(items) FILTER (WHERE period = 'all') IS DISTINCT FROM sum(items) FILTER (WHERE period = 'day')
        OR sum(wins) FILTER (WHERE period = 'all') IS DISTINCT FROM sum(wins) FILTER (WHERE period = 'day')
    """,
)

GIVEN = Check(
    "given",
    "every daily bonus and every rewarded referral is in the ledger, and nothing else under their names",
    """
    WITH told AS (
        SELECT user_id, 'daily_bonus' AS cause, sum(tokens) AS tokens FROM tokens_dailybonus GROUP BY user_id
        UNION ALL
        SELECT user_id, 'referral', sum(tokens) FROM (
            SELECT referrer_id AS user_id, tokens FROM tokens_referral WHERE status = 'rewarded'
            UNION ALL SELECT referee_id, tokens FROM tokens_referral WHERE status = 'rewarded'
        ) AS sides GROUP BY user_id
    ), booked AS (
        SELECT wallet.owner_id AS user_id, whole.reference_type AS cause, sum(leg.amount_tokens) AS tokens
        FROM tokens_transfer AS whole JOIN tokens_leg AS leg ON leg.transfer_id = whole.id
        JOIN tokens_account AS wallet ON wallet.id = leg.account_id AND wallet.kind = 'wallet'
        WHERE whole.reference_type IN ('daily_bonus', 'referral') AND whole.kind = 'reward' GROUP BY wallet.owner_id, whole.reference_type
    )
    SELECT user_id, cause, told.tokens AS told_tokens, booked.tokens AS booked_tokens
    FROM told FULL JOIN booked USING (user_id, cause) WHERE told.tokens IS DISTINCT FROM booked.tokens
    """,
)

CHECKS = (
    TRANSFERS, WALLETS, WALLET_CHAIN, ESCROWS, LEDGER_TOTAL, DEBTS, LIFETIMES, BOARDS, BOARD_PERIODS, GIVEN,
)  # fmt: skip
