"""Texts that would do harm where they are not taken for texts, and a way to put them wherever a person can put words."""

from collections.abc import Iterator

from django.apps import apps
from django.db import DatabaseError, models, transaction

from chat.services.sanctions import note_add, sanction_impose
from tradingarena.tests.attacks.world import World

MARK = "harmless"
# markup, an end of an attribute and of a script, a template; all of it is shown as it stands or not at all
EVIL = f"""{MARK}</script><img src=x onerror=alert(1)>'" onmouseover="alert(2)" {{{{31000|add:337}}}}{{% now "Y" %}}"""
RAW = ("<img src=x", '" onmouseover="alert', "</script><img", "31337")
SQL = (
    "' OR '1'='1", "'; DROP TABLE accounts_user; --", "') UNION SELECT 1,2,3 --", "%' OR 1=1 --", "\\'; SELECT pg_sleep(9) --",
    '" OR ""="', "$$; SELECT 1; $$", "{0.__class__}", "%(a)s %s %d", "${7*7}", "{{7*7}}", "../../../etc/passwd", "%_", "\ufeff\u202e",
)  # fmt: skip
FREE = {
    "title", "description", "cancel_reason", "dq_reason", "note", "reason", "text", "original", "summary", "name",
    "deleted_reason", "frozen_reason", "last_trouble", "effect", "subject", "body",
}  # fmt: skip
APPS = ("accounts", "tokens", "competitions", "chat", "arena", "betting", "pvp")


def spread(world: World) -> set[str]:
    """Put the evil text wherever people and operators put words; give the columns that have it.

    Columns that the database lets nobody change get it by their service, or not at all.
    """
    cast = world.cast
    sanction_impose(cast.moderator, cast.alice.pk, "warn", channel_id=None, reason=EVIL[:190])
    note_add(cast.moderator, cast.alice.pk, EVIL)
    return {f"{model._meta.label}.{name}" for model, name in _columns() if _fill(model, name)}


def _columns() -> Iterator[tuple[type[models.Model], str]]:
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, models.CharField | models.TextField) and not field.choices and field.name in FREE:
                    yield model, field.name


def _fill(model: type[models.Model], name: str) -> bool:
    longest = model._meta.get_field(name).max_length or 1_000
    try:
        with transaction.atomic():
            return model._default_manager.update(**{name: EVIL[:longest]}) > 0
    except DatabaseError:
        return False
