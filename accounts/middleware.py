"""What a page request passes that knows people: a device that somebody signs in with gets a name, in a cookie."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.services import sightings


class DeviceMiddleware:
    """Lets the answer carry a device's name. Who never signs in gets none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        sightings.carry_device(request, response)
        return response
