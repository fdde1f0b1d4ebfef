"""A trader's public page: what each app has to show of a person. Apps above say so when they are ready, a section each.

Nothing of the apps is known here: a section is a template and a function that fills it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser

from accounts.models import User

Viewer = User | AnonymousUser
Build = Callable[[Viewer, User], dict[str, Any] | None]


class Section(NamedTuple):
    """One part of the page, in its place: `build` gives the template's context, or None when there is nothing to show."""

    place: int
    template: str
    build: Build


class Filled(NamedTuple):
    """A section with what it shows."""

    template: str
    context: dict[str, Any]


_sections: dict[str, Section] = {}


def add_section(template: str, build: Build, *, place: int) -> None:
    """Let an app show something on every trader's page; a lower place stands higher. Each app does so in ready()."""
    _sections[template] = Section(place, template, build)


def sections(viewer: Viewer, trader: User) -> list[Filled]:
    """Fill the sections of somebody's page for whoever looks at it, in their places."""
    ordered = sorted(_sections.values(), key=lambda one: (one.place, one.template))
    built = [(one.template, one.build(viewer, trader)) for one in ordered]
    return [Filled(template, context) for template, context in built if context is not None]
