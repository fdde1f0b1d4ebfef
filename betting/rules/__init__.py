"""Pure decisions of bet-behind: lines, weights, odds, what a line pays. No database, no clock, no framework."""
