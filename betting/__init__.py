"""Bet-behind: parimutuel pools on how a trader will do."""
