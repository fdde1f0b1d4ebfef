-- Where a bet stands before it is placed: everything that is judged, read in one go after everything that is held.
-- Called by betting/services/bets.py alone. Rules: docs/rules/bet-behind.md#placing.
--
-- Holds, until the transaction ends: the market FOR SHARE (bets do not wait for each other; whoever locks, settles or voids it waits for
-- them), then the person's turn with bets, an advisory lock that joining a contest takes too. The statements after that see what was
-- committed meanwhile, and the clock is read last.
--
-- Gives a row, or none when there is no such market. `line` is null when the market has no such line, `known_…` when the bet is not there.
-- `wait_s`: seconds until this person may bet again.
CREATE FUNCTION betting_stand(
    p_bet uuid, p_market uuid, p_threshold integer, p_user uuid, p_per_minute integer, p_per_hour integer
) RETURNS TABLE (
    known_user uuid, known_line uuid, known_side text, known_stake bigint, known_weight integer, known_placed_at timestamptz,
    line uuid, market_status text, void_reason text, starts_at timestamptz, locks_at timestamptz, rake_bps integer,
    trader_name text, contest uuid, contest_title text, contest_status text, is_host boolean, is_entrant boolean,
    bets_allowed boolean, is_gated boolean, min_stake bigint, max_stake bigint, paused_for text, staked bigint, wait_s double precision,
    moment timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    of_contest competitions_competition;
    held betting_market;
    known betting_bet;
    minute_ago timestamptz;
    hour_ago timestamptz;
BEGIN
    SELECT m.* INTO held FROM betting_market AS m WHERE m.id = p_market FOR SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('bets:' || p_user, 0));
    SELECT c.* INTO of_contest FROM competitions_competition AS c WHERE c.id = held.competition_id;
    SELECT b.* INTO known FROM betting_bet AS b WHERE b.id = p_bet;
    -- the oldest of the last n bets: while it is younger than the span, the n are spent
    SELECT b.placed_at INTO minute_ago FROM betting_bet AS b WHERE b.user_id = p_user
        ORDER BY b.placed_at DESC OFFSET p_per_minute - 1 LIMIT 1;
    SELECT b.placed_at INTO hour_ago FROM betting_bet AS b WHERE b.user_id = p_user
        ORDER BY b.placed_at DESC OFFSET p_per_hour - 1 LIMIT 1;
    RETURN QUERY SELECT
        known.user_id, known.line_id, known.side::text, known.stake_tokens, known.weight_bps::integer, known.placed_at,
        (SELECT l.id FROM betting_line AS l WHERE l.market_id = p_market AND l.threshold_bps = p_threshold),
        held.status::text, held.void_reason::text, held.starts_at, held.locks_at, held.rake_bps,
        (SELECT u.username::text FROM accounts_user AS u WHERE u.id = held.trader_id),
        of_contest.id, of_contest.title::text, of_contest.status::text, coalesce(of_contest.host_id = p_user, false),
        EXISTS (SELECT FROM competitions_entry AS e
            WHERE e.competition_id = of_contest.id AND e.user_id = p_user AND e.status <> 'withdrawn')
            OR EXISTS (SELECT FROM competitions_buyin AS s  -- a seat that waits for its payment
                WHERE s.competition_id = of_contest.id AND s.user_id = p_user AND s.status = 'held'),
        coalesce(listed.bets_allowed, false), coalesce(listed.mode <> 'open', false),
        coalesce(listed.min_stake_tokens, 0)::bigint, coalesce(listed.max_stake_tokens, 0)::bigint,
        (SELECT p.reason::text FROM betting_pause AS p WHERE p.ended_at IS NULL
            AND (p.competition_id IS NULL OR p.competition_id = of_contest.id) LIMIT 1),
        coalesce((SELECT sum(b.stake_tokens) FROM betting_bet AS b WHERE b.market_id = p_market AND b.user_id = p_user), 0)::bigint,
        greatest(0, extract(epoch FROM minute_ago + interval '1 minute' - clock_timestamp()),
            extract(epoch FROM hour_ago + interval '1 hour' - clock_timestamp()))::double precision,
        clock_timestamp()
    FROM (SELECT) AS one LEFT JOIN arena_listing AS listed ON listed.competition_id = of_contest.id;
END
$$;
