"""One machine, one developer or curious stranger: everything works without a key or a server."""

from tradingarena.settings.base import *  # noqa: F403  settings inherit by star import, as Django's do
from tradingarena.settings.base import SECRET_KEY as CONFIGURED_KEY
from tradingarena.settings.base import STATE_DIR
from tradingarena.settings.secret import local_secret

SECRET_KEY = CONFIGURED_KEY or local_secret(STATE_DIR)
ALLOWED_HOSTS = ["*"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # passkeys on http://localhost
