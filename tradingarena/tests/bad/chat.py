"""Bad requests about the chat: {h} is the channel of everybody, {m} a message in it."""

from tradingarena.tests.bad import ID, Bad

SAY = {"text": "hello", "client_id": "1"}
TIP = {"to_user_id": ID, "amount_tokens": 1, "client_id": "1"}
MODERATE = {"user_id": ID, "action": "warn", "reason": "Be kind."}


def post(
    path: str, body: object, pointer: str | None, status: int = 400, code: str = "invalid", who: str = "alice"
) -> Bad:
    return Bad("post", path, body, status, code, pointer, who)


CHAT = [
    *(post("{h}/messages", {**SAY, "text": bad}, "/text") for bad in (None, 1, [], "x" * 2001)),
    *(post("{h}/messages", {**SAY, "client_id": bad}, "/client_id") for bad in (None, 1, "", "x" * 65)),
    *(post("{h}/messages", {**SAY, "reply_to_id": bad}, "/reply_to_id") for bad in ("x", 1, ID[:-1])),
    post("{h}/messages", {"text": "hello"}, "/client_id"),
    post("{h}/messages", {**SAY, "user_id": ID}, "/user_id"),
    post("{h}/messages", {**SAY, "state": "shown"}, "/state"),
    post("{h}/messages", [], None, 400, "malformed_json"),
    post("{h}/messages", {**SAY, "reply_to_id": ID}, None, 404, "reply_not_found"),
    post("{h}/messages", {**SAY, "text": " "}, None, 422, "chat_text"),
    post(f"/api/chat/{ID}/messages", SAY, None, 404, "not_found"),
    Bad("get", f"/api/chat/{ID}/messages", None, 404, "not_found"),
    Bad("get", "/api/chat/global/messages", None, 404, "not_found"),
    Bad("get", "{h}/messages?limit=0", None, 400, "invalid", "?limit"),
    Bad("get", "{h}/messages?cursor=zzz", None, 400, "bad_cursor"),
    Bad("get", "{h}/messages?since=1", None, 400, "invalid", "?since"),
    Bad("get", f"{{h}}/messages/{ID}", None, 404, "not_found"),
    Bad("delete", f"{{h}}/messages/{ID}", None, 404, "not_found"),
    Bad("delete", "{m}", None, 403, "not_your_chat"),
    Bad("patch", "{m}", {"text": "changed"}, 405, "method_not_allowed"),
    *(post("{m}/report", {"reason": bad}, "/reason") for bad in (None, "", "rude", 1)),
    post("{m}/report", {"reason": "spam", "note": "x" * 301}, "/note"),
    post(f"{{h}}/messages/{ID}/report", {"reason": "spam"}, None, 404, "not_found"),
    *(post("{h}/moderate", {**MODERATE, "action": bad}, "/action") for bad in (None, "kick", 1)),
    *(post("{h}/moderate", {**MODERATE, "preset": bad}, "/preset") for bad in (None, "2h", 60)),
    *(post("{h}/moderate", {**MODERATE, "scope": bad}, "/scope") for bad in (None, "site")),
    *(post("{h}/moderate", {**MODERATE, "reason": bad}, "/reason") for bad in (None, "", "x" * 201)),
    post("{h}/moderate", {**MODERATE, "until": "2199-01-01T00:00:00Z"}, "/until"),
    post("{h}/moderate", MODERATE, None, 404, "not_found", "operator"),
    *(
        post("{h}/tips", {**TIP, "amount_tokens": bad}, "/amount_tokens")
        for bad in (None, 0, -1, 1.5, "1", True, 10**12)
    ),
    post("{h}/tips", {**TIP, "to_user_id": "bob"}, "/to_user_id"),
    post("{h}/tips", TIP, None, 404, "not_found"),
    *(Bad("put", "{h}/read", {"number": bad}, 400, "invalid", "/number") for bad in (None, -1, "1", 2**63)),
    post("/api/chat/direct", {"username": "alice"}, None, 422, "chat_with_oneself"),
    post("/api/chat/direct", {"username": "nobody-here"}, None, 404, "not_found"),
    post("/api/chat/direct", {"username": "x" * 21}, "/username"),
    post(f"/api/chat/standing/{ID}/appeal", {"text": "why"}, None, 404, "not_found"),
    post(f"/api/chat/standing/{ID}/appeal", {"text": ""}, "/text"),
    Bad("get", "/api/chat/channels?kind=global", None, 400, "invalid", "?kind"),
]
