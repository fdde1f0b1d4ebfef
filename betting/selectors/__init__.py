"""Reading bet-behind: nothing here writes."""
