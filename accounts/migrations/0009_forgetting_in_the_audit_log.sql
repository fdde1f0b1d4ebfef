-- The audit log refuses every change but one: of a person whose deletion is being carried out it may lose what names them, which is
-- their network address, and the old and new values of their own account. Who did what, when and why stays.
CREATE FUNCTION accounts_keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    loses text[] := '{old,new,address}';
    keeps_values boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        keeps_values := NEW.old IS NOT DISTINCT FROM OLD.old AND NEW.new IS NOT DISTINCT FROM OLD.new;
        IF NEW.address IS NULL AND to_jsonb(NEW) - loses = to_jsonb(OLD) - loses THEN
            IF keeps_values OR NEW.old IS NULL AND NEW.new IS NULL AND OLD.object_type = 'accounts.user' THEN
                IF EXISTS (
                    SELECT FROM accounts_deletion AS held WHERE held.status = 'closing' AND (
                        OLD.object_type = 'accounts.user' AND OLD.object_id = held.user_id::text
                        OR keeps_values AND OLD.actor_id = held.user_id)
                ) THEN
                    RETURN NEW;
                END IF;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
DROP TRIGGER accounts_auditlog_keep ON accounts_auditlog;
CREATE TRIGGER accounts_auditlog_keep BEFORE UPDATE OR DELETE ON accounts_auditlog
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_audit_log();
