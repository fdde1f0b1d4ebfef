DROP TRIGGER accounts_user_former_names ON accounts_user;
DROP FUNCTION accounts_keep_former_names();
