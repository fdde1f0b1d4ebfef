"""Tests: the same real PostgreSQL and Redis, tasks run where they are sent, passwords hash fast."""

from tradingarena.settings.base import *  # noqa: F403  settings inherit by star import, as Django's do

SECRET_KEY = "only-for-tests-and-never-anywhere-else-0123456789"  # noqa: S105  signs nothing outside a test
ALLOWED_HOSTS = ["*"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FEED_WARM_UP_S = 0.0
LINGER_S = 0.0  # what a test has done has been told when it looks
# a machine that is busy with tests may hold up Redis for more than a second; those that take it away set the site's own
REDIS_TIMEOUT_S = 15.0
CACHES["default"]["OPTIONS"] = {"socket_connect_timeout": REDIS_TIMEOUT_S, "socket_timeout": REDIS_TIMEOUT_S}  # noqa: F405
# every test comes from one address; the tests of the limits set their own
API_LIMITS = {kind: {"account": (1_000_000, 60), "address": (1_000_000, 60)} for kind in ("read", "write")}
# the servers of page tests tell odds; within a test's own process nothing runs behind its back
ODDS_TOLD = env.bool("ODDS_TOLD", default=False)  # noqa: F405
# races want a connection for each of twenty who wait
DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = env.int("DATABASE_POOL_SIZE", default=30)  # noqa: F405
