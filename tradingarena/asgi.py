"""The application that every ASGI server runs: static files and pages over HTTP, rooms over WebSocket.

`python -m tradingarena.web` serves it best; any other server (daphne, hypercorn) serves it correctly.
"""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingarena.settings.local")


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Let go of what the event loop holds before the server ends."""
    from tradingarena.core.consumers import stop_watching
    from tradingarena.core.redis_client import close_async_clients

    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await stop_watching()
            await close_async_clients()
            await send({"type": "lifespan.shutdown.complete"})
            return


def make_application() -> Any:
    """Put the three together; Django's apps are ready before anything else is imported."""
    django.setup(set_prefix=False)

    from channels.routing import ProtocolTypeRouter
    from django.conf import settings

    from tradingarena.assets import StaticFiles
    from tradingarena.core.body_limit import BodyLimit
    from tradingarena.pages_handler import ThreadedHandler
    from tradingarena.routing import websockets

    static = StaticFiles(BodyLimit(ThreadedHandler()), root=str(settings.STATIC_ROOT), url=settings.STATIC_URL)
    return ProtocolTypeRouter({"http": static, "websocket": websockets, "lifespan": lifespan})


application = make_application()
