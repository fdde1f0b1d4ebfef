"""The composition root: settings, URLs, sockets, schedule. It imports every app; only the kernel in `core` is imported by them."""

from tradingarena.celery import app as celery_app

__all__ = ["celery_app"]
