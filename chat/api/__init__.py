"""The REST paths of the chat."""
