DROP TRIGGER tokens_account_keep_all ON tokens_account;
DROP TRIGGER tokens_account_keep_identity ON tokens_account;
ALTER TABLE tokens_account RESET (fillfactor);
DROP TRIGGER tokens_account_keep ON tokens_account;
DROP TRIGGER tokens_account_follows_legs ON tokens_account;
DROP FUNCTION ledger_account_follows_legs();
DROP TRIGGER tokens_leg_balance ON tokens_leg;
DROP FUNCTION ledger_legs_balance();
DROP FUNCTION ledger_post(text, text, uuid, uuid[], text[], text[], uuid[], uuid[], text[], uuid[], text[], boolean[], int[], int[], bigint[],
    boolean[]);
DROP FUNCTION ledger_move(text, uuid, text, text, text, uuid, bigint, uuid, text, uuid, text, uuid, text, uuid, text);
DROP FUNCTION ledger_keep(tokens_account);
DROP FUNCTION ledger_moved(tokens_account, bytea, bigint, text, boolean, date);
DROP FUNCTION ledger_hold(uuid, text, uuid, text);
DROP FUNCTION ledger_open(uuid, text, uuid, text);
DROP FUNCTION ledger_digest(uuid, text, text, text, text, uuid, uuid, timestamptz, text);
DROP AGGREGATE ledger_chain(bytea, bytea);
DROP FUNCTION ledger_link(bytea, bytea, bytea);
