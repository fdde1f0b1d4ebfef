"""What the views of contests share: finding what a path names, reading a body, waiting for the engine.

Who may see what is decided in `selectors/`; what may be done in `services/`.
"""

import re
import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.models import Amendment, Competition
from competitions.selectors import competitions
from tradingarena.core.api import ArenaView
from tradingarena.core.errors import Conflict
from tradingarena.core.serializers import StrictSerializer
from tradingarena.core.spreadsheets import write_rows

LONGEST_WAIT_S = 5.0
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])")


class CompetitionView(ArenaView):
    """A view below /api/competitions/{id}; the contest is one that the asker may know of."""

    def competition(self) -> Competition:
        """Find the contest of the path.

        Raises: NotFound: it does not exist, or the asker may not know of it.
        """
        return competitions.find(self.request.user, self.kwargs["competition_id"])


def csv_answer(name: str, lines: Iterable[Sequence[str]]) -> HttpResponse:
    """Answer rows of text as a CSV file."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    write_rows(response, lines)
    return response


def read_body(shape: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Validate a body.

    Raises: ValidationError: with a pointer for each field that is not what it must be.
    """
    reader = shape(data=request.data)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


def wait_s(request: Request) -> float:
    """Read how long the asker wants to wait (`Prefer: wait=3`). Units: seconds, at most 5; 0 without it."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(found[1]), LONGEST_WAIT_S) if found else 0.0


def applied(response: Response, waited_s: float) -> Response:
    """Say that a preference was honoured (RFC 7240)."""
    if waited_s:
        response["Preference-Applied"] = f"wait={waited_s:.0f}"
    return response


def wait_for_amendment(request: Request, **target: UUID) -> bool:
    """Wait, if the asker wants to, until the engine has decided the newest amendment of an order or position.

    Shapes: True when it is decided, False when it is still under way.
    Raises: Conflict: the engine refused it; the code is its reason.
    """
    deadline, pause = time.monotonic() + wait_s(request), 0.005
    while True:
        amendment = Amendment.objects.filter(**target).order_by("-seq").first()
        if amendment is None or amendment.status == Amendment.Status.APPLIED:
            return True
        if amendment.status == Amendment.Status.REJECTED:
            raise Conflict("The engine could not do this any more.", code=amendment.reason or "amendment_rejected")
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
