"""The doors of contests: each opens its transaction, checks, writes, and publishes what happened."""
