"""Django's handler for ASGI servers with one hop between event loop and thread a request, instead of two a middleware.

Every view and most middlewares are synchronous. Django would take each middleware that can be awaited to the event loop and
back, which costs as much as an order itself.
"""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ThreadedHandler(ASGIHandler):
    """Runs the whole chain of middlewares and the view in one thread of the request's own."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request in a thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
