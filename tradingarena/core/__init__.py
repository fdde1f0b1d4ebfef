"""The kernel: what every app stands on. It imports none of them."""
