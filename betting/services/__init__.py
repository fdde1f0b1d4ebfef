"""The doors of bet-behind: what opens, takes, settles and voids."""
