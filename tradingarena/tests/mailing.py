"""Settings of a test server that sends its mail over SMTP, to the post box that a test has opened at MAIL_PORT."""

import os

from tradingarena.settings.test import *  # noqa: F403  settings inherit by star import, as Django's do

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["MAIL_PORT"])
EMAIL_USE_TLS = EMAIL_USE_SSL = False
