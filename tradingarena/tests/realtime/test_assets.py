"""Static files at the edge: what is cached for how long, in which encoding, and that no path leads out of the folder."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tradingarena.assets import StaticFiles

HASHED = "css/tokens.0123456789ab.css"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / HASHED).write_text("a{color:red}" * 200)
    (tmp_path / "static" / "logo.mjs").write_text("export {}")
    (tmp_path / "static" / "x.bin").write_bytes(b"\0" * 4096)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "static"


async def ask(root: Path, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    asked = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": asked}
    await StaticFiles(pages, root=root, url="/static/")(scope, None, send)
    return sent[0]["status"], {key.decode(): value.decode() for key, value in sent[0]["headers"]}, sent[1]["body"]


async def test_a_hashed_name_is_kept_for_ever_and_others_for_a_minute(root: Path) -> None:
    status, headers, body = await ask(root, f"/static/{HASHED}")
    assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert headers["content-type"] == "text/css; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert len(body) == int(headers["content-length"]) == 2400
    _, headers, _ = await ask(root, "/static/logo.mjs")
    assert headers["cache-control"] == "public, max-age=60"
    assert headers["content-type"] == "text/javascript; charset=utf-8"


async def test_text_is_compressed_for_who_can_read_it(root: Path) -> None:
    for accepted, encoding in (
        ("gzip, br", "gzip"),
        ("br", None),
        ("gzip;q=0", None),
        ("", None),
        ("deflate, gzip;q=0.5", "gzip"),
    ):
        _, headers, body = await ask(root, f"/static/{HASHED}", accept_encoding=accepted)
        assert headers.get("content-encoding") == encoding, accepted
        assert headers["vary"] == "Accept-Encoding"
        assert (gzip.decompress(body) if encoding else body) == b"a{color:red}" * 200
    (root / f"{HASHED}.br").write_bytes(b"brotli")
    _, headers, body = await ask(root, f"/static/{HASHED}", accept_encoding="gzip, br")
    assert (headers["content-encoding"], body) == ("br", b"brotli")
    _, headers, _ = await ask(root, "/static/x.bin", accept_encoding="gzip")
    assert "content-encoding" not in headers


async def test_what_the_browser_has_is_not_sent_again(root: Path) -> None:
    _, headers, _ = await ask(root, f"/static/{HASHED}")
    for condition in (
        {"if_none_match": headers["etag"]},
        {"if_none_match": f'"x", {headers["etag"]}'},
        {"if_modified_since": headers["last-modified"]},
    ):
        status, again, body = await ask(root, f"/static/{HASHED}", **condition)
        assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    for condition in (
        {"if_none_match": '"other"'},
        {"if_modified_since": "yesterday"},
        {"if_modified_since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):
        assert (await ask(root, f"/static/{HASHED}", **condition))[0] == 200


async def test_only_files_below_the_root_and_only_reading(root: Path) -> None:
    for path in (
        "",
        "css",
        "css/",
        "../secret.txt",
        "css/../../secret.txt",
        "./logo.mjs",
        "//etc/passwd",
        "a\0b",
        "..\\secret.txt",
        "none.css",
    ):
        assert (await ask(root, f"/static/{path}"))[0] == 404, path
    assert (await ask(root, "/elsewhere"))[0] == 299
    assert (await ask(root, "/static/logo.mjs", method="POST"))[0] == 405
    status, headers, body = await ask(root, "/static/logo.mjs", method="HEAD")
    assert (status, headers["content-length"], body) == (200, "9", b"")


async def test_before_anything_was_collected_the_sources_are_served(tmp_path: Path) -> None:
    status, headers, body = await ask(tmp_path / "nothing", "/static/css/tokens.css")
    assert (status, headers["cache-control"]) == (200, "no-cache")
    assert body
    assert (await ask(tmp_path / "nothing", "/static/css/none.css"))[0] == 404
