"""A look into a running arena's database, beside its processes."""

from typing import Any

import psycopg

from tradingarena.settings.env import database_config
from tradingarena.tests.flows.arena import Arena


def database(arena: Arena) -> "psycopg.Connection[Any]":
    """Connect to an arena's database."""
    config = database_config(arena.services_environment()["DATABASE_URL"])
    return psycopg.connect(
        host=str(config["HOST"]), port=str(config["PORT"]), user=str(config["USER"]), dbname=str(config["NAME"]),
        autocommit=True,
    )  # fmt: skip
