"""Settings of server processes that the tests start: those of the tests, with the stage put up."""

from tradingarena.settings.test import *  # noqa: F403  settings inherit by star import, as Django's do
from tradingarena.settings.test import INSTALLED_APPS as APPS

INSTALLED_APPS = [*APPS, "tradingarena.tests.realtime.apps.StageConfig"]
