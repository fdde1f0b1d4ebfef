"""What may be read of contests, and by whom. Nothing here writes."""
