"""Reading what may be watched, and by whom."""
