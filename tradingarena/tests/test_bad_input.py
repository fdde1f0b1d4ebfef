"""What is not right is refused with a clear problem: a table over every endpoint, header, path, query and field.

A row is a request and the status and code of its answer. None may end in a 5xx, whatever the table says.
"""

import json
from typing import Any
from uuid import uuid4

import pytest

from arena.services.listings import listing_make
from chat.services import channels
from chat.services.posting import Draft, message_post
from competitions.models import Order
from tradingarena.core.paging import _cursor
from tradingarena.tests.bad import ID, JSON, Bad
from tradingarena.tests.bad.arena import ARENA
from tradingarena.tests.bad.betting import BETTING
from tradingarena.tests.bad.chat import CHAT
from tradingarena.tests.bad.money import MONEY
from tradingarena.tests.bad.pvp import PVP
from tradingarena.tests.bad.social import SOCIAL
from tradingarena.tests.cast import Cast, anonymous, by_token, problem_of

ORDER = {"id": ID, "pair": "EUR/USD", "side": "buy", "type": "market", "units": 100_000}
LIMIT = ORDER | {"type": "limit", "price": "1.00000"}
CONTEST = {
    "title": "Evening cup",
    "starts_at": "2199-01-01T00:00:00Z",
    "ends_at": "2199-01-01T01:00:00Z",
    "pairs": ["EUR/USD"],
}


def order(**changed: Any) -> dict[str, Any]:
    return ORDER | changed


def orders(body: Any, pointer: str | None = None, status: int = 400, code: str = "invalid", **more: Any) -> Bad:
    return Bad("post", "{c}/orders", body, status, code, pointer, **more)


def contests(body: Any, pointer: str | None = None, status: int = 400, code: str = "invalid") -> Bad:
    return Bad("post", "/api/competitions", body, status, code, pointer, who="operator")


def raw(body: bytes | str, status: int = 400, code: str = "malformed_json", content_type: str = JSON) -> Bad:
    return orders(body, None, status, code, content_type=content_type)


def query(path: str, pointer: str, code: str = "invalid", status: int = 400) -> Bad:
    return Bad("get", path, None, status, code, pointer)


def text(body: Any) -> str:
    return json.dumps(body)


BODIES = [
    raw(b"", 400, "invalid"),
    raw(b"{"),
    raw(b"nonsense"),
    raw(b"\xff\xfe{}"),
    raw(b"\xef\xbb\xbf{}"),
    raw(b'{"id": "\xc3\x28"}'),
    raw(b"[]"),
    raw(b"null"),
    raw(b"true"),
    raw(b"12"),
    raw(b'"text"'),
    raw(b"{} {}"),
    raw(b'{"units": NaN}'),
    raw(b'{"units": Infinity}'),
    raw(b'{"units": -Infinity}'),
    raw(b'{"units": 1, "units": 2}'),
    raw(b'{"a": {"b": 1, "b": 2}}'),
    raw(b'{"units": 00}'),
    raw(b'{"units": 0x10}'),
    raw(b"{'id': 1}"),
    raw(b'{"id": "a\nb"}'),
    raw(b'{"id": "\\u0000"}'),
    raw(b'{"\\u0000": 1}'),
    raw(b'{"id": "\\ud800"}'),
    raw(b'{"id": "\\udc00\\ud800"}'),
    raw(b'{"id": "\\x41"}'),
    raw(b"{" + b'"units": ' + b"9" * 20 + b"}"),
    raw(b'{"units": ' + b"9" * 5000 + b"}"),
    raw(b'{"units": 1.' + b"0" * 100 + b"}"),
    raw(b'{"a":' * 33 + b"1" + b"}" * 33),
    raw(b"[" * 60_000),
    raw(b'{"a": "' + b"x" * 66_000 + b'"}', 413, "too_large"),
    raw(b" " * 70_000, 413, "too_large"),
    raw(b"id=1", 415, "unsupported_media_type", "application/x-www-form-urlencoded"),
    raw(b"--x--", 415, "unsupported_media_type", "multipart/form-data; boundary=x"),
    raw(b"{}", 415, "unsupported_media_type", "text/plain"),
    raw(b"{}", 415, "unsupported_media_type", ""),
    raw(b"{}", 415, "unsupported_media_type", "application/jsonp"),
    raw(b"{}", 415, "unsupported_media_type", "application/xml"),
]

FIELDS = [
    orders({}, "/id"),
    *(orders({key: value for key, value in ORDER.items() if key != missing}, f"/{missing}") for missing in ORDER),
    orders(order(extra=1), "/extra"),
    orders(order(status="filled"), "/status"),
    orders(order(user_id=ID), "/user_id"),
    orders(order(**{"a/b~c": 1}), "/a~1b~0c"),
    *(
        orders(order(id=bad), "/id")
        for bad in (None, 1, "", "x", ID[:-1], ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}")
    ),
    *(
        orders(order(pair=bad), "/pair")
        for bad in (None, 1, "", "EURUSD", "eur/usd", "EUR/USD ", "USD/EUR", ["EUR/USD"], {})
    ),
    *(orders(order(side=bad), "/side") for bad in (None, "BUY", "long", "", 0, True)),
    *(orders(order(type=bad), "/type") for bad in (None, "Market", "trailing", "", 3)),
    *(
        orders(order(units=bad), "/units")
        for bad in (None, 0, -1, 1.5, 100_000.0, "100000", True, [], {}, 10**12, 2**63 - 1, 2**63, -(2**63))
    ),
    *(
        orders(LIMIT | {"price": bad}, "/price")
        for bad in (
            1,
            1.085,
            "",
            " ",
            "1,085",
            "1.0850000",
            "-1.08",
            "+1.08",
            "0",
            "0.00000",
            "1e3",
            "NaN",
            "Infinity",
            "abc",
            "0x1",
            "1.",
            ".5",
            "01.5",
            "1_0",
            "99999999",
            "9" * 40,
            True,
            [],
            {},
            "１.０８",
        )
    ),  # fmt: skip
    *(orders(order(stop_loss=bad), "/stop_loss") for bad in (1, "-1", "x", True, "1e-5")),
    *(orders(order(take_profit=bad), "/take_profit") for bad in (0, "", "1.0000000000000")),
]

RULES = [
    orders(LIMIT | {"price": None}, None, 422, "price_with_type"),
    orders(order(price="1.00000"), None, 422, "price_with_type"),
    orders(order(pair="EUR/GBP"), None, 422, "pair_not_traded"),
    orders(order(units=999), None, 422, "units_out_of_range"),
    orders(order(units=1_001), None, 422, "units_off_step"),
    orders(order(pair="USD/JPY", stop_loss="100.12345"), None, 422, "price_digits"),
]

PATHS = [
    Bad("get", "/api/competitions/1", None, 404, "not_found"),
    Bad("get", "/api/competitions/" + "9" * 5000, None, 404, "not_found"),
    Bad("get", f"/api/competitions/{ID}", None, 404, "not_found"),
    Bad("get", f"/api/competitions/{ID.upper()}x", None, 404, "not_found"),
    Bad("get", "{c}/", None, 404, "not_found"),
    Bad("get", "{c}/orders/1", None, 404, "not_found"),
    Bad("get", f"{{c}}/orders/{ID}", None, 404, "not_found"),
    Bad("delete", f"{{c}}/orders/{ID}", None, 404, "not_found"),
    Bad("patch", f"{{c}}/orders/{ID}", {"units": 1_000}, 404, "not_found"),
    Bad("patch", f"{{c}}/positions/{ID}", {"stop_loss": None}, 404, "not_found"),
    Bad("post", f"{{c}}/positions/{ID}/close", {"id": ID}, 404, "not_found"),
    Bad("get", "{c}/%2e%2e/%2e%2e/etc", None, 404, "not_found"),
    Bad("get", "/api/users/%00", None, 404, "not_found"),
    Bad("get", "/api/users/" + "a" * 3_000, None, 404, "not_found"),
    Bad("get", "/api/users/%F0%9F%98%80", None, 404, "not_found"),
    Bad("get", "/api/users/nobody-here", None, 404, "not_found"),
    Bad("delete", f"/api/me/api-tokens/{ID}", None, 403, "session_required"),
    Bad("post", "{c}/leaderboard", {}, 405, "method_not_allowed"),
    Bad("put", "{c}/orders", {}, 405, "method_not_allowed"),
    Bad("patch", "/api/quotes", {}, 405, "method_not_allowed"),
    Bad("delete", "/api/competitions", None, 405, "method_not_allowed"),
]

QUERIES = [
    *(
        query(f"/api/competitions?limit={bad}", "?limit")
        for bad in ("0", "-1", "201", "x", "", "1.5", "1e2", "%00", "9" * 30, "０")
    ),
    query("/api/competitions?limit=1&limit=2", "?limit"),
    query("/api/competitions?page=2", "?page"),
    query("/api/competitions?format=xml", "?format"),
    query("/api/competitions?q=", "?q"),
    query("/api/competitions?q=%00", "?q"),
    query("/api/competitions?q=" + "a" * 101, "?q"),
    query("/api/competitions?status=live", "?status"),
    query("/api/competitions?free=1", "?free"),
    query("/api/competitions?mine=yes", "?mine"),
    *(
        Bad("get", f"/api/competitions?cursor={bad}", None, 400, "bad_cursor")
        for bad in ("x", "%25", "e30", "WyJuIiwxXQ", "WyJ4IiwiYSJd", "WyJuIiwiYSJd", "bm9uc2Vuc2U", "WyJuIl0")
    ),
    query("/api/competitions?cursor=", "?cursor"),
    query("/api/competitions?cursor=" + "a" * 301, "?cursor"),
    query("{c}/orders?status=pending", "?status"),
    query("{c}/orders?pair=eurusd", "?pair"),
    Bad("get", "{c}/orders?" + "cursor=" + _cursor(False, 2**63)["cursor"], None, 400, "bad_cursor"),
    Bad("get", "{c}/orders?" + "cursor=" + _cursor(False, "1' OR 1=1")["cursor"], None, 400, "bad_cursor"),
    Bad("get", "{c}/fills?" + "cursor=" + _cursor(True, 2**31)["cursor"], None, 400, "bad_cursor"),
    query("{c}/fills?entry_id=1", "?entry_id"),
    query("{c}/deals?entry_id=", "?entry_id"),
    Bad("get", f"{{c}}/trades?entry_id={ID}", None, 404, "not_found"),
    query("{c}/equity?points=1", "?points"),
    query("{c}/equity?points=2001", "?points"),
    query("{c}/leaderboard?place=0", "?place"),
    query("{c}/leaderboard?place=2147483648", "?place"),
    query("{c}/leaderboard?cursor=x", "?cursor"),
    query("{c}?invite_code=x", "?invite_code"),
    query("/api/candles", "?pair"),
    query("/api/candles?pair=EURUSD", "?pair"),
    query("/api/candles?pair=EUR/USD&timeframe=2m", "?timeframe"),
    query("/api/candles?pair=EUR/USD&side=mid", "?side"),
    query("/api/candles?pair=EUR/USD&limit=1001", "?limit"),
    *(
        query(f"/api/candles?pair=EUR/USD&from={bad}", "?from")
        for bad in (
            "1",
            "now",
            "2026-03-02",
            "2026-03-02T12:00:00",
            "2026-02-30T12:00:00Z",
            "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00",
            "0001-01-01T00:00:00%2B12:00",
            "2026-03-02T25:00:00Z",
            "2026-03-02T12:00:00%2B99:00",
            "2026-W10-1T12:00:00Z",
            "٢٠٢٦-03-02T12:00:00Z",
        )
    ),  # fmt: skip
    Bad("get", "/api/candles?pair=EUR/USD&from=2026-03-02T12:00:00Z&to=2026-03-02T12:00:00Z", None, 422, "time_range"),
    query("/api/quotes?pair=XAU/USD", "?pair"),
    query("/api/instruments?x=1", "?x"),
    query("/api/me?x=1", "?x"),
    Bad("post", "{c}/orders?id=1", ORDER, 400, "invalid", "?id"),
]

HEADERS = [
    Bad("get", "/api/me", None, 401, "token_invalid", headers={"Authorization": "Bearer"}),
    Bad("get", "/api/me", None, 401, "token_invalid", headers={"Authorization": "Bearer a b"}),
    Bad("get", "/api/me", None, 401, "token_invalid", headers={"Authorization": "Bearer \xff\xfe"}),
    Bad("get", "/api/me", None, 401, "token_invalid", headers={"Authorization": "Bearer " + "x" * 10_000}),
    Bad("get", "/api/me", None, 401, "not_signed_in", headers={"Authorization": "Basic YTpi"}),
    Bad("post", "{o}/join", {}, 400, "idempotency_key_required"),
    Bad("post", "{o}/join", {}, 400, "idempotency_key_required", headers={"Idempotency-Key": ""}),
    Bad("post", "{o}/join", {}, 400, "idempotency_key_required", headers={"Idempotency-Key": "x" * 256}),
    Bad("post", "{o}/withdraw", {}, 400, "idempotency_key_required"),
    Bad("post", "{o}/join", {"user_id": ID}, 400, "invalid", "/user_id", headers={"Idempotency-Key": "a"}),
    Bad("post", "{o}/join", {"invite_code": 5}, 400, "invalid", "/invite_code", headers={"Idempotency-Key": "b"}),
    Bad(
        "post", "{o}/join", {"invite_code": "x" * 65}, 400, "invalid", "/invite_code", headers={"Idempotency-Key": "c"}
    ),
    Bad("post", "{o}/withdraw", {"id": 1}, 400, "invalid", "/id", headers={"Idempotency-Key": "d"}),
]

CONTESTS = [
    contests({}, "/title"),
    contests(CONTEST | {"title": ""}, "/title"),
    contests(CONTEST | {"title": 5}, "/title"),
    contests(CONTEST | {"title": "x" * 121}, "/title"),
    contests(CONTEST | {"title": "a\nb"}, "/title", 422, "competition_invalid"),
    contests(CONTEST | {"title": "ab"}, "/title", 422, "competition_invalid"),
    contests(CONTEST | {"starts_at": "tomorrow"}, "/starts_at"),
    contests(CONTEST | {"starts_at": 1_700_000_000}, "/starts_at"),
    contests(CONTEST | {"ends_at": None}, "/ends_at"),
    contests(CONTEST | {"ends_at": CONTEST["starts_at"]}, "/ends_at", 422, "competition_invalid"),
    contests(CONTEST | {"starts_at": "2000-01-01T00:00:00Z"}, None, 422, "competition_invalid"),
    contests(CONTEST | {"pairs": []}, "/pairs"),
    contests(CONTEST | {"pairs": "EUR/USD"}, "/pairs"),
    contests(CONTEST | {"pairs": {"0": "EUR/USD"}}, "/pairs"),
    contests(CONTEST | {"pairs": ["EUR/USD", "BTC/USD"]}, "/pairs/1"),
    contests(CONTEST | {"pairs": ["EUR/USD"] * 29}, "/pairs"),
    contests(CONTEST | {"pairs": ["EUR/USD", "EUR/USD"]}, "/pairs", 422, "competition_invalid"),
    contests(CONTEST | {"leverage": 0}, "/leverage"),
    contests(CONTEST | {"leverage": "30"}, "/leverage"),
    contests(CONTEST | {"leverage": True}, "/leverage"),
    contests(CONTEST | {"starting_balance_cents": -1}, "/starting_balance_cents"),
    contests(CONTEST | {"starting_balance_cents": 2**63}, "/starting_balance_cents"),
    contests(CONTEST | {"rake_bps": 10_001}, "/rake_bps"),
    contests(CONTEST | {"kind": "pvp"}, "/kind"),
    contests(CONTEST | {"drawdown_rule": "weekly"}, "/drawdown_rule"),
    contests(CONTEST | {"drawdown_rule": "peak"}, "/drawdown_limit_bps", 422, "competition_invalid"),
    contests(CONTEST | {"bots_allowed": "yes"}, "/bots_allowed"),
    contests(CONTEST | {"bots_allowed": 1}, "/bots_allowed"),
    contests(CONTEST | {"bots_only": "yes"}, "/bots_only"),
    contests(CONTEST | {"blocked_countries": ["FRA"]}, "/blocked_countries/0"),
    contests(CONTEST | {"blocked_countries": ["ZZ"]}, "/blocked_countries", 422, "competition_invalid"),
    contests(CONTEST | {"prize_split_bps": [10_001]}, "/prize_split_bps/0"),
    contests(CONTEST | {"prize_split_bps": [1] * 101}, "/prize_split_bps"),
    contests(CONTEST | {"prize_split_bps": [5_000, 4_000]}, "/prize_split_bps", 422, "competition_invalid"),
    contests(CONTEST | {"reward_tokens": [-1]}, "/reward_tokens/0"),
    contests(CONTEST | {"max_entries": 0}, "/max_entries"),
    contests(CONTEST | {"open_now": "true"}, "/open_now"),
    contests(CONTEST | {"status": "running"}, "/status"),
    contests(CONTEST | {"id": ID}, "/id"),
    Bad("patch", "{o}", {"slug": "x"}, 400, "invalid", "/slug", who="operator"),
    Bad("patch", "{c}", {"leverage": 5}, 409, "rules_frozen", who="operator"),
    Bad("patch", "{o}", {"leverage": 501}, 400, "invalid", "/leverage", who="operator"),
    Bad("post", "{o}/transition", {}, 400, "invalid", "/to", who="operator"),
    Bad("post", "{o}/transition", {"to": "settling"}, 400, "invalid", "/to", who="operator"),
    Bad("post", "{o}/transition", {"to": "cancelled"}, 422, "reason_needed", who="operator"),
    Bad("post", "{o}/transition", {"to": "cancelled", "reason": "x" * 201}, 400, "invalid", "/reason", who="operator"),
    Bad("post", "{o}/transition", {"to": "running"}, 409, "transition_refused", who="operator"),
]

ACCOUNTS = [
    Bad("patch", "/api/me", {"role": "admin"}, 400, "invalid", "/role"),
    Bad("patch", "/api/me", {"email": "x@example.com"}, 400, "invalid", "/email"),
    Bad("patch", "/api/me", {"is_bot": False}, 400, "invalid", "/is_bot"),
    Bad("patch", "/api/me", {"country": "XX"}, 422, "country_unknown"),
    Bad("patch", "/api/me", {"country": 5}, 400, "invalid", "/country"),
    Bad("patch", "/api/me", {"timezone": "Mars/Base"}, 422, "timezone_unknown"),
    Bad("patch", "/api/me", {"timezone": "../../etc/passwd"}, 422, "timezone_unknown"),
    Bad("post", "/api/me/username", {}, 400, "invalid", "/username"),
    Bad("post", "/api/me/username", {"username": None}, 400, "invalid", "/username"),
    Bad("post", "/api/me/username", {"username": "x" * 200}, 400, "invalid", "/username"),
    Bad("post", "/api/me/api-tokens", {"name": "x", "scopes": ["read"]}, 403, "session_required"),
]

AMENDMENTS = [
    Bad("patch", "{c}/orders/{order}", {}, 400, "nothing_to_change"),
    Bad("patch", "{c}/orders/{order}", {"pair": "USD/JPY"}, 400, "invalid", "/pair"),
    Bad("patch", "{c}/orders/{order}", {"side": "sell"}, 400, "invalid", "/side"),
    Bad("patch", "{c}/orders/{order}", {"price": None}, 400, "invalid", "/price"),
    Bad("patch", "{c}/orders/{order}", {"price": 1.05}, 400, "invalid", "/price"),
    Bad("patch", "{c}/orders/{order}", {"units": None}, 400, "invalid", "/units"),
    Bad("patch", "{c}/orders/{order}", {"units": 1_500}, 422, "units_off_step"),
    Bad("patch", "{c}/orders/{order}", {"stop_loss": "2.00000"}, 422, "stop_loss_wrong_side"),
    Bad("patch", f"{{c}}/positions/{ID}", {"units": 5}, 400, "invalid", "/units"),
    Bad("patch", f"{{c}}/positions/{ID}", {"stop_loss": 1}, 400, "invalid", "/stop_loss"),
    Bad("post", f"{{c}}/positions/{ID}/close", {}, 400, "idempotency_key_required"),
    Bad("post", f"{{c}}/positions/{ID}/close", {"id": ID, "units": 0}, 400, "invalid", "/units"),
    Bad("post", f"{{c}}/positions/{ID}/close", {"id": 7}, 400, "invalid", "/id"),
]

TABLE = [
    *BODIES,
    *FIELDS,
    *RULES,
    *PATHS,
    *QUERIES,
    *HEADERS,
    *CONTESTS,
    *ACCOUNTS,
    *AMENDMENTS,
    *MONEY,
    *ARENA,
    *PVP,
    *BETTING,
    *CHAT,
    *SOCIAL,
]
GROUPS = {
    "bodies": BODIES,
    "fields": FIELDS,
    "rules": RULES,
    "paths": PATHS,
    "queries": QUERIES,
    "headers": HEADERS,
    "contests": CONTESTS,
    "accounts": ACCOUNTS,
    "amendments": AMENDMENTS,
    "money": MONEY,
    "arena": ARENA,
    "pvp": PVP,
    "betting": BETTING,
    "chat": CHAT,
    "social": SOCIAL,
}


@pytest.mark.django_db
@pytest.mark.parametrize("group", GROUPS)
def test_bad_input_is_refused_with_a_clear_problem(group: str) -> None:
    from competitions.tests.factories import make_open_competition

    cast = Cast.assemble()
    upcoming = make_open_competition()
    listing = f"/api/arena/{listing_make(None, cast.sprint.pk).pk}"
    hall = channels.global_channel()
    said = message_post(cast.bob, hall.pk, Draft("hello", "1")).message
    chat = {"h": f"/api/chat/{hall.pk}", "m": f"/api/chat/{hall.pk}/messages/{said.pk}"}
    placed = str(uuid4())
    clients = {"alice": by_token(cast.alice), "operator": by_token(cast.operator)}
    made = clients["alice"].post(cast.path("/orders"), LIMIT | {"id": placed}, format="json")
    assert made.status_code == 201, made.content
    wrong = []
    for row in GROUPS[group]:
        path = row.path.format(c=cast.path(), o=cast.path("", upcoming), order=placed, l=listing, **chat)
        body = row.body if isinstance(row.body, bytes) else b"" if row.body is None else text(row.body).encode()
        client = anonymous() if "Authorization" in row.headers else clients[row.who]
        response = client.generic(row.method.upper(), path, body, row.content_type, headers=row.headers)
        try:
            found = problem_of(response, row.status, row.code)
            pointers = [error["pointer"] for error in found["errors"]]
            assert row.pointer is None or row.pointer in pointers, pointers
            assert b"Traceback" not in response.content
        except AssertionError as error:
            wrong.append(f"{row.method} {row.path[:80]} {str(row.body)[:80]}: {error}")
    assert not wrong, "\n\n".join(wrong)
    assert Order.objects.count() == 1


def test_the_table_is_long_enough_and_says_each_thing_once() -> None:
    assert len(TABLE) == sum(map(len, GROUPS.values()))
    assert len(TABLE) >= 250
    told = [(row.method, row.path, repr(row.body), row.content_type, repr(row.headers)) for row in TABLE]
    assert len(set(told)) == len(told)
