-- Nobody takes a name that was another's less than 180 days ago. Checked after the row has passed its unique index, hence
-- after a simultaneous renaming has committed: a check before it would not see the name that is just being given up.
CREATE FUNCTION accounts_keep_former_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM accounts_usernamehistory AS former
        WHERE former.username_skeleton = NEW.username_skeleton
            AND former.user_id <> NEW.id
            AND former.reserved_until > clock_timestamp()
    ) THEN
        RAISE EXCEPTION 'this username is reserved for its former owner'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'user_name_not_reserved', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_user_former_names AFTER INSERT OR UPDATE OF username_skeleton ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_former_names();
