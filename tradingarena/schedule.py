"""Every beat entry on one page, each with its reason. Tasks are hints: each finds its work by looking at rows."""

from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # A contest that is due to open, start or end is found within 5 s even when the event that should have told us was lost.
    "advance-competitions": {"task": "competitions.advance", "schedule": 5.0, "options": {"expires": 5}},
    # Contests that come again are made and opened in time.
    "make-scheduled-contests": {"task": "competitions.make_scheduled", "schedule": 60.0, "options": {"expires": 60}},
    # A dead feed or engine is noticed and, where this host runs them, started again.
    "supervise-market": {"task": "competitions.supervise", "schedule": 10.0, "options": {"expires": 10}},
    # Events of the payment provider, refunds and ended checkouts that no hint has told of.
    "settle-payments": {"task": "tokens.settle_due", "schedule": 15.0, "options": {"expires": 15}},
    # A webhook that never came, an answer that got lost: what is unsettled is compared with the provider.
    "reconcile-payments": {"task": "tokens.reconcile", "schedule": 300.0, "options": {"expires": 300}},
    # Every digest and chain of the ledger is computed again once a day; what does not hold is logged at ERROR.
    "verify-ledger": {"task": "tokens.verify_ledger", "schedule": 86_400.0, "options": {"expires": 86_400}},
    # Leaderboards catch up with the ledger; referrals whose friend has played enough are decided.
    "count-boards": {"task": "tokens.count_boards", "schedule": 15.0, "options": {"expires": 15}},
    # Completed contests that no event has added to the leaderboards.
    "tally-contests": {"task": "competitions.tally", "schedule": 60.0, "options": {"expires": 60}},
    # Contests that no event listed are listed, passes that none refunded are refunded, and viewer counts reach the rows.
    "tend-arena": {"task": "arena.tend", "schedule": 15.0, "options": {"expires": 15}},
    # Challenges that nobody answered or paid expire, played ones are settled, and stakes follow their payments.
    "tend-challenges": {"task": "pvp.tend", "schedule": 10.0, "options": {"expires": 10}},
    # Markets are opened, locked and settled within seconds even when the event that should have told was lost.
    "settle-bets": {"task": "betting.settle_due", "schedule": 5.0, "options": {"expires": 5}},
    # Another leader or a large trade of a running contest becomes a line of its chat.
    "narrate-chat": {"task": "chat.narrate", "schedule": 5.0, "options": {"expires": 5}},
    # Chats that no event opened or closed, and lines that a killed process committed and did not tell.
    "tend-chat": {"task": "chat.tend", "schedule": 15.0, "options": {"expires": 15}},
    # Who is in a contest that starts soon, or follows somebody in the first three, is told; so is what an event has missed.
    "tell-of-contests": {"task": "competitions.tell", "schedule": 15.0, "options": {"expires": 15}},
    # Orders of contests that are over are looked at for what is unfair, each contest once.
    "look-at-orders": {"task": "competitions.look_at_fair_play", "schedule": 60.0, "options": {"expires": 60}},
    # Challenges that one lets the other win.
    "look-at-challenges": {"task": "pvp.look_at_fair_play", "schedule": 600.0, "options": {"expires": 600}},
    # People who brought each other and look like one.
    "look-at-referrals": {"task": "tokens.look_at_fair_play", "schedule": 600.0, "options": {"expires": 600}},
    # Whose bets were settled is told even when the event that should have told was lost.
    "tell-of-bets": {"task": "betting.tell", "schedule": 60.0, "options": {"expires": 60}},
    # Mails that no hint has told of, and those that the provider did not take before.
    "deliver-mail": {"task": "accounts.deliver_mail", "schedule": 15.0, "options": {"expires": 15}},
    # Notifications that were read long ago are forgotten.
    "sweep-notices": {"task": "accounts.sweep_notices", "schedule": 86_400.0, "options": {"expires": 86_400}},
    # Copies of data that no hint has told of are made; those whose week is over are thrown away.
    "make-exports": {"task": "accounts.make_exports", "schedule": 60.0, "options": {"expires": 60}},
    # Accounts whose two weeks are over are shut, and forgotten some minutes later.
    "forget-people": {"task": "accounts.forget", "schedule": 60.0, "options": {"expires": 60}},
    # What has been kept for as long as docs/privacy.md says is thrown away.
    "sweep-retention": {"task": "accounts.sweep_retention", "schedule": 3600.0, "options": {"expires": 3600}},
    # Answers kept for Idempotency-Key and used socket tickets are forgotten after their day.
    "sweep-idempotency": {"task": "core.sweep_idempotency", "schedule": 3600.0, "options": {"expires": 3600}},
    # The books are proved every ten minutes; a failure is logged at ERROR and shown on /readyz.
    "check-invariants": {"task": "core.check_invariants", "schedule": 600.0, "options": {"expires": 600}},
}
