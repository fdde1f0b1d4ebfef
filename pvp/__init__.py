"""One-against-one challenges."""
