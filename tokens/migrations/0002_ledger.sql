-- The ledger's own functions: how transfers are written, and what the database itself refuses. Called by tokens/ledger.py alone.
-- Rules: docs/rules/tokens.md.

-- One step of a chain: SHA-256 over the chain so far and what is linked to it.
CREATE FUNCTION ledger_link(so_far bytea, start bytea, link bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$ BEGIN RETURN sha256(coalesce(so_far, start) || link); END $$;

-- The same over rows: a window `ledger_chain(start, link) OVER (PARTITION BY account ORDER BY …)` gives each row's chain.
CREATE AGGREGATE ledger_chain(start bytea, link bytea) (SFUNC = ledger_link, STYPE = bytea);

-- Everything that a transfer says, as one text whose parts are kept apart by a character that none of them can hold. Times in
-- microseconds, legs by account.
CREATE FUNCTION ledger_digest(
    id uuid, kind text, reason text, reference_type text, reference_id text, actor uuid, reverses uuid, at timestamptz, legs text
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(
        concat_ws(E'\x1f', id, kind, reason, reference_type, reference_id, coalesce(actor::text, ''), coalesce(reverses::text, ''),
            (extract(epoch FROM at) * 1000000)::bigint, legs), 'UTF8'))
$$;

-- Make an account, unless it is there.
CREATE FUNCTION ledger_open(p_id uuid, p_kind text, p_owner uuid, p_name text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tokens_account (id, kind, owner_id, name, created_at, balance_tokens, legs_count, chain, debt_tokens,
        lifetime_earned_tokens, lifetime_spent_tokens, spent_on_day_tokens, frozen_reason)
    VALUES (p_id, p_kind, p_owner, p_name, clock_timestamp(), 0, 0, '', 0, 0, 0, 0, '') ON CONFLICT (id) DO NOTHING
$$;

-- Hold an account's row; make it when it is not there yet.
CREATE FUNCTION ledger_hold(p_id uuid, p_kind text, p_owner uuid, p_name text) RETURNS tokens_account LANGUAGE plpgsql AS $$
DECLARE
    held tokens_account;
BEGIN
    SELECT * INTO held FROM tokens_account AS a WHERE a.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger_open(p_id, p_kind, p_owner, p_name);
        SELECT * INTO held FROM tokens_account AS a WHERE a.id = p_id FOR NO KEY UPDATE;
    END IF;
    RETURN held;
END
$$;

-- What one leg makes of a wallet.
CREATE FUNCTION ledger_moved(held tokens_account, digest bytea, amount bigint, kind text, spending boolean, today date)
RETURNS tokens_account LANGUAGE plpgsql STABLE AS $$
BEGIN
    held.legs_count := held.legs_count + 1;
    held.balance_tokens := held.balance_tokens + amount;
    held.chain := sha256(held.chain || digest || int8send(held.legs_count) || int8send(held.balance_tokens));
    IF amount < 0 OR kind = 'refund' THEN
        held.lifetime_spent_tokens := held.lifetime_spent_tokens - amount;
    ELSE
        held.lifetime_earned_tokens := held.lifetime_earned_tokens + amount;
    END IF;
    IF spending AND amount < 0 THEN
        held.spent_on_day_tokens := CASE WHEN held.spending_day = today THEN held.spent_on_day_tokens ELSE 0 END - amount;
        held.spending_day := today;
    END IF;
    RETURN held;
END
$$;

-- Store what legs have made of an account.
CREATE FUNCTION ledger_keep(held tokens_account) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tokens_account AS a SET legs_count = held.legs_count, balance_tokens = held.balance_tokens, chain = held.chain,
        lifetime_earned_tokens = held.lifetime_earned_tokens, lifetime_spent_tokens = held.lifetime_spent_tokens,
        spent_on_day_tokens = held.spent_on_day_tokens, spending_day = held.spending_day
    WHERE a.id = held.id;
END
$$;

-- Write one transfer from one account to another, neither of them a debt: what ledger_post does for a single posting, without its plans
-- for many. Locks, outcomes and rows are the same, and a test holds the two against each other. The source is account 1, the target 2.
CREATE FUNCTION ledger_move(
    p_kind text, p_id uuid, p_reason text, p_reference_type text, p_reference_id text, p_actor uuid, p_amount bigint,
    source_id uuid, source_kind text, source_owner uuid, source_name text,
    target_id uuid, target_kind text, target_owner uuid, target_name text
) RETURNS TABLE (outcome text, subject int, balance_tokens bigint, debt_tokens bigint, spent_on_day_tokens bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    source tokens_account;
    target tokens_account;
    moment timestamptz;
    refusal text;
    digest bytea;
    today date;
    spending boolean := p_kind IN ('bet', 'chat_tip', 'pvp_stake', 'spectator_pass', 'entry');
BEGIN
    -- wallets before what else is held, by id
    IF target_kind = 'wallet' AND (source_kind <> 'wallet' OR target_id < source_id) THEN
        target := ledger_hold(target_id, target_kind, target_owner, target_name);
    END IF;
    IF source_kind IN ('wallet', 'escrow') OR target_kind <> 'wallet' THEN
        source := ledger_hold(source_id, source_kind, source_owner, source_name);
    ELSIF NOT EXISTS (SELECT FROM tokens_account AS a WHERE a.id = source_id) THEN
        PERFORM ledger_open(source_id, source_kind, source_owner, source_name);
    END IF;
    IF target_kind = 'wallet' AND target.id IS NULL THEN
        target := ledger_hold(target_id, target_kind, target_owner, target_name);
    ELSIF target_kind <> 'wallet' AND NOT EXISTS (SELECT FROM tokens_account AS a WHERE a.id = target_id) THEN
        PERFORM ledger_open(target_id, target_kind, target_owner, target_name);
    END IF;
    moment := clock_timestamp();

    IF source_kind = 'wallet' THEN
        refusal := CASE
            WHEN spending AND (source.frozen_at IS NOT NULL OR source.debt_tokens > 0) THEN 'frozen'
            WHEN source.balance_tokens < p_amount THEN 'insufficient' END;
    ELSIF source_kind = 'escrow' THEN
        IF coalesce((SELECT sum(held.amount_tokens) FROM tokens_leg AS held WHERE held.account_id = source_id), 0) < p_amount THEN
            refusal := 'escrow_short';
        END IF;
    END IF;
    IF refusal IS NULL THEN
        digest := ledger_digest(p_id, p_kind, p_reason, p_reference_type, p_reference_id, p_actor, NULL, moment,
            CASE WHEN source_id < target_id THEN source_id || ':' || -p_amount || ',' || target_id || ':' || p_amount
            ELSE target_id || ':' || p_amount || ',' || source_id || ':' || -p_amount END);
        INSERT INTO tokens_transfer (id, kind, reason, reference_type, reference_id, actor_id, created_at, digest)
        VALUES (p_id, p_kind, p_reason, p_reference_type, p_reference_id, p_actor, moment, digest) ON CONFLICT (id) DO NOTHING;
    END IF;
    IF refusal IS NOT NULL OR NOT FOUND THEN
        -- what is there already moves nothing, if it is the same
        IF EXISTS (SELECT FROM tokens_transfer AS t WHERE t.id = p_id) THEN
            refusal := CASE WHEN EXISTS (SELECT FROM tokens_transfer AS t WHERE t.id = p_id AND t.kind = p_kind)
                AND (SELECT count(*) = 2 AND count(*) FILTER (WHERE (l.account_id = source_id AND l.amount_tokens = -p_amount)
                    OR (l.account_id = target_id AND l.amount_tokens = p_amount)) = 2
                    FROM tokens_leg AS l WHERE l.transfer_id = p_id) THEN 'replayed' ELSE 'reused' END;
        END IF;
        IF refusal = 'replayed' THEN
            RETURN QUERY SELECT refusal, CASE a.id WHEN source_id THEN 1 ELSE 2 END, a.balance_tokens, a.debt_tokens, a.spent_on_day_tokens
                FROM tokens_account AS a WHERE a.id IN (source_id, target_id) AND a.kind = 'wallet';
        ELSE
            RETURN QUERY SELECT refusal, 1, source.balance_tokens, source.debt_tokens, source.spent_on_day_tokens;
        END IF;
        RETURN;
    END IF;

    today := (moment AT TIME ZONE 'UTC')::date;
    IF source_kind = 'wallet' THEN
        source := ledger_moved(source, digest, -p_amount, p_kind, spending, today);
    ELSIF target_kind <> 'wallet' THEN  -- no kept account takes part: the payer's chain vouches for the transfer
        source.legs_count := source.legs_count + 1;
        source.chain := sha256(source.chain || digest || int8send(source.legs_count) || int8send(0));
    END IF;
    IF target_kind = 'wallet' THEN
        target := ledger_moved(target, digest, p_amount, p_kind, spending, today);
    END IF;
    INSERT INTO tokens_leg (transfer_id, account_id, amount_tokens, number, balance_after_tokens, chain) VALUES
        (p_id, source_id, -p_amount,
            CASE WHEN source_kind = 'wallet' OR target_kind <> 'wallet' THEN source.legs_count END,
            CASE source_kind WHEN 'wallet' THEN source.balance_tokens END,
            CASE WHEN source_kind = 'wallet' OR target_kind <> 'wallet' THEN source.chain END),
        (p_id, target_id, p_amount,
            CASE target_kind WHEN 'wallet' THEN target.legs_count END,
            CASE target_kind WHEN 'wallet' THEN target.balance_tokens END,
            CASE target_kind WHEN 'wallet' THEN target.chain END);
    IF source_kind = 'wallet' OR target_kind <> 'wallet' THEN
        PERFORM ledger_keep(source);
    END IF;
    IF target_kind = 'wallet' THEN
        PERFORM ledger_keep(target);
    END IF;
    IF source_kind = 'wallet' THEN
        RETURN QUERY SELECT 'posted'::text, 1, source.balance_tokens, source.debt_tokens, source.spent_on_day_tokens;
    END IF;
    IF target_kind = 'wallet' THEN
        RETURN QUERY SELECT 'posted'::text, 2, target.balance_tokens, target.debt_tokens, target.spent_on_day_tokens;
    END IF;
END
$$;

-- Write transfers of one kind, all or none.
--
-- posting_*: a transfer each. account_*: every account named, once each; account_held: its row is to be held, as those of all kept
-- accounts, the escrows that pay, and the payer of a transfer without a kept account are. leg_*: a leg each, those of a transfer side by
-- side, with the places of its posting and its account, from 1; leg_chained: it is numbered and chained.
--
-- Gives one row (outcome, subject) when nothing was written: insufficient, frozen, escrow_short (subject: the account's place), reused
-- (the posting's). Otherwise a row per wallet that moved: posted, account, balance, debt, spent today; replayed transfers move nothing,
-- and when all were replayed the wallets are given as they are, with that outcome.
--
-- Locks: the rows to be held, wallets before debts before escrows before the house's, each by id. Everything is judged and written after
-- they are held.
--
-- Planned anew for each call: a plan for ten legs is a bad one for a hundred thousand, which are sorted in memory.
CREATE FUNCTION ledger_post(
    p_kind text, p_reference_type text, p_actor uuid,
    posting_ids uuid[], posting_reasons text[], posting_references text[], posting_reverses uuid[],
    account_ids uuid[], account_kinds text[], account_owners uuid[], account_names text[], account_held boolean[],
    leg_postings int[], leg_accounts int[], leg_amounts bigint[], leg_chained boolean[]
) RETURNS TABLE (outcome text, subject int, balance_tokens bigint, debt_tokens bigint, spent_on_day_tokens bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz;
    held uuid[] := ARRAY(SELECT a.id FROM unnest(account_ids, account_held) AS a (id, held) WHERE a.held);
    known uuid[];
    wrong int;
    today date;
    spending boolean := p_kind IN ('bet', 'chat_tip', 'pvp_stake', 'spectator_pass', 'entry');
BEGIN
    IF (SELECT count(*) FROM tokens_account AS a WHERE a.id = ANY (account_ids)) < cardinality(account_ids) THEN
        PERFORM ledger_open(a.id, a.kind, a.owner_id, a.name)
        FROM unnest(account_ids, account_kinds, account_owners, account_names) AS a (id, kind, owner_id, name) ORDER BY a.id;
    END IF;

    PERFORM FROM tokens_account AS a WHERE a.id = ANY (held)
        ORDER BY array_position(ARRAY['wallet', 'debt', 'escrow', 'house'], a.kind::text), a.id FOR NO KEY UPDATE;
    moment := clock_timestamp();
    today := (moment AT TIME ZONE 'UTC')::date;

    -- what is there already moves nothing, if it is the same
    known := ARRAY(SELECT t.id FROM tokens_transfer AS t WHERE t.id = ANY (posting_ids));
    IF cardinality(known) > 0 THEN
        SELECT p.place INTO wrong FROM unnest(posting_ids) WITH ORDINALITY AS p (id, place)
            JOIN tokens_transfer AS t ON t.id = p.id
            WHERE t.kind <> p_kind
            OR ARRAY(SELECT (l.account_id, l.amount_tokens) FROM tokens_leg AS l WHERE l.transfer_id = t.id ORDER BY l.account_id)
            <> ARRAY(SELECT (account_ids[l.account], l.amount) FROM unnest(leg_postings, leg_accounts, leg_amounts) AS l (posting, account, amount)
                WHERE l.posting = p.place ORDER BY account_ids[l.account])
        LIMIT 1;
        IF FOUND THEN
            RETURN QUERY SELECT 'reused'::text, wrong, NULL::bigint, NULL::bigint, NULL::bigint;
            RETURN;
        END IF;
        IF NOT EXISTS (SELECT FROM unnest(posting_ids) AS p (id) WHERE p.id <> ALL (known)) THEN
            RETURN QUERY SELECT 'replayed'::text, named.place::int, a.balance_tokens, a.debt_tokens, a.spent_on_day_tokens
                FROM unnest(account_ids) WITH ORDINALITY AS named (id, place) JOIN tokens_account AS a USING (id) WHERE a.kind = 'wallet';
            RETURN;
        END IF;
    END IF;

    -- a wallet pays from what it has, not from what the same call brings it; an escrow never pays more than it holds
    SELECT CASE
            WHEN a.kind = 'escrow' THEN 'escrow_short'
            WHEN spending AND (a.frozen_at IS NOT NULL OR a.debt_tokens > 0) THEN 'frozen'
            ELSE 'insufficient' END, paid.account
        INTO outcome, wrong
    FROM (
        SELECT l.account, sum(l.amount)::bigint AS amount FROM unnest(leg_postings, leg_accounts, leg_amounts) AS l (posting, account, amount)
        WHERE l.amount < 0 AND (cardinality(known) = 0 OR posting_ids[l.posting] <> ALL (known)) GROUP BY l.account
    ) AS paid JOIN tokens_account AS a ON a.id = account_ids[paid.account]
    WHERE (a.kind = 'wallet' AND (a.balance_tokens + paid.amount < 0 OR (spending AND (a.frozen_at IS NOT NULL OR a.debt_tokens > 0))))
        OR (a.kind = 'escrow'
            AND paid.amount + coalesce((SELECT sum(held.amount_tokens) FROM tokens_leg AS held WHERE held.account_id = a.id), 0) < 0)
    LIMIT 1;
    IF FOUND THEN
        RETURN QUERY SELECT outcome, wrong, a.balance_tokens, a.debt_tokens, a.spent_on_day_tokens
            FROM tokens_account AS a WHERE a.id = account_ids[wrong];
        RETURN;
    END IF;

    RETURN QUERY
    WITH leg AS MATERIALIZED (
        SELECT l.*, named.id AS account_id FROM unnest(leg_postings, leg_accounts, leg_amounts, leg_chained)
            WITH ORDINALITY AS l (posting, account, amount, chained, place)
        JOIN unnest(account_ids) WITH ORDINALITY AS named (id, number) ON named.number = l.account
    ), said AS (
        SELECT posting, string_agg(account_id || ':' || amount, ',' ORDER BY account_id) AS legs FROM leg GROUP BY posting
    ), transfer AS MATERIALIZED (
        SELECT p.*, ledger_digest(p.id, p_kind, reason, p_reference_type, reference, p_actor, reverses, moment, said.legs) AS digest
        FROM unnest(posting_ids, posting_reasons, posting_references, posting_reverses)
            WITH ORDINALITY AS p (id, reason, reference, reverses, place)
        JOIN said ON said.posting = p.place
        WHERE p.id <> ALL (known)
    ), written AS (
        INSERT INTO tokens_transfer (id, kind, reason, reference_type, reference_id, actor_id, reverses_id, created_at, digest)
        SELECT id, p_kind, reason, p_reference_type, reference, p_actor, reverses, moment, digest FROM transfer
    ), counted AS (
        SELECT leg.account, leg.place, leg.account_id, transfer.id AS transfer_id, leg.amount, transfer.digest, a.kind, a.chain AS start,
            a.legs_count + row_number() OVER one_account AS number,
            CASE WHEN a.kind IN ('wallet', 'debt') THEN a.balance_tokens + sum(leg.amount) OVER one_account END::bigint AS balance_after,
            (sum(greatest(leg.amount, 0)) OVER one_account)::bigint AS received,
            (sum(greatest(-leg.amount, 0)) OVER one_account)::bigint AS paid,
            lead(leg.place) OVER one_account IS NULL AS is_last
        FROM leg JOIN transfer ON transfer.place = leg.posting JOIN tokens_account AS a ON a.id = leg.account_id
        WHERE leg.chained
        WINDOW one_account AS (PARTITION BY leg.account ORDER BY leg.place)
    ), linked AS MATERIALIZED (
        SELECT counted.*, ledger_chain(start, digest || int8send(number) || int8send(coalesce(balance_after, 0)))
            OVER (PARTITION BY account ORDER BY place) AS chain
        FROM counted
    ), stored AS (
        INSERT INTO tokens_leg (transfer_id, account_id, amount_tokens, number, balance_after_tokens, chain)
        SELECT transfer_id, account_id, amount, number, balance_after, chain FROM linked
        UNION ALL
        SELECT transfer.id, account_id, amount, NULL, NULL, NULL FROM leg JOIN transfer ON transfer.place = leg.posting WHERE NOT chained
    ), moved AS (
        UPDATE tokens_account AS a SET
            legs_count = last.number,
            chain = last.chain,
            balance_tokens = coalesce(last.balance_after, 0),
            lifetime_earned_tokens = a.lifetime_earned_tokens
                + CASE WHEN a.kind = 'wallet' AND p_kind <> 'refund' THEN last.received ELSE 0 END,
            lifetime_spent_tokens = a.lifetime_spent_tokens
                + CASE WHEN a.kind = 'wallet' THEN last.paid - CASE p_kind WHEN 'refund' THEN last.received ELSE 0 END ELSE 0 END,
            spending_day = CASE WHEN a.kind = 'wallet' AND spending AND last.paid > 0 THEN today ELSE a.spending_day END,
            spent_on_day_tokens = CASE WHEN a.kind = 'wallet' AND spending AND last.paid > 0
                THEN last.paid + CASE WHEN a.spending_day = today THEN a.spent_on_day_tokens ELSE 0 END
                ELSE a.spent_on_day_tokens END
        FROM linked AS last WHERE a.id = last.account_id AND last.is_last
        RETURNING last.account, a.kind, a.balance_tokens, a.debt_tokens, a.spent_on_day_tokens
    )
    SELECT 'posted'::text, moved.account, moved.balance_tokens, moved.debt_tokens, moved.spent_on_day_tokens
    FROM moved WHERE moved.kind = 'wallet';

    IF 'debt' = ANY (account_kinds) THEN  -- the wallet shows what its person owes
        UPDATE tokens_account AS wallet SET debt_tokens = -debt.balance_tokens FROM tokens_account AS debt
        WHERE debt.id = ANY (account_ids) AND debt.kind = 'debt' AND wallet.kind = 'wallet' AND wallet.owner_id = debt.owner_id
            AND wallet.name = '' AND wallet.debt_tokens <> -debt.balance_tokens;
    END IF;
END
$$;

-- The legs of every transfer sum to zero, there are at least two, and the transfer is there. Judged when a statement has written legs, over
-- what it wrote: legs never change, so what sums to zero with every statement sums to zero as a whole, at every moment and at commit. It
-- stands for the foreign key from leg to transfer too. The plan is kept for the connection's life; one made while the ledger was small
-- would read the whole table later.
CREATE FUNCTION ledger_legs_balance() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong record;
BEGIN
    SELECT touched.transfer_id, touched.legs, touched.total, whole.id AS found INTO wrong
    FROM (SELECT transfer_id, count(*) AS legs, sum(amount_tokens) AS total FROM written GROUP BY transfer_id) AS touched
    LEFT JOIN tokens_transfer AS whole ON whole.id = touched.transfer_id
    WHERE touched.legs < 2 OR touched.total <> 0 OR whole.id IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the legs of transfer % sum to %, there are %, and the transfer is %', wrong.transfer_id, wrong.total, wrong.legs,
            CASE WHEN wrong.found IS NULL THEN 'not there' ELSE 'there' END
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_legs_sum_to_zero', TABLE = 'tokens_leg';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER tokens_leg_balance AFTER INSERT ON tokens_leg REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_legs_balance();

-- What an account says it holds is what its last leg says. Judged when a statement has changed accounts.
CREATE FUNCTION ledger_account_follows_legs() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT changed.id INTO wrong FROM changed
    LEFT JOIN tokens_leg AS last ON last.account_id = changed.id AND last.number = changed.legs_count
    WHERE changed.legs_count > 0 AND (last.id IS NULL OR last.chain <> changed.chain
            OR coalesce(last.balance_after_tokens, 0) <> changed.balance_tokens)
        OR changed.legs_count = 0 AND (changed.chain <> '' OR changed.balance_tokens <> 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % does not say what its last leg says', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_follows_its_legs', TABLE = 'tokens_account';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER tokens_account_follows_legs AFTER UPDATE ON tokens_account REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_account_follows_legs();

-- Wallets change often and none of what is indexed: room beside a row keeps its changes on one page.
ALTER TABLE tokens_account SET (fillfactor = 60);

-- An account is never deleted and never becomes another's.
CREATE TRIGGER tokens_account_keep BEFORE DELETE ON tokens_account FOR EACH ROW EXECUTE FUNCTION arena_refuse_change();
CREATE TRIGGER tokens_account_keep_identity BEFORE UPDATE ON tokens_account FOR EACH ROW
    WHEN (OLD.id <> NEW.id OR OLD.kind <> NEW.kind OR OLD.owner_id IS DISTINCT FROM NEW.owner_id OR OLD.name <> NEW.name)
    EXECUTE FUNCTION arena_refuse_change();
CREATE TRIGGER tokens_account_keep_all BEFORE TRUNCATE ON tokens_account FOR EACH STATEMENT EXECUTE FUNCTION arena_refuse_change();
