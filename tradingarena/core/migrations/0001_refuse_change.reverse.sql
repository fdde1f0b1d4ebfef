DROP FUNCTION arena_refuse_change();
