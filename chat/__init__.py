"""Talk: channels, messages, moderation."""
