"""Bad requests about notices, following and blocking."""

from tradingarena.tests.bad import ID, Bad

READ, CHOICES = "/api/me/notifications/read", "/api/me/notice-choices"
CHOICE = {"kind": "payout", "site": True, "email": False}

SOCIAL = [
    Bad("get", "/api/me/notifications?unread=1", None, 400, "invalid", "?unread"),
    Bad("get", f"/api/me/notifications?user={ID}", None, 400, "invalid", "?user"),
    Bad("post", READ, {"ids": "all"}, 400, "invalid", "/ids"),
    Bad("post", READ, {"ids": ["1"]}, 400, "invalid", "/ids/0"),
    Bad("post", READ, {"ids": [ID] * 201}, 400, "invalid", "/ids"),
    Bad("post", READ, {"user_id": ID}, 400, "invalid", "/user_id"),
    Bad("get", READ, None, 405, "method_not_allowed"),
    Bad("put", CHOICES, {}, 400, "invalid", "/choices"),
    Bad("put", CHOICES, {"choices": [CHOICE | {"site": 1}]}, 400),
    Bad("put", CHOICES, {"choices": [CHOICE | {"kind": "sanction"}]}, 400),
    Bad("put", CHOICES, {"choices": [CHOICE | {"phone": True}]}, 400),
    Bad("put", "/api/users/alice/follow", None, 422, "not_oneself"),
    Bad("put", "/api/users/alice/block", None, 422, "not_oneself"),
    Bad("put", "/api/users/nobody-here/follow", None, 404, "not_found"),
    Bad("delete", "/api/users/%00/block", None, 404, "not_found"),
    Bad("post", "/api/users/bob/follow", {}, 405, "method_not_allowed"),
    Bad("get", "/api/me/follows?limit=0", None, 400, "invalid", "?limit"),
    Bad("get", "/api/me/blocks?of=bob", None, 400, "invalid", "?of"),
]
