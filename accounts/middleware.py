"""What a page request passes that knows people: a device that somebody signs in with gets a name, in a cookie; and what somebody
signed in sees is kept by no cache."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from accounts.services import sightings


class DeviceMiddleware:
    """Lets the answer carry a device's name. Who never signs in gets none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        sightings.carry_device(request, response)
        return response


class PrivateAnswersMiddleware:
    """Lets no cache, and no browser that somebody else sits down at, keep what was made for somebody signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "_cached_user", None)  # who nobody has asked for is in no answer
        if user is not None and user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response
