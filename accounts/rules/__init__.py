"""What accounts decides without a database: names, roles, scopes, ages. Rules: docs/rules/accounts.md."""
