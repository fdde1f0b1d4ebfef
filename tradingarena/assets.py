"""Static files at the edge of the application: no Django, no middleware, no thread once a file is in memory.

Names and hashes come from `collectstatic` (tradingarena/staticfiles.py). Rules: docs/realtime.md#static-files.
"""

import asyncio
import gzip
import mimetypes
import os
import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate, parsedate_to_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]

HASHED = re.compile(r"\.[0-9a-f]{12}\.[^/]+$")
PACKED_TYPES = re.compile(r"^(text/|application/(javascript|json|manifest\+json|xml)|image/svg\+xml|font/ttf)")
PACK_FROM_BYTES = 512
KEPT_BYTES = 48 * 1024 * 1024
TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class Asset(NamedTuple):
    """A file in memory, in each encoding that makes it smaller."""

    headers: list[tuple[bytes, bytes]]
    etag: bytes
    modified_s: int
    bodies: dict[str, bytes]


class StaticFiles:
    """Answers paths below the static prefix from `root`; everything else is the application's.

    While nothing has been collected (tests, a fresh checkout) the apps' own files are served, uncached.
    """

    def __init__(self, app: App, *, root: str | os.PathLike[str], url: str) -> None:
        self._app, self._root = app, Path(os.fspath(root))
        self._prefix = urlsplit(url).path
        self._kept: dict[str, Asset] = {}
        self._kept_bytes = 0

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, [(b"allow", b"GET, HEAD")])
            return
        name = scope["path"][len(self._prefix) :]
        asset = self._kept.get(name) or await asyncio.to_thread(self._load, name)
        if asset is None:
            await _answer(send, 404, [(b"content-type", b"text/plain")], b"There is no such file.")
            return
        asked = {
            key: value
            for key, value in scope["headers"]
            if key in {b"accept-encoding", b"if-none-match", b"if-modified-since"}
        }
        if _is_known(asset, asked):
            await _answer(send, 304, [*asset.headers, (b"etag", asset.etag)])
            return
        encoding = _choose(asset, asked.get(b"accept-encoding", b"").decode("latin-1"))
        body = asset.bodies[encoding]
        headers = [*asset.headers, (b"etag", asset.etag), (b"content-length", str(len(body)).encode())]
        if encoding:
            headers.append((b"content-encoding", encoding.encode()))
        await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)

    def _load(self, name: str) -> Asset | None:
        path = self._find(name)
        if path is None:
            return None
        plain, modified_s = path.read_bytes(), int(path.stat().st_mtime)
        type_ = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        bodies = {"": plain}
        if PACKED_TYPES.match(type_) and len(plain) >= PACK_FROM_BYTES:
            if (brotli := path.with_name(path.name + ".br")).is_file():
                bodies["br"] = brotli.read_bytes()
            bodies["gzip"] = gzip.compress(plain, 6, mtime=0)
        collected = self._root in path.parents
        forever = collected and HASHED.search(name)
        headers = [
            (b"content-type", (f"{type_}; charset=utf-8" if type_.startswith("text/") else type_).encode()),
            (
                b"cache-control",
                b"public, max-age=31536000, immutable"
                if forever
                else b"public, max-age=60"
                if collected
                else b"no-cache",
            ),
            (b"last-modified", formatdate(modified_s, usegmt=True).encode()),
            (b"vary", b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
        ]
        asset = Asset(headers, b'W/"' + blake2b(plain, digest_size=12).hexdigest().encode() + b'"', modified_s, bodies)
        size = sum(map(len, bodies.values()))
        if forever and self._kept_bytes + size <= KEPT_BYTES:
            self._kept[name], self._kept_bytes = asset, self._kept_bytes + size
        return asset

    def _find(self, name: str) -> Path | None:
        if (
            not name
            or name.endswith("/")
            or "\0" in name
            or "\\" in name
            or os.path.normpath(name) != name
            or name.startswith(("/", ".."))
        ):
            return None
        if self._root.is_dir():
            path = self._root / name
            return path if path.is_file() else None
        found = finders.find(name)
        return Path(found) if isinstance(found, str) and Path(found).is_file() else None


def _is_known(asset: Asset, asked: dict[bytes, bytes]) -> bool:
    if b"if-none-match" in asked:
        return asset.etag in [tag.strip() for tag in asked[b"if-none-match"].split(b",")]
    if b"if-modified-since" not in asked:
        return False
    try:
        return parsedate_to_datetime(asked[b"if-modified-since"].decode("latin-1")).timestamp() >= asset.modified_s
    except ValueError:
        return False


def _choose(asset: Asset, accepted: str) -> str:
    offered = {}
    for part in accepted.split(","):
        name, _, quality = part.strip().partition(";")
        offered[name.strip().lower()] = quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return next((encoding for encoding in ("br", "gzip") if encoding in asset.bodies and offered.get(encoding)), "")


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    if not any(key == b"content-length" for key, _ in headers) and status != 304:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
