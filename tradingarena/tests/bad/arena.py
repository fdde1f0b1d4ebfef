"""Bad requests about the arena and a trader's journal."""

from tradingarena.tests.bad import ID, Bad


def query(path: str, pointer: str) -> Bad:
    return Bad("get", path, None, 400, "invalid", pointer)


ARENA = [
    query("/api/arena/listings?place=0", "?place"),
    query("/api/arena/listings?place=x", "?place"),
    query("/api/arena/listings?limit=201", "?limit"),
    query("/api/arena/listings?min_viewers=-1", "?min_viewers"),
    query("/api/arena/listings?min_viewers=1e3", "?min_viewers"),
    query("/api/arena/listings?featured=yes", "?featured"),
    query("/api/arena/listings?bet_behind=2", "?bet_behind"),
    query(f"/api/arena/listings?q={'x' * 101}", "?q"),
    query("/api/arena/listings?q=%00", "?q"),
    query("/api/arena/listings?sort=viewers", "?sort"),
    query("/api/arena/listings?q=a&q=b", "?q"),
    Bad("get", f"/api/arena/{ID}", None, 404, "not_found"),
    Bad("get", "/api/arena/none-such", None, 404, "not_found"),
    query("{l}?full=1", "?full"),
    query("{l}/replay?points=9", "?points"),
    Bad("get", "{l}/replay", None, 409, "no_results"),
    Bad("post", "{l}", {}, 405, "method_not_allowed"),
    Bad("get", "{l}/join", None, 405, "method_not_allowed"),
    *(Bad("post", "{l}/join", {"invite_code": bad}, 400, "invalid", "/invite_code") for bad in (None, 1, [], "x" * 65)),
    Bad("post", "{l}/join", {"user_id": ID}, 400, "invalid", "/user_id"),
    Bad("post", "{l}/join", [], 400, "malformed_json"),
    Bad("post", "{l}/join", b"{", 400, "malformed_json"),
    Bad("post", "{l}/leave", {"viewer": "me"}, 400, "invalid", "/viewer"),
    Bad("post", f"/api/arena/{ID}/join", {}, 404, "not_found"),
    Bad("post", f"/api/arena/{ID}/leave", {}, 404, "not_found"),
    Bad("post", "{l}/join", b"x=1", 415, "unsupported_media_type", content_type="application/x-www-form-urlencoded"),
    query("{c}/statistics?entry_id=me", "?entry_id"),
    query(f"{{c}}/trades.csv?entry_id={ID}&x=1", "?x"),
    Bad("get", f"{{c}}/statistics?entry_id={ID}", None, 404, "not_found"),
]
