"""What may be said and how often, as pure functions: no Django, no database. Rules: docs/rules/chat.md."""
