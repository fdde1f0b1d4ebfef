"""REST of accounts: oneself, one's API tokens, other people's public side, tickets for sockets."""
