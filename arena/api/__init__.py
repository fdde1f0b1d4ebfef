"""The REST paths of the arena."""
