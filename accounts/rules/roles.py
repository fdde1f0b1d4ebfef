"""Roles and scopes: who is above whom, what an API token may do, what a moderator may see. No database here.

Rules: docs/rules/accounts.md#roles.
"""

USER, MODERATOR, ADMIN = "user", "moderator", "admin"
ROLES = [(USER, "User"), (MODERATOR, "Moderator"), (ADMIN, "Admin")]
_RANK = {USER: 0, MODERATOR: 1, ADMIN: 2}

READ, TRADE, BET, CHAT = "read", "trade", "bet", "chat"
SCOPES = (READ, TRADE, BET, CHAT)

# What a moderator may do in the admin site. Higher apps add theirs with `grant_moderators`; an admin may do everything.
_moderator_permissions: set[str] = {"accounts.view_user"}


def outranks(role: str, other: str) -> bool:
    """Tell whether a role stands strictly above another: nobody moderates an equal."""
    return _RANK[role] > _RANK[other]


def grant_moderators(*permissions: str) -> None:
    """Let moderators do something in the admin site, such as "chat.view_report"."""
    _moderator_permissions.update(permissions)


def permits(role: str, permission: str) -> bool:
    """Tell whether a role includes a permission of Django's admin site ("app.verb_model")."""
    return role == ADMIN or (role == MODERATOR and permission in _moderator_permissions)


def permits_app(role: str, app_label: str) -> bool:
    """Tell whether a role may see anything of an app in the admin site."""
    prefix = f"{app_label}."
    return role == ADMIN or (role == MODERATOR and any(name.startswith(prefix) for name in _moderator_permissions))
