"""Production: everything comes from the environment, and what is missing is a system check with a hint."""

from tradingarena.settings.base import *  # noqa: F403  settings inherit by star import, as Django's do
from tradingarena.settings.env import env

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("TRUSTED_PROXIES", default=0) else None
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=True)
