"""The doors of challenges and their tools."""
