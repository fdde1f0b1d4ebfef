"""Pure rules of tokens: no framework, no database. Source: docs/rules/economy.md."""
