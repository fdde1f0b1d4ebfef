"""A browser, the site with the payments stand-in, and two people."""

from tokens.tests.pages.conftest import _ports, browser, stripe, visit, web

__all__ = ["_ports", "browser", "stripe", "visit", "web"]
