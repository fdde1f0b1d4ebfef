"""What must hold of challenges and their stakes at any moment. How checks are run: `tradingarena/invariants.py`."""

from tradingarena.core.invariants import Check

STAKES = Check(
    "challenge_stakes",
    "every stake of a challenge is where its state says: awaited, paid on both sides, played for, or gone back",
    """
    SELECT challenge.id AS challenge_id, challenge.status, coalesce(found.held, 0) AS held, coalesce(found.paid, 0) AS paid,
        coalesce(found.played, 0) AS played
    FROM pvp_challenge AS challenge
    LEFT JOIN (
        SELECT challenge_id, count(*) FILTER (WHERE status = 'held') AS held, count(*) FILTER (WHERE status = 'paid') AS paid,
            count(*) FILTER (WHERE status = 'played') AS played
        FROM pvp_stake GROUP BY challenge_id
    ) AS found ON found.challenge_id = challenge.id
    CROSS JOIN LATERAL (SELECT coalesce(found.held, 0) AS held, coalesce(found.paid, 0) AS paid, coalesce(found.played, 0) AS played)
        AS now
    WHERE CASE challenge.status
        WHEN 'proposed' THEN now.held + now.paid + now.played > 0
        WHEN 'countered' THEN now.held + now.paid + now.played > 0
        WHEN 'accepted' THEN now.paid + now.played > 0
        WHEN 'funding' THEN now.paid <> 1 OR now.played > 0
        WHEN 'active' THEN now.paid <> 2 OR now.held + now.played > 0
        WHEN 'completed' THEN now.held + now.paid > 0 OR now.played <> CASE challenge.outcome WHEN 'won' THEN 2 ELSE 0 END
        ELSE now.held + now.paid + now.played > 0
    END
    """,
)

AMOUNTS = Check(
    "challenge_amounts",
    "a stake that was paid is what the agreed terms ask, of a party of the challenge",
    """
    SELECT stake.id AS stake_id, stake.challenge_id, stake.amount_cents, stake.amount_tokens
    FROM pvp_stake AS stake JOIN pvp_challenge AS challenge ON challenge.id = stake.challenge_id
    JOIN pvp_terms AS terms ON terms.challenge_id = challenge.id AND terms.version = challenge.version
    WHERE (stake.amount_cents, stake.amount_tokens) <> (terms.stake_cents, terms.stake_tokens)
        OR stake.user_id NOT IN (challenge.challenger_id, challenge.invitee_id)
    """,
)

ESCROW = Check(
    "challenge_escrow",
    "the escrow of a challenge holds the stakes that are paid with tokens, and nothing when it is over",
    """
    SELECT challenge.id AS challenge_id, challenge.status, coalesce(held.tokens, 0) AS held_tokens, paid.tokens AS paid_tokens
    FROM pvp_challenge AS challenge
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_tokens), 0) AS tokens FROM pvp_stake WHERE challenge_id = challenge.id AND status = 'paid'
    ) AS paid
    LEFT JOIN (
        SELECT account.owner_id, sum(leg.amount_tokens) AS tokens
        FROM tokens_account AS account JOIN tokens_leg AS leg ON leg.account_id = account.id
        WHERE account.kind = 'escrow' AND account.name = 'stakes' GROUP BY account.owner_id
    ) AS held ON held.owner_id = challenge.id
    WHERE coalesce(held.tokens, 0) <> paid.tokens
    """,
)

REFUNDS = Check(
    "challenge_refunds",
    "a stake by card that has gone back has a refund of its payment, or was refunded at the provider's",
    """
    SELECT stake.id AS stake_id, stake.challenge_id, payment.status AS payment_status
    FROM pvp_stake AS stake JOIN tokens_payment AS payment ON payment.id = stake.payment_id
    WHERE stake.status = 'returned' AND payment.refunded_cents < payment.amount_cents
        AND NOT EXISTS (SELECT FROM tokens_refund AS refund WHERE refund.payment_id = payment.id)
    """,
)

SETTLEMENTS = Check(
    "challenge_settlements",
    "a played challenge has one settlement of both stakes; the winner has the payout, in tokens or as winnings, and the house the rake",
    """
    SELECT challenge.id AS challenge_id, settled.outcome, settled.pot, settled.paid, settled.rake
    FROM pvp_challenge AS challenge
    JOIN pvp_terms AS terms ON terms.challenge_id = challenge.id AND terms.version = challenge.version
    LEFT JOIN pvp_settlement AS settled ON settled.challenge_id = challenge.id
    LEFT JOIN pvp_winnings AS winnings ON winnings.challenge_id = challenge.id
    LEFT JOIN LATERAL (
        SELECT sum(leg.amount_tokens) FILTER (WHERE transfer.kind = 'payout' AND account.owner_id = challenge.winner_id) AS paid,
            sum(leg.amount_tokens) FILTER (WHERE transfer.kind = 'rake' AND account.kind = 'house') AS rake
        FROM tokens_transfer AS transfer JOIN tokens_leg AS leg ON leg.transfer_id = transfer.id
        JOIN tokens_account AS account ON account.id = leg.account_id
        WHERE transfer.reference_type = 'challenge' AND transfer.reference_id = challenge.id::text
            AND account.kind IN ('wallet', 'house')
    ) AS moved ON true
    WHERE (challenge.status = 'completed') <> (settled.challenge_id IS NOT NULL)
        OR settled.outcome <> challenge.outcome
        OR settled.winner_id IS DISTINCT FROM challenge.winner_id
        OR settled.pot <> 2 * (terms.stake_cents + terms.stake_tokens)
        OR settled.rake <> CASE settled.outcome WHEN 'won' THEN div(settled.pot::numeric * terms.rake_bps, 10000) ELSE 0 END
        OR (settled.in_tokens AND (coalesce(moved.paid, 0), coalesce(moved.rake, 0)) <> (settled.paid, settled.rake))
        OR (NOT settled.in_tokens AND coalesce(winnings.amount_cents, 0) <> settled.paid)
        OR (winnings.id IS NOT NULL AND winnings.user_id <> challenge.winner_id)
    """,
)

TERMS = Check(
    "challenge_terms",
    "a contest of a challenge has the terms that both have accepted, and both as its entrants",
    """
    SELECT challenge.id AS challenge_id, contest.id AS competition_id
    FROM pvp_challenge AS challenge
    JOIN pvp_terms AS terms ON terms.challenge_id = challenge.id AND terms.version = challenge.version
    JOIN competitions_competition AS contest ON contest.id = challenge.competition_id
    WHERE challenge.agreed_digest <> terms.digest OR contest.kind <> 'pvp'
        OR contest.starting_balance_cents <> terms.starting_balance_cents OR contest.pairs <> terms.pairs
        OR contest.drawdown_rule <> terms.drawdown_rule OR contest.drawdown_limit_bps <> terms.drawdown_limit_bps
        OR contest.planned_ends_at - contest.starts_at <> make_interval(secs => terms.duration_s)
        OR contest.starts_at <> coalesce(terms.starts_at, contest.starts_at)
        OR (SELECT array_agg(entry.user_id ORDER BY entry.number) FROM competitions_entry AS entry
            WHERE entry.competition_id = contest.id) <> ARRAY[challenge.challenger_id, challenge.invitee_id]
    """,
)

CHECKS = (STAKES, AMOUNTS, ESCROW, REFUNDS, SETTLEMENTS, TERMS)
