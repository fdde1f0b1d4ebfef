"""A database and a Redis prefix of one's own for as long as something needs them: replays and measurements disturb nobody.

Nothing of the program depends on it.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tradingarena.core import redis_client


@contextmanager
def scratch_database(purpose: str) -> Iterator[str]:
    """Work in a new, migrated database and under a new Redis prefix, and remove both afterwards.

    Shapes: the database's name, `purpose` first.
    Locks / Effects: this process's settings of database and prefix, put back at the end; whatever still uses the database
        then is disconnected.
    """
    name = f"{purpose}_{os.getpid()}_{secrets.token_hex(3)}"
    home, prefix = settings.DATABASES["default"]["NAME"], settings.KEY_PREFIX
    _in_home(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    try:
        _move_to(name, f"{name}:")
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        yield name
    finally:
        forget_keys(settings.KEY_PREFIX)
        _move_to(home, prefix)
        _in_home(f"DROP DATABASE {connection.ops.quote_name(name)} WITH (FORCE)")


def forget_keys(prefix: str) -> None:
    """Delete everything in Redis that begins with a prefix."""
    client = redis_client.client()
    keys = list(client.scan_iter(match=f"{prefix}*", count=1_000))
    if keys:
        client.delete(*keys)


def _move_to(name: str, prefix: str) -> None:
    connection.close()
    connection.close_pool()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    settings.KEY_PREFIX = prefix


def _in_home(statement: str) -> None:
    with connection._nodb_cursor() as cursor:  # CREATE and DROP DATABASE want a connection outside transactions
        cursor.execute(statement)
