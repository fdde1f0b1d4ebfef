DROP TRIGGER accounts_auditlog_keep ON accounts_auditlog;
CREATE TRIGGER accounts_auditlog_keep BEFORE UPDATE OR DELETE ON accounts_auditlog
    FOR EACH ROW EXECUTE FUNCTION arena_refuse_change();
DROP FUNCTION accounts_keep_audit_log();
