"""What changes listings and lets people in."""
