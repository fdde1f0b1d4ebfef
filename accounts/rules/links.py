"""What links accounts, and what does not. Rules: docs/rules/fair-play.md#linked-accounts."""

A_CROWD = 10  # accounts on one device or address: more are a school, an office, a carrier
