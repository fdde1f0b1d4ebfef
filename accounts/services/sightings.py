"""Where people sign in from: kept as digests, to tell whether two accounts share a device or an address.

Who reads them decides what follows; nothing here punishes. Rules: docs/rules/accounts.md#sightings.
"""

from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts.models import Sighting, User
from tradingarena.core.clock import database_now
from tradingarena.core.ids import new_token

COOKIE = "device"
COOKIE_LENGTH = 32  # of new_token(24)
COOKIE_S = 2 * 365 * 86_400
IPV6_HOME = 64  # bits that a household has in common


def person_seen(request: HttpRequest, user: User) -> None:
    """Note from which device and address somebody has signed in.

    Locks / Effects: upserts; `request.new_device` when the answer has to carry the cookie (`carry_device`).
    """
    moment = database_now()
    device = request.COOKIES.get(COOKIE, "")
    if len(device) != COOKIE_LENGTH:
        device = new_token(24)
        request.new_device = device  # type: ignore[attr-defined]  # read by carry_device
    found = {Sighting.Kind.DEVICE: digest(device)}
    if address := _address(request):
        found[Sighting.Kind.ADDRESS] = digest(address)
    Sighting.objects.bulk_create(
        [Sighting(user=user, kind=kind, digest=text, last_at=moment) for kind, text in found.items()],
        update_conflicts=True,
        unique_fields=["user", "kind", "digest"],
        update_fields=["last_at"],
    )


def carry_device(request: HttpRequest, response: HttpResponse) -> None:
    """Give a device that has just been used to sign in for the first time its name."""
    device = getattr(request, "new_device", None)
    if device:
        response.set_cookie(
            COOKIE, device, max_age=COOKIE_S, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )


def digest(text: str) -> str:
    """Turn what identifies a device or an address into something that can only be compared."""
    return salted_hmac("accounts.sighting", text, algorithm="sha256").hexdigest()


def _address(request: HttpRequest) -> str:
    """Find the address, an IPv6 one by its network; "" when there is none, as on a unix socket."""
    try:
        found = get_adapter(request).get_client_ip(request)
        address = ip_address(found or "")
    except (PermissionDenied, ValueError):
        return ""
    if address.version == 6:
        return str(ip_network((address, IPV6_HOME), strict=False))
    return str(address)
