"""Bad requests about bets."""

from tradingarena.tests.bad import ID, Bad

BETS = "/api/betting/bets"
BODY = {"id": ID, "market_id": ID, "outcome": "positive", "stake_tokens": 10}


def bad(fields: dict[str, object], pointer: str) -> Bad:
    return Bad("post", BETS, BODY | fields, 400, "invalid", pointer)


BETTING = [
    Bad("post", BETS, {}, 400, "invalid", "/id"),
    Bad("post", BETS, [], 400, "malformed_json"),
    Bad("post", BETS, b"{", 400, "malformed_json"),
    *(bad({"id": wrong}, "/id") for wrong in (None, 1, "", "x", ID[:-1], [ID])),
    *(bad({"market_id": wrong}, "/market_id") for wrong in (None, 0, "none-such")),
    *(bad({"outcome": wrong}, "/outcome") for wrong in (None, 1, "", "x" * 25, [], {})),
    *(bad({"stake_tokens": wrong}, "/stake_tokens") for wrong in (None, 0, -10, 10.5, "10", True, 10**10, 2**63)),
    *(bad({"least_pay_tokens": wrong}, "/least_pay_tokens") for wrong in (None, 0, "1", 1.5, 10**16)),
    bad({"user_id": ID}, "/user_id"),
    bad({"weight_bps": 10_000}, "/weight_bps"),
    Bad("post", BETS, BODY, 404, "not_found"),
    *(
        Bad("post", BETS, BODY | {"outcome": name}, 422, "outcome_unknown")
        for name in ("Positive", "beat_0_pct", "beat_05_pct")
    ),
    Bad("post", BETS, b"x=1", 415, "unsupported_media_type", content_type="application/x-www-form-urlencoded"),
    Bad("put", BETS, BODY, 405, "method_not_allowed"),
    Bad("get", f"{BETS}?status=won", None, 400, "invalid", "?status"),
    Bad("get", f"{BETS}?limit=0", None, 400, "invalid", "?limit"),
    Bad("get", f"{BETS}?cursor=x", None, 400, "bad_cursor"),
    Bad("get", f"{BETS}?user_id={ID}", None, 400, "invalid", "?user_id"),
    Bad("get", f"{BETS}/{ID}", None, 404, "not_found"),
    Bad("get", f"/api/betting/markets/{ID}", None, 404, "not_found"),
    Bad("get", f"/api/betting/markets/{ID}?full=1", None, 400, "invalid", "?full"),
    Bad("get", f"/api/betting/history/{ID}", None, 404, "not_found"),
    Bad("get", f"/api/betting/settlements/{ID}", None, 404, "not_found"),
    Bad("get", "/api/betting/settlements/none-such", None, 404, "not_found"),
    Bad("delete", f"{BETS}/{ID}", None, 405, "method_not_allowed"),
    Bad("get", "/api/betting/traders/nobody-of-this-name", None, 404, "not_found"),
    Bad("get", "/api/betting/traders/%00", None, 404, "not_found"),
    Bad("get", "/api/betting/record?user=bob", None, 400, "invalid", "?user"),
]
