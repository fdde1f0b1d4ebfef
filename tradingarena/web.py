"""The web server: `python -m tradingarena.web --port 8000`. uvicorn with the WebSocket protocol that the hub can write to.

Everything else about the program is configured by the environment; a proxy in front by TRUSTED_PROXIES.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence

import uvicorn

from tradingarena.core.frames import LARGEST_BYTES

PING_EVERY_S = 20.0
PONG_WITHIN_S = 20.0
FINISH_WITHIN_S = 10
KEEP_ALIVE_S = 30


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; its defaults come from HOST, PORT and WEB_WORKERS."""
    parser = argparse.ArgumentParser(prog="python -m tradingarena.web", description="Serve the arena.")
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
    parser.add_argument("--port", type=port, default=os.environ.get("PORT") or "8000")
    parser.add_argument(
        "--workers", type=workers, default=os.environ.get("WEB_WORKERS") or "1", help="processes that share the port"
    )
    parser.add_argument(
        "--log-level", choices=["debug", "info", "warning", "error"], default="warning", help="of the server itself"
    )
    return parser.parse_args(arguments)


def port(text: str) -> int:
    """Read a TCP port; 0 lets the system choose."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def workers(text: str) -> int:
    """Read a number of processes."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"a number of workers lies between 1 and 64, not {text!r}")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; then finish requests, tell sockets 1012 and end with 0."""
    options = parse(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingarena.settings.local")
    # uvicorn raises the signal again after its clean end; a supervisor should see a clean end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    # uvicorn's own lines name every socket with its query string
    logging.getLogger("uvicorn.error").setLevel(options.log_level.upper())
    uvicorn.run(
        "tradingarena.asgi:application",
        host=options.host,
        port=options.port,
        workers=options.workers,
        loop="uvloop",
        http="h11",
        ws="tradingarena.core.uvicorn_protocol:PreparedFramesProtocol",
        ws_max_size=LARGEST_BYTES,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PONG_WITHIN_S,
        ws_per_message_deflate=True,
        lifespan="on",
        log_config=None,
        log_level=options.log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # forwarded addresses are read by our own code, from configured proxies only
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_WITHIN_S,
    )
    sys.exit(0)


if __name__ == "__main__":
    main()
