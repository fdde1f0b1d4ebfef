"""The browser, the server and the scene of the contests' own page tests."""

from competitions.tests.pages.conftest import browser, scene, visit, web

__all__ = ["browser", "scene", "visit", "web"]
