"""Which socket path serves which namespaces. Apps register their rooms in core/rooms.py; a new namespace is a line here."""

from typing import Any

from tradingarena.core.consumers import ArenaSocket

NAMESPACES = frozenset({"arena", "chat", "betting"})

SOCKETS: dict[str, frozenset[str]] = {"/ws": NAMESPACES} | {f"/ws/{name}": frozenset({name}) for name in NAMESPACES}


async def websockets(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve a socket; an unknown path is accepted and closed with 4404, so that a browser can see why."""
    namespaces = SOCKETS.get(scope["path"].removesuffix("/"), frozenset())
    await ArenaSocket(namespaces)(scope, receive, send)
