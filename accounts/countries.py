"""Where a request comes from, as far as the operator has said whom to believe. What follows from it is in `policy`.

COUNTRY_SOURCE is `none`, or `header:NAME` for a header that a trusted proxy sets. Rules: docs/rules/accounts.md#countries.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from accounts.rules.countries import NAMES

UNKNOWN = ""
ACTIONS = ("enter_free", "enter_paid", "purchase", "bet", "stake", "spend", "chat")
# What edges send when they do not know: XX (Cloudflare), ZZ and T1 (Tor) are no countries of the list either.


def source_header() -> str | None:
    """Give the name of the trusted header as WSGI and ASGI requests spell it in META; None without one."""
    kind, _, name = settings.COUNTRY_SOURCE.partition(":")
    return f"HTTP_{name.strip().upper().replace('-', '_')}" if kind == "header" and name.strip() else None


def country_of(meta: Mapping[str, Any]) -> str:
    """Find the country of a request.

    Shapes: meta is request.META; two capital letters, or "" when unknown.
    Guarantees: a client cannot choose it: the header counts only where a trusted proxy stands before us.
    """
    name = source_header()
    if name is None or settings.TRUSTED_PROXIES < 1:
        return UNKNOWN
    code = str(meta.get(name, "")).strip().upper()
    return code if code in NAMES else UNKNOWN


def country_of_scope(scope: Mapping[str, Any]) -> str:
    """Find the country of a socket, from its handshake's headers."""
    headers = {
        f"HTTP_{key.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for key, value in scope["headers"]
    }
    return country_of(headers)


@register()
def check_country_source(**_: Any) -> list[CheckMessage]:
    """Refuse a COUNTRY_SOURCE that could not work, or that anybody could forge."""
    if settings.COUNTRY_SOURCE != "none" and source_header() is None:
        return [
            Error(
                f"COUNTRY_SOURCE is {settings.COUNTRY_SOURCE!r}, which is not supported.",
                hint="Set it to none, or to header:NAME for a header that your proxy sets, such as header:CF-IPCountry.",
                id="accounts.E001",
            )
        ]
    if source_header() is not None and settings.TRUSTED_PROXIES < 1:
        return [
            Error(
                "COUNTRY_SOURCE names a header, and no proxy is trusted to set it.",
                hint="Set TRUSTED_PROXIES to the number of proxies before this server, or COUNTRY_SOURCE to none.",
                id="accounts.E002",
            )
        ]
    unknown = {code for block in settings.COUNTRY_BLOCKS.values() for code in block} - set(NAMES)
    if unknown:
        return [
            Error(
                f"COUNTRY_BLOCKS names what is not a country: {', '.join(sorted(unknown))}.",
                hint="Use the two letters of ISO 3166, as in {'bet': {'FR': 'Not licensed there.'}}.",
                id="accounts.E003",
            )
        ]
    strangers = set(settings.COUNTRY_BLOCKS) - set(ACTIONS)
    if strangers:
        return [
            Error(
                f"COUNTRY_BLOCKS names what is no action: {', '.join(sorted(strangers))}.",
                hint=f"The actions are {', '.join(ACTIONS)}.",
                id="accounts.E004",
            )
        ]
    return []
