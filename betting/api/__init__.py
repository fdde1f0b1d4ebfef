"""The REST paths of bet-behind."""
