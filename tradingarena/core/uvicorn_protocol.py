"""uvicorn's WebSocket protocol, with three things added: it lends the hub its transport, it agrees on a compression that
lets one compressed frame serve everybody, and no connection outlives its close.

It speaks RFC 6455 and knows no rooms. Rules: docs/realtime.md#the-two-ways-out.
"""

import asyncio
import os
import socket
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request

from tradingarena.core import frames
from tradingarena.core.outlets import WINDOW_BITS, RawOutlet

EXTENSION = "arena.raw"
CLOSE_WITHIN_S = 5.0
# What the kernel keeps for a client that does not read; the rest waits, bounded, in the outlet.
SEND_BUFFER_BYTES = 128 * 1024


class PreparedFramesProtocol(WebSocketsSansIOProtocol):
    """Lends itself to the application as scope["extensions"]["arena.raw"] (core/outlets.py: Raw)."""

    outlet: RawOutlet | None = None
    fd: int = -1

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.config.ws_per_message_deflate:
            self.conn.available_extensions = [
                ServerPerMessageDeflateFactory(
                    server_no_context_takeover=True,
                    client_no_context_takeover=True,
                    compress_settings={"memLevel": 5},
                )
            ]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        lent = transport.get_extra_info("socket")
        if transport.get_extra_info("sslcontext") is None and lent is not None:
            self.fd = lent.fileno()
            # The first byte that the kernel does not take pauses writing: the invariant of RawOutlet.
            self.transport.set_write_buffer_limits(high=0)
            self._bound_send_buffer()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent and self.fd >= 0:  # the application's task has not started yet
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self

    @property
    def deflate(self) -> bool:
        """Whether a frame of outlets.deflated_frame can be read by this client."""
        return any(
            isinstance(extension, PerMessageDeflate) and extension.local_max_window_bits >= WINDOW_BITS
            for extension in self.conn.extensions
        )

    def write(self, data: bytes) -> None:
        """Write whole frames; `outlet.paused` is called before this returns if not everything could be sent."""
        self.transport.write(data)

    def abort(self) -> None:
        """Drop the connection."""
        self.transport.abort()

    def close_at_once(self, code: int, reason: str = "") -> None:
        """Send the close frame after what is already under way, and drop the connection if no answer comes."""
        self._let_go()
        if self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._drop_later()

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close" and self.handshake_complete and self.initial_response is None:
            if self.disconnected:
                raise ClientDisconnected
            self.close_at_once(message.get("code", 1000), message.get("reason") or "")
        else:
            await super().send(message)

    def shutdown(self) -> None:
        """Tell the client that this server restarts, and wait a little for its goodbye."""
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            if not self.outlet or not self.outlet.blocked:
                self.conn.send_text(frames.system("restart"))
            self.close_at_once(1012, "restart")
        else:
            super().shutdown()
            self._drop_later()

    # -- the transport's and the peer's side ----------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.outlet:
            self.outlet.paused()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.outlet:
            self.outlet.resumed()

    def handle_close(self, event: Any) -> None:
        self._let_go()
        super().handle_close(event)
        self._drop_later()

    def handle_parser_exception(self) -> None:
        self._let_go()
        super().handle_parser_exception()
        self._drop_later()

    def keepalive_timeout(self) -> None:
        self._let_go()
        super().keepalive_timeout()
        self._drop_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def _let_go(self) -> None:
        """Take the hub's hands off the transport, before its descriptor can become somebody else's."""
        outlet, self.outlet = self.outlet, None
        if outlet:
            outlet.shut()

    def _drop_later(self) -> None:
        if not self.disconnected and self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_WITHIN_S, self.transport.abort)

    def _bound_send_buffer(self) -> None:
        # uvloop's stand-in for the socket has no setsockopt; a duplicate descriptor sets the same kernel object
        with socket.socket(fileno=os.dup(self.fd)) as same:
            if same.family in (socket.AF_INET, socket.AF_INET6):
                same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
