-- These rows are rewritten with every fill: room on their pages lets them change without touching an index.
ALTER TABLE competitions_entry SET (fillfactor = 60);
ALTER TABLE competitions_position SET (fillfactor = 60);
ALTER TABLE competitions_trade SET (fillfactor = 70);
