"""The Celery app. What runs when is in `schedule.py`; what it does is in each app's `tasks.py`."""

import os

from celery import Celery

# `make test` and pytest.ini choose their settings with --ds, which is read before this line.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingarena.settings.local")

app = Celery("tradingarena")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
