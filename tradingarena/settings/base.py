"""What every environment shares. The environment is read in `env.py`; `local`, `test` and `production` only differ from here."""

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from tradingarena.core.patience import PatientConnection
from tradingarena.schedule import BEAT_SCHEDULE
from tradingarena.settings.env import BASE_DIR, STATE_DIR, celery_broker_url, database_config, env, origin, redis_url

SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "tradingarena",
    "betting",
    "pvp",
    "arena",
    "chat",
    "competitions",
    "tokens",
    "accounts",
    "tradingarena.core",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "anymail",
    "csp",
    "django_htmx",
    "accounts.adminconfig.ArenaAdminConfig",  # django.contrib.admin behind our sign-in
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tradingarena.core.middleware.RequestIdMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.DeviceMiddleware",
    "accounts.middleware.PrivateAnswersMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tradingarena.core.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "tradingarena.urls"
ASGI_APPLICATION = "tradingarena.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tradingarena.context.site",
            ],
        },
    }
]

# -- people -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.adapters.SignInBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupExtras"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # password, address or second factor changed: the person is told
ACCOUNT_CHANGE_EMAIL = True  # one address a person
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_USERNAME_MIN_LENGTH = 3
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Trading Arena"
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
STAFF_MFA_REQUIRED: bool = env.bool("STAFF_MFA_REQUIRED", default=False)  # production turns it on
TERMS_VERSION: str = env.str("TERMS_VERSION", default="2026-11")
# Where a person's country comes from (none, or header:NAME set by a trusted proxy), and what is not offered where:
# {"bet": {"FR": "Not licensed there."}}; the actions are those of accounts.policy.
COUNTRY_SOURCE: str = env.str("COUNTRY_SOURCE", default="none")
COUNTRY_BLOCKS: dict[str, dict[str, str]] = env.json("COUNTRY_BLOCKS", default={})
USERSESSIONS_TRACK_ACTIVITY = False
HEADLESS_CLIENTS = ("browser",)  # session cookie and CSRF token; programs use personal API tokens
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# -- database and Redis -----------------------------------------------------------------------------------------------
DATABASE_URL: str = env.str("DATABASE_URL", default="postgres:///arena")
REDIS_URL: str = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
KEY_PREFIX: str = env.str("ARENA_KEY_PREFIX", default="arena:")
DATABASES: dict[str, Any] = {"default": database_config(DATABASE_URL)}
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"] |= {
    "pool": {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=12),
        "timeout": 5,
        "connection_class": PatientConnection,
    },
    "connect_timeout": 5,
    # every wait has a bound; long reports raise theirs with SET LOCAL. What is prepared is short and planned once: the ORM
    # prepares nothing, and functions that write many rows at once say so themselves.
    "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000"
    " -c plan_cache_mode=force_generic_plan -c jit=off",
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Redis databases by role: a cache flush must never touch rooms, quotes or the broker.
REDIS_LIVE_URL = redis_url(REDIS_URL, 0)  # rooms, quotes, limits, presence
REDIS_BROKER_URL = celery_broker_url(REDIS_URL, 1)
REDIS_CACHE_URL = redis_url(REDIS_URL, 2)
REDIS_TIMEOUT_S = 1.0
LINGER_S = 0.01  # so long a disposable message may wait for a newer one of its kind
# Bets of one person. Counted in the bets' own rows, so that they hold with Redis away too.
BETS_PER_MINUTE: int = env.int("BETS_PER_MINUTE", default=10)
BETS_PER_HOUR: int = env.int("BETS_PER_HOUR", default=60)
# Whether this process tells rooms of odds as bets arrive; tests do it by hand.
ODDS_TOLD: bool = env.bool("ODDS_TOLD", default=True)
# open sockets, over all web processes; the finer limits are in core/connections.py
SOCKETS_PER_USER: int = env.int("SOCKETS_PER_USER", default=20)
SOCKETS_PER_ADDRESS: int = env.int("SOCKETS_PER_ADDRESS", default=60)
CACHES = {
    "default": {
        "BACKEND": "tradingarena.core.cache.SteadyRedisCache",
        "LOCATION": REDIS_CACHE_URL,
        "KEY_PREFIX": KEY_PREFIX,
        "OPTIONS": {"socket_connect_timeout": REDIS_TIMEOUT_S, "socket_timeout": REDIS_TIMEOUT_S},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_LIVE_URL], "prefix": f"{KEY_PREFIX}layer"},
    }
}

# -- background work: tasks are hints, at least once ------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_BROKER_URL
CELERY_TASK_DEFAULT_QUEUE = f"{KEY_PREFIX}default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
# a mail that is printed instead of sent is no warning
CELERY_WORKER_REDIRECT_STDOUTS_LEVEL = "INFO"
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "global_keyprefix": KEY_PREFIX,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "celerybeat-schedule")

# -- REST -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerTokenAuthentication",
        "accounts.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.SignedInWithScope"],
    "DEFAULT_PARSER_CLASSES": ["tradingarena.core.api_defaults.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["tradingarena.core.api_defaults.FastJSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "tradingarena.core.paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "tradingarena.core.openapi.ArenaSchema",
    "DEFAULT_THROTTLE_CLASSES": ["tradingarena.core.api_defaults.PerActorThrottle"],
    "EXCEPTION_HANDLER": "tradingarena.core.problems.problem_response",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tradingarena.core.api_defaults.JSONOnly",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
# (requests, seconds) of one account and of one address: many people may share an address
API_LIMITS: dict[str, dict[str, tuple[int, int]]] = {
    "read": {"account": (1_200, 60), "address": (12_000, 60)},
    "write": {"account": (600, 60), "address": (6_000, 60)},
}
# empty: /metrics answers requests from this machine alone
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
SPECTACULAR_SETTINGS = {
    "TITLE": "Trading Arena",
    "DESCRIPTION": "FX trading contests as a spectator sport: contests, orders, standings, market data and people.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tradingarena.core.openapi.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CompetitionStatus": "competitions.models.Competition.Status",
        "CompetitionKind": "competitions.models.Competition.Kind",
        "NewCompetitionKind": "competitions.api.inputs.KINDS",
        "EntryStatus": "competitions.models.Entry.Status",
        "OrderStatus": "competitions.models.Order.Status",
        "OrderType": "competitions.models.Order.Type",
        "OrderSide": "competitions.models.trading.Side",
        "QuoteSide": "competitions.api.inputs.QUOTE_SIDES",
        "PositionSide": "competitions.api.outputs.POSITION_SIDES",
        "Pair": "competitions.api.inputs.PAIRS",
        "PayoutStatus": "competitions.models.Payout.Status",
        "ChallengeStatus": "pvp.models.Challenge.Status",
        "ChallengeOutcome": "pvp.models.Challenge.Outcome",
        "StakeStatus": "pvp.models.Stake.Status",
        "ChallengeSide": "pvp.selectors.challenges.SIDES",
        "MarketStatus": "betting.models.Market.Status",
        "BetSide": "betting.models.SIDES",
        "BetStatus": "betting.api.outputs.BET_STATUSES",
        "MarketOutcome": "betting.api.outputs.CLOSED",
        "RefundReason": "betting.models.REFUNDS",
        "BetsAsked": "betting.api.inputs.ASKED",
        "ChatReportReason": "chat.models.Report.Reason",
        "ChatMessageState": "chat.models.Message.State",
        "ChatMessageKind": "chat.models.Message.Kind",
        "ChatChannelKind": "chat.models.Channel.Kind",
        "ChatAction": "chat.models.Sanction.Action",
        "ReferralStatus": "tokens.models.Referral.Status",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# -- market data ------------------------------------------------------------------------------------------------------
POLYGON_API_KEY: str = env.str("POLYGON_API_KEY", default="")
POLYGON_WS_URL: str = env.str("POLYGON_WS_URL", default="wss://socket.massive.com/forex")
POLYGON_REST_URL: str = env.str("POLYGON_REST_URL", default="https://api.massive.com")
MARKET_DATA_PROVIDER: str = env.str("MARKET_DATA_PROVIDER", default="polygon" if POLYGON_API_KEY else "simulated")
FX_DATA_DIR: str = env.str("FX_DATA_DIR", default="")
QUOTE_STALE_S: float = env.float("QUOTE_STALE_S", default=5.0)
FEED_WARM_UP_S: float = env.float("FEED_WARM_UP_S", default=10.0)
FEED_SILENCE_S: float = env.float("FEED_SILENCE_S", default=15.0)  # all pairs silent for so long: reconnect
FEED_PAIRS: list[str] = env.list("FEED_PAIRS", default=[])  # empty: all 28
REPLAY_FILES: list[str] = env.list("REPLAY_FILES", default=[])  # recordings for MARKET_DATA_PROVIDER=replay
QUOTES_KEPT: int = env.int("QUOTES_KEPT", default=1_000_000)  # on the bus; two hours at 130 quotes a second
POLYGON_PAIR_FORM: str = env.str(
    "POLYGON_PAIR_FORM", default="EUR/USD"
)  # or EUR-USD, EURUSD: how subscriptions name a pair
SIMULATED_ALWAYS_OPEN: bool = env.bool("SIMULATED_ALWAYS_OPEN", default=True)
SIMULATED_SEED: int = env.int("SIMULATED_SEED", default=20260102)
MARKET_ORDER_TIMEOUT_S: float = env.float("MARKET_ORDER_TIMEOUT_S", default=3.0)

# -- payments ---------------------------------------------------------------------------------------------------------
# what is given: the daily bonus, and to both sides of a referral; see docs/rules/economy.md
BONUS_STEP_TOKENS: int = max(1, env.int("BONUS_STEP_TOKENS", default=5))
BONUS_MOST_TOKENS: int = max(1, env.int("BONUS_MOST_TOKENS", default=25))
REFERRAL_TOKENS: int = max(1, env.int("REFERRAL_TOKENS", default=100))
REFERRAL_BETS: int = max(1, env.int("REFERRAL_BETS", default=10))  # settled bets that make a friend count
# both or neither; without them tokens are not sold and contests have no buy-in
STRIPE_SECRET_KEY: str = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET: str = env.str(
    "STRIPE_WEBHOOK_SECRET", default=""
)  # several, apart by commas, while one is replaced
STRIPE_API_BASE: str = env.str("STRIPE_API_BASE", default="")  # empty: Stripe itself
STRIPE_STAND_IN: bool = env.bool("STRIPE_STAND_IN", default=False)  # what is at STRIPE_API_BASE takes play money

# -- e-mail -----------------------------------------------------------------------------------------------------------
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Trading Arena <arena@localhost>")
# Resend sends when its key is there; its news of what became of mails count only when they are signed
RESEND_API_KEY: str = env.str("RESEND_API_KEY", default="")
RESEND_SIGNING_SECRET: str = env.str("RESEND_SIGNING_SECRET", default="")
RESEND_API_URL: str = env.str("RESEND_API_URL", default="https://api.resend.com/")
ANYMAIL = {
    "RESEND_API_KEY": RESEND_API_KEY,
    "RESEND_API_URL": RESEND_API_URL,
    "REQUESTS_TIMEOUT": 10,
    **({"RESEND_SIGNING_SECRET": RESEND_SIGNING_SECRET} if RESEND_SIGNING_SECRET else {}),
}
if RESEND_API_KEY:
    EMAIL_BACKEND = "anymail.backends.resend.EmailBackend"
# scheme and host under which links in mails lead here
SITE_URL: str = env.str(
    "SITE_URL", default=next(iter(CSRF_TRUSTED_ORIGINS), f"http://localhost:{env.int('PORT', default=8000)}")
).rstrip("/")

# -- pages ------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT: Path = env.path("STATIC_ROOT", default=str(STATE_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "tradingarena.staticfiles.ModuleManifestStorage"},
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        # where a form may end after its redirects
        "form-action": [SELF, "https://checkout.stripe.com", *([origin(STRIPE_API_BASE)] if STRIPE_API_BASE else [])],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "tradingarena.core.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "stripe": {"level": "WARNING"},  # its INFO is every request with its ids
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
