ALTER TABLE competitions_entry RESET (fillfactor);
ALTER TABLE competitions_position RESET (fillfactor);
ALTER TABLE competitions_trade RESET (fillfactor);
