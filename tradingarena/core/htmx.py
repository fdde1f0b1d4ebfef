"""What a page's view needs to answer htmx as well as a plain browser. JSON is not spoken here.

Rules: docs/pages.md.
"""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render


def wants_fragment(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of the page; a boosted link wants all of it."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def render_part(request: HttpRequest, page: str, part: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render the part for htmx and the page for everybody else."""
    response = render(request, part if wants_fragment(request) else page, context, status=status)
    response["Vary"] = "HX-Request"
    return response


def redirect_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to another page, also when htmx made the request.

    Shapes: url is a path of this site, built by the server.
    """
    if wants_fragment(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def with_events(response: HttpResponse, **events: Any) -> HttpResponse:
    """Let the answer fire events on the page, such as `toast={"text": …}`."""
    response["HX-Trigger"] = orjson.dumps(events).decode()
    return response
