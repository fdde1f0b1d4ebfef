"""The pure engine: quotes and orders in, decisions out. No Django, no Redis, no clock of its own; numpy is allowed."""
