"""Reading challenges. Nothing here writes."""
