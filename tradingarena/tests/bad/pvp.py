"""Bad requests about challenges."""

from typing import Any

from tradingarena.tests.bad import ID, Bad

KEY = {"Idempotency-Key": "k"}
LIST = "/api/pvp/challenges"
ONE = f"{LIST}/{ID}"
TERMS = {"stake_tokens": 10, "pairs": ["EUR/USD"], "duration_s": 600}


def terms(pointer: str, status: int = 400, code: str = "invalid", **changed: Any) -> Bad:
    body = {"invitee": "bob", "terms": TERMS | changed}
    return Bad("post", LIST, body, status, code, f"/terms/{pointer}", headers=KEY)


PVP = [
    Bad("post", LIST, {"invitee": "bob", "terms": TERMS}, 400, "idempotency_key_required"),
    Bad("post", LIST, {}, 400, "invalid", "/invitee", headers=KEY),
    Bad("post", LIST, {"invitee": 5, "terms": TERMS}, 400, "invalid", "/invitee", headers=KEY),
    Bad("post", LIST, {"invitee": "x" * 255, "terms": TERMS}, 400, "invalid", "/invitee", headers=KEY),
    Bad("post", LIST, {"invitee": "bob"}, 400, "invalid", "/terms", headers=KEY),
    Bad("post", LIST, {"invitee": "bob", "terms": []}, 400, headers=KEY),
    Bad("post", LIST, {"invitee": "bob", "terms": TERMS, "challenger": ID}, 400, "invalid", "/challenger", headers=KEY),
    Bad("post", LIST, {"invitee": "alice", "terms": TERMS}, 422, "self_challenge", headers=KEY),
    Bad("post", LIST, {"invitee": "alice@example.com", "terms": TERMS}, 422, "self_challenge", headers=KEY),
    Bad("post", LIST, {"invitee": "@", "terms": TERMS}, 422, "email_refused", headers=KEY),
    Bad("post", LIST, {"invitee": "nobody-here", "terms": TERMS}, 404, "not_found", headers=KEY),
    *(terms("stake_tokens", stake_tokens=bad) for bad in (-1, 1.5, "10", True, None, 10**9)),
    *(terms("duration_s", duration_s=bad) for bad in (299, 2_592_001, "600", 600.0)),
    *(terms("pairs", pairs=bad) for bad in ([], "EUR/USD", None, {})),
    terms("pairs/0", pairs=["EURUSD"]),
    *(terms("starts_at", starts_at=bad) for bad in ("now", 1, "2026-01-01", "9999-12-31T23:59:59Z")),
    *(terms("rake_bps", rake_bps=bad) for bad in (-1, 2_001, "5")),
    terms("drawdown_rule", drawdown_rule="sideways"),
    terms("winner", winner=ID),
    terms("stake_cents", 422, "terms_refused", stake_tokens=0),
    terms("stake_cents", 422, "terms_refused", stake_cents=100),
    terms("starts_at", 422, "terms_refused", starts_at="2026-01-01T00:00:00Z"),
    terms("pairs", 422, "terms_refused", pairs=["EUR/USD", "EUR/USD"]),
    Bad("get", f"{LIST}?box=mine", None, 400, "invalid", "?box"),
    Bad("get", f"{LIST}?user={ID}", None, 400, "invalid", "?user"),
    Bad("get", ONE, None, 404, "challenge_unknown"),
    Bad("get", f"{LIST}/1", None, 404, "not_found"),
    Bad("put", ONE, {"version": 1, "terms": TERMS}, 404, "challenge_unknown"),
    Bad("put", ONE, {"terms": TERMS}, 400, "invalid", "/version"),
    Bad("put", ONE, {"version": 0, "terms": TERMS}, 400, "invalid", "/version"),
    Bad("post", f"{ONE}/accept", {"accept": "yes", "version": 1}, 400, "invalid", "/accept"),
    Bad("post", f"{ONE}/accept", {"accept": True}, 400, "invalid", "/version"),
    Bad("post", f"{ONE}/accept", {"accept": True, "version": "1"}, 400, "invalid", "/version"),
    Bad("post", f"{ONE}/accept", {"accept": True, "version": 1}, 404, "challenge_unknown"),
    Bad("post", f"{ONE}/accept", {"accept": False, "version": 1, "reason": "x" * 201}, 400, "invalid", "/reason"),
    Bad("post", f"{ONE}/checkout", {}, 400, "idempotency_key_required"),
    Bad("post", f"{ONE}/checkout", {"amount_cents": 1}, 400, "invalid", "/amount_cents", headers=KEY),
    Bad("post", f"{ONE}/checkout", {}, 404, "challenge_unknown", headers=KEY),
    Bad("post", f"{ONE}/confirm-payment", {"paid": True}, 400, "invalid", "/paid"),
    Bad("post", f"{ONE}/cancel", {}, 404, "challenge_unknown"),
    Bad("post", f"{ONE}/rematch", {}, 400, "idempotency_key_required"),
    Bad("delete", ONE, None, 405, "method_not_allowed"),
]
