"""The REST paths of challenges."""
