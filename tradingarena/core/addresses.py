"""Where a connection comes from: the client's address behind trusted proxies, and whether a page of ours opened a socket.

Rules: docs/realtime.md#origins.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

Headers = Iterable[tuple[bytes, bytes]]
_PORTS = {"http": 80, "https": 443}
_LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]


def header_values(headers: Headers, name: bytes) -> list[str]:
    """Give the values of a header, in order; names are compared in lower case, as ASGI has them."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def client_address(peer: str | None, headers: Headers) -> str:
    """Tell the client's address: the peer's, or the one that the TRUSTED_PROXIES-th proxy from our side has seen.

    Guarantees: without a trusted proxy no header counts, so nobody can pretend to be somebody else.
    """
    hops = settings.TRUSTED_PROXIES
    if hops:
        chain = [part.strip() for value in header_values(headers, b"x-forwarded-for") for part in value.split(",")]
        if len(chain) >= hops:
            return chain[-hops][:64]
    return peer or "unknown"


def own_origin(scheme: str, headers: Headers) -> tuple[str, str, int] | None:
    """Tell the origin that our own pages have for this request, from its Host header; None when that is missing or not ours."""
    hosts = header_values(headers, b"host")
    if len(hosts) != 1:
        return None
    secure = scheme in {"wss", "https"}
    if settings.SECURE_PROXY_SSL_HEADER:
        name, wanted = settings.SECURE_PROXY_SSL_HEADER
        told = header_values(headers, name.removeprefix("HTTP_").replace("_", "-").lower().encode())
        secure = secure or (bool(told) and told[0].split(",")[0].strip() == wanted)
    origin = parse_origin(f"{'https' if secure else 'http'}://{hosts[0]}")
    allowed = settings.ALLOWED_HOSTS or (_LOCAL_HOSTS if settings.DEBUG else [])
    return origin if origin and validate_host(origin[1], allowed) else None


def parse_origin(text: str) -> tuple[str, str, int] | None:
    """Read an origin into (scheme, host in lower case, port); None for anything that is not exactly one."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    if parts.path or parts.query or parts.fragment:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host.lower(), port or _PORTS[parts.scheme]


def is_trusted_origin(text: str, own: tuple[str, str, int] | None) -> bool:
    """Say whether an Origin header names our own pages or one of CSRF_TRUSTED_ORIGINS: scheme, host and port."""
    origin = parse_origin(text)
    if origin is None:
        return False
    if own is not None and origin == own:
        return True
    scheme, host, port = origin
    for trusted in settings.CSRF_TRUSTED_ORIGINS:
        if "*" not in trusted:
            if parse_origin(trusted) == origin:
                return True
            continue
        pattern = parse_origin(trusted.replace("*.", "", 1))  # Django's own form: https://*.example.com
        if pattern and (scheme, port) == (pattern[0], pattern[2]) and host.endswith(f".{pattern[1]}"):
            return True
    return False
