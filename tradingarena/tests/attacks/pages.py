"""Every page of the site and who may read it or post to it: the reviewed table. A page that is not here fails `test_pages.py`.

REST is in `requests.py`; Django's admin site has tests of its own in each app.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.urls import URLResolver, get_resolver

from accounts.models import Notification
from competitions.models import Fill, Trade
from tradingarena.tests.attacks.world import World

NOT_PAGES = ("api/", "admin/", "_allauth/")
ASKERS = ("anonymous", "owner", "another", "moderator", "admin")
MAY, SIGN_IN, FORBIDDEN, NOT_THERE = "may", "sign in", "403", "404"
GONE = UUID(int=1)  # names nothing

EVERYBODY, PEOPLE, OWNER, MODERATORS, OPERATORS = (
    "everybody",
    "who is signed in",
    "the owner",
    "moderators",
    "operators",
)
READ: dict[str, set[str]] = {
    EVERYBODY: {
        "", "rules", "terms", "privacy", "healthz", "metrics", "jsi18n/", "accounts/login/", "accounts/signup/",
        "accounts/logout/", "accounts/inactive/", "accounts/password/reset/", "accounts/password/reset/done/",
        "accounts/password/reset/key/done/", "traders/<str:username>", "traders/<str:username>/bet-behind", "r/<str:code>",
        "leaderboards", "competitions", "competitions/<slug:slug>", "competitions/<slug:slug>/results",
        "competitions/<slug:slug>/traders/<str:username>", "competitions/<slug:slug>/trades/<uuid:trade_id>",
        "competitions/<slug:slug>/traders/<str:username>/fills", "competitions/<slug:slug>/fills/<uuid:fill_id>",
        "arena", "arena/<slug:slug>", "arena/<slug:slug>/replay", "arena/<slug:slug>/card.png",
        "arena/<slug:slug>/traders/<str:username>/card.png", "arena/<slug:slug>/trades/<uuid:trade_id>/card.png",
        "embed/<slug:slug>", "bets/markets/<uuid:market_id>", "bets/panel/<uuid:competition_id>",
        "bets/replay/<uuid:competition_id>", "bets/embed/<uuid:competition_id>", "settlements/<uuid:market_id>", "chat",
        "chat/contest/<uuid:competition_id>/panel", "chat/contest/<uuid:competition_id>/replay",
    },
    PEOPLE: {
        "accounts/email/", "accounts/confirm-email/", "accounts/password/change/", "accounts/password/set/",
        "accounts/login/code/confirm/", "accounts/2fa/", "accounts/2fa/authenticate/", "accounts/2fa/totp/activate/",
        "accounts/2fa/recovery-codes/generate/", "accounts/2fa/webauthn/", "accounts/2fa/webauthn/add/",
        "accounts/2fa/webauthn/login/", "accounts/sessions/", "settings", "settings/limits", "settings/api-tokens",
        "settings/data", "settings/data/delete", "settings/notifications", "notifications", "wallet",
        "wallet/statement.csv", "referrals", "wallet/buy", "wallet/return", "competitions/<slug:slug>/trade", "bets",
        "pvp", "pvp/new", "chat/with/<str:username>", "chat/standing",
    },
    OWNER: {
        "notifications/<uuid:notification_id>", "wallet/payments/<uuid:payment_id>",
        "wallet/payments/<uuid:payment_id>/state", "pvp/<uuid:challenge_id>", "pvp/<uuid:challenge_id>/state",
        "pvp/<uuid:challenge_id>/terms",
    },
    MODERATORS: {
        "operations/", "operations/cases", "operations/cases/<uuid:case_id>", "moderation", "moderation/rooms",
        "moderation/people/<str:username>",
    },
    OPERATORS: {"operations/audit", "operations/audit.csv"},
}  # fmt: skip
# posts alone: by whom, where a thing is named that is somebody's; the rest is for whoever is signed in, about themselves
POST: dict[str, set[str]] = {
    PEOPLE: {
        "settings/profile", "settings/username", "settings/terms", "settings/api-tokens/bot", "settings/data/exports",
        "settings/data/keep", "notifications/read", "traders/<str:username>/follow", "traders/<str:username>/block",
        "wallet/bonus", "competitions/<slug:slug>/join", "competitions/<slug:slug>/withdraw",
        "competitions/<slug:slug>/leave-seat", "arena/<slug:slug>/join",
    },
    OWNER: {
        "settings/api-tokens/<uuid:token_id>/revoke", "wallet/payments/<uuid:payment_id>/cancel",
        "pvp/<uuid:challenge_id>/answer", "pvp/<uuid:challenge_id>/pay", "pvp/<uuid:challenge_id>/cancel",
        "pvp/<uuid:challenge_id>/rematch", "chat/standing/<uuid:sanction_id>/appeal",
    },
    MODERATORS: {
        "operations/cases/<uuid:case_id>/decide", "moderation/cases/<uuid:case_id>",
        "moderation/integrity/<uuid:case_id>", "moderation/people/<str:username>/sanction",
        "moderation/people/<str:username>/note",
    },
    OPERATORS: {"operations/switches/<str:part>"},
}  # fmt: skip
# what those who may do send, so that it is done; and the things that it is about, where Alice has several
FORMS: dict[str, dict[str, str]] = {
    "settings/profile": {"country": "FR", "timezone": "Europe/Paris"},
    "settings/terms": {"terms": "on", "of_age": "on"},
    "settings/api-tokens/bot": {"sure": "on"},
    "pvp/<uuid:challenge_id>/answer": {"accept": "1", "version": "1"},
    "pvp/<uuid:challenge_id>/pay": {"key": "0123456789abcdef"},
    "chat/standing/<uuid:sanction_id>/appeal": {"text": "I was kind."},
    "moderation/people/<str:username>/sanction": {"action": "warn", "reason": "Be kind."},
    "moderation/people/<str:username>/note": {"text": "Was warned before."},
    "operations/switches/<str:part>": {"reason": "A flood"},
    "operations/cases/<uuid:case_id>/decide": {"decision": "confirm", "note": "The same hand"},
    "moderation/integrity/<uuid:case_id>": {"decision": "confirmed", "note": "The same hand"},
    "moderation/cases/<uuid:case_id>": {"decision": "dismiss"},
}
ABOUT = {
    "pvp/<uuid:challenge_id>/pay": {"challenge_id": "agreed"},
    "pvp/<uuid:challenge_id>/cancel": {"challenge_id": "sent"},
    "pvp/<uuid:challenge_id>/rematch": {"challenge_id": "done"},
    "moderation/cases/<uuid:case_id>": {"case_id": "report_case"},
}
# what is only reached by a secret in the path, or asks for the password again, or names something that is not in the world
APART = {
    "readyz": "says 503 while nothing runs",
    "accounts/reauthenticate/": "needs a password to ask for",
    "accounts/2fa/reauthenticate/": "needs a second factor",
    "accounts/2fa/webauthn/reauthenticate/": "needs a passkey",
    "accounts/2fa/totp/deactivate/": "needs a second factor",
    "accounts/2fa/recovery-codes/": "needs a second factor",
    "accounts/2fa/recovery-codes/download/": "needs a second factor",
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": "needs a passkey",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": "needs a passkey",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "a secret of a mail",
    "pvp/invitations/<str:code>": "a secret of a mail",
    "mail/stop/<str:token>": "a secret of a mail",
    "mail/news/resend": "signed by the provider",
    "settings/data/exports/<uuid:export_id>.zip": "see accounts/tests/test_own_data.py",
    "chat/challenge/<uuid:challenge_id>/panel": "made with the page of the challenge",
}
# what reading writes: when a notice was followed, and what a page needs that was not there yet
WRITTEN_BY_READING = {
    "accounts/2fa/totp/activate/": {"django_session"},
    "accounts/2fa/webauthn/add/": {"django_session"},
    "notifications/<uuid:notification_id>": {"accounts_notification"},
    "referrals": {"tokens_referralcode"},
    "pvp/<uuid:challenge_id>": {"chat_channel", "chat_membership"},
    "chat/with/<str:username>": {"chat_channel", "chat_membership"},
}
# posts that come from no browser of ours; what proves them is in the path or in a signature
NO_CSRF = {"mail/stop/<str:token>", "mail/news/resend"}


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """List every path of the site."""
    for one in (resolver or get_resolver()).url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one, route)
        else:
            yield route


def known_ids(world: World) -> dict[str, Any]:
    """Say what paths are filled with: things of Alice's."""
    ids = world.ids
    return {
        "slug": world.cast.sprint.slug, "username": "alice", "competition_id": ids["sprint"],
        "challenge_id": ids["received"], "payment_id": ids["payment"], "trade_id": Trade.objects.first().pk,  # type: ignore[union-attr]
        "fill_id": Fill.objects.first().pk, "market_id": ids["cup_market"], "token_id": ids["token"],  # type: ignore[union-attr]
        "notification_id": Notification.objects.filter(user=world.alice)[0].pk, "sanction_id": ids["sanction"],
        "part": "chat", "pk": 1, "case_id": ids["integrity_case"],
    }  # fmt: skip


def address(route: str, ids: dict[str, Any], world: World | None = None) -> str:
    """Fill a path in, with the thing that a post is about where a world is given."""
    if world is not None:
        ids = ids | {name: world.ids[thing] for name, thing in ABOUT.get(route, {}).items()}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids.get(found[1], GONE)), route).strip("^$")


def expected(route: str, asker: str) -> str:
    """Say what somebody gets who reads a page, or posts to one that only takes posts."""
    kind = next(kind for table in (READ, POST) for kind, found in table.items() if route in found)
    if kind == EVERYBODY or (kind == PEOPLE and asker != "anonymous"):
        return MAY
    if asker == "anonymous":
        return SIGN_IN
    let_in = {OWNER: {"owner"}, MODERATORS: {"moderator", "admin"}, OPERATORS: {"admin"}}[kind]
    if asker in let_in:
        return MAY
    return NOT_THERE if kind == OWNER or route.startswith("moderation") else FORBIDDEN
