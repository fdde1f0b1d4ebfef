"""`manage.py add_user EMAIL`: creates a person, or finds one, and prints who it is as JSON."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.rules import names, roles
from accounts.services import people, tokens, usernames
from tokens.services import desk
from tradingarena.core.errors import DomainError
from tradingarena.core.ids import new_token


class Command(BaseCommand):
    help = (
        "Creates a person, or finds the one with this address, and prints JSON with the id. "
        "A found person keeps name and role unless --username or --role ask for others."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--username", help="the public name; made from the address when left out")
        parser.add_argument("--role", choices=[role for role, _ in roles.ROLES], help="default: user")
        parser.add_argument("--confirmed", action="store_true", help="address, age and terms count as confirmed")
        parser.add_argument("--grant", type=int, metavar="N", help="promotional tokens to give")
        parser.add_argument(
            "--api-token", metavar="SCOPES", help=f"make an API token: some of {','.join(roles.SCOPES)}, or all"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        grant = options["grant"]
        if grant is not None and not 1 <= grant <= desk.LARGEST_ADJUSTMENT:
            raise CommandError(
                f"--grant takes 1 to {desk.LARGEST_ADJUSTMENT:,} tokens, not {grant}. Nothing was changed."
            )
        scopes = read_scopes(options["api_token"])
        try:
            self.stdout.write(json.dumps(add_or_find(options, scopes)))
        except DomainError as refusal:
            raise CommandError(f"{refusal.message} ({refusal.code})") from None


def add_or_find(options: dict[str, Any], scopes: list[str] | None) -> dict[str, Any]:
    """Do what the command was asked for; give what it prints."""
    address = people.check_email(options["email"])
    user = User.objects.filter(email=address).first()
    created = user is None
    if user is None:
        name = options["username"] or free_name(address)
        user = people.person_add(address, name, role=options["role"] or roles.USER, confirmed=options["confirmed"])
    else:
        user = _change(user, options)
    answer = {"id": str(user.pk), "email": user.email, "username": user.username, "role": user.role, "created": created}
    if options["grant"] is not None:
        answer["balance_tokens"] = desk.tokens_grant(user.pk, options["grant"])
    if scopes is not None:
        _, secret = tokens.token_create(user.pk, name="add_user", scopes=scopes, by_operator=True)
        answer |= {"api_token": secret, "scopes": scopes}
    return answer


def read_scopes(text: str | None) -> list[str] | None:
    """Read --api-token: scopes apart by commas or spaces, or "all".

    Raises: CommandError: none, or one that does not exist.
    """
    if text is None:
        return None
    asked = text.replace(",", " ").split()
    if asked == ["all"]:
        return list(roles.SCOPES)
    unknown = set(asked) - set(roles.SCOPES)
    if not asked or unknown:
        raise CommandError(f"--api-token takes some of {','.join(roles.SCOPES)}, or all; not {text!r}.")
    return [scope for scope in roles.SCOPES if scope in asked]


def free_name(address: str) -> str:
    """Make a username from an address: what is before the @ where that is possible, and a random tail where it is not free."""
    start = "".join(char for char in address.partition("@")[0] if char.isascii() and (char.isalnum() or char in "_-"))
    for name in (start[: names.MAX_LENGTH], f"{start[:12]}-{new_token(4)[:5]}", f"trader{new_token(8)[:8]}"):
        try:
            usernames.check_free(name)
        except DomainError:
            continue
        return name
    raise usernames.NameTaken("No free username was found; choose one with --username.")


def _change(user: User, options: dict[str, Any]) -> User:
    if options["role"]:
        user = people.person_set_role(None, user.pk, role=options["role"], reason="manage.py add_user")
    if options["username"] and options["username"] != user.username:
        user = usernames.username_change(user.pk, options["username"])
    if options["confirmed"]:
        user = people.person_confirm(user.pk)
    return user
