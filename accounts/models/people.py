"""People and what belongs to them: names, API tokens, the audit log. Rules are in `rules`, changes in `services`.

Rules: docs/rules/accounts.md.
"""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.timezone import now

from accounts.rules import names, roles
from tradingarena.core.models import AppendOnlyModel, UUIDModel

# Names are looked up without regard to case, by the index on lower(username).
models.CharField.register_lookup(Lower)


class UserManager(BaseUserManager["User"]):
    """Makes people with their derived fields in place."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Write an address the one way it is stored: without surrounding space, in lower case."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, username: str, password: str | None = None, **fields: Any) -> "User":
        """Store a new person. The doors are sign-up and `services.people.person_add`; this only fills the row."""
        user = self.model(email=self.normalize_email(email), username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, username: str, password: str | None = None, **fields: Any) -> "User":
        """Store a new admin, for `manage.py createsuperuser`."""
        return self.create_user(email, username, password, **(fields | {"role": roles.ADMIN}))


class User(AbstractBaseUser, UUIDModel):
    """A person or a bot. The role is the one source of staff rights; there are no groups."""

    email = models.EmailField(unique=True, help_text="lower case; private")
    username = models.CharField(max_length=names.MAX_LENGTH, help_text="the public name")
    username_skeleton = models.CharField(
        max_length=names.SKELETON_MAX_LENGTH, unique=True, editable=False, help_text="what the name looks like"
    )
    username_changed_at = models.DateTimeField(null=True, blank=True, help_text="aware UTC; null: never changed")
    case_change_used = models.BooleanField(default=False, help_text="a change of case alone is free once")
    role = models.CharField(max_length=10, choices=roles.ROLES, default=roles.USER)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 alpha-2 in capitals; empty: not told")
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name, for showing times")
    age_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="aware UTC; when the person declared to be 18+"
    )
    terms_version = models.CharField(max_length=20, blank=True, help_text="the terms last accepted; empty: none")
    terms_accepted_at = models.DateTimeField(null=True, blank=True, help_text="aware UTC")
    is_bot = models.BooleanField(default=False, help_text="run by a program, and shown as such")
    is_active = models.BooleanField(default=True, help_text="false: disabled by an operator, cannot sign in")
    banned_until = models.DateTimeField(null=True, blank=True, help_text="aware UTC; may not sign in before")
    prizes_barred_at = models.DateTimeField(
        null=True, blank=True, help_text="aware UTC; since when the person plays without prizes; null: wins them"
    )
    date_joined = models.DateTimeField(default=now, editable=False, help_text="aware UTC")

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["username"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=Q(role__in=[role for role, _ in roles.ROLES]), name="user_role_known"),
            models.CheckConstraint(
                condition=Q(username__regex=rf"^[A-Za-z0-9_-]{{{names.MIN_LENGTH},{names.MAX_LENGTH}}}$"),
                name="user_name_shape",
            ),
            models.CheckConstraint(condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="user_country_form"),
        ]
        indexes = [models.Index(Lower("username"), name="user_name_folded")]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep what is derived from the name and the address in step with them."""
        self.email = UserManager.normalize_email(self.email)
        self.username_skeleton = names.skeleton(self.username)
        if (fields := kwargs.get("update_fields")) is not None and "username" in fields:
            kwargs["update_fields"] = {*fields, "username_skeleton"}
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Moderators and admins may enter the admin site."""
        return self.role in {roles.MODERATOR, roles.ADMIN}

    @property
    def is_superuser(self) -> bool:
        """Admins may do everything there that the site offers at all."""
        return self.role == roles.ADMIN

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Answer Django's admin site from the role."""
        return self.may_sign_in() and roles.permits(self.role, perm)

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        """Answer for several permissions at once."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Tell the admin site whether to list an app."""
        return self.may_sign_in() and roles.permits_app(self.role, app_label)

    def may_sign_in(self, at: datetime | None = None) -> bool:
        """Tell whether the account is neither disabled nor banned at a moment (now)."""
        return self.is_active and (self.banned_until is None or self.banned_until <= (at or now()))


class UsernameHistory(UUIDModel):
    """A name somebody had: it leads to that person and is nobody else's until `reserved_until`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="former_names")
    username = models.CharField(max_length=names.MAX_LENGTH)
    username_skeleton = models.CharField(max_length=names.SKELETON_MAX_LENGTH, db_index=True)
    changed_at = models.DateTimeField(help_text="aware UTC; when the name was given up")
    reserved_until = models.DateTimeField(help_text="aware UTC; 180 days later")

    class Meta:
        verbose_name_plural = "username history"
        indexes = [models.Index(Lower("username"), name="former_name_folded")]

    def __str__(self) -> str:
        return f"{self.username} until {self.changed_at:%Y-%m-%d}"


class ApiToken(UUIDModel):
    """A personal key for programs. The secret itself is shown once and not stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60, help_text="what the person calls it")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret, hexadecimal")
    prefix = models.CharField(max_length=12, help_text="the secret's first characters, for recognising it")
    last_four = models.CharField(max_length=4, help_text="the secret's last four characters")
    scopes = ArrayField(models.CharField(max_length=8), help_text="some of: read, trade, bet, chat")
    created_at = models.DateTimeField(auto_now_add=True, help_text="aware UTC")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="aware UTC, exact to five minutes")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="aware UTC; null: valid")

    class Meta:
        verbose_name = "API token"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(roles.SCOPES)) & Q(scopes__len__gte=1),
                name="api_token_scopes_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…{self.last_four}"


class SelfLimits(models.Model):
    """What a person has forbidden themselves. What holds now is in `rules/limits.py`; only the person changes it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="self_limits"
    )
    daily_cap_tokens = models.PositiveBigIntegerField(
        null=True, help_text="tokens that may be spent in a UTC day; null: no cap"
    )
    next_daily_cap_tokens = models.PositiveBigIntegerField(
        null=True, help_text="the cap from `next_cap_from` on; null: none"
    )
    next_cap_from = models.DateTimeField(null=True, help_text="aware UTC; null: no change is under way")
    cool_off_until = models.DateTimeField(null=True, help_text="aware UTC; no purchase, entry, bet or stake before")
    excluded_until = models.DateTimeField(null=True, help_text="aware UTC; the same, for half a year or longer")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "self-limits"

    def __str__(self) -> str:
        return f"limits of {self.user_id}"


class Sighting(models.Model):
    """A device or an address that somebody has signed in from, as a keyed digest: it can be compared and not read."""

    class Kind(models.TextChoices):
        DEVICE = "device"
        ADDRESS = "address"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sightings")
    kind = models.CharField(max_length=7, choices=Kind)
    digest = models.CharField(max_length=64, help_text="HMAC-SHA-256, hexadecimal; an IPv6 address counts by its /64")
    first_at = models.DateTimeField(auto_now_add=True, help_text="aware UTC")
    last_at = models.DateTimeField(help_text="aware UTC")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind", "digest"], name="sighting_once")]
        indexes = [
            models.Index(fields=["kind", "digest"], name="sighting_shared"),
            models.Index(fields=["last_at"], name="sighting_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"


class AuditLog(AppendOnlyModel):
    """Who changed what, from what to what, and why. A trigger keeps every row as it was written."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="null: the system itself",
    )
    action = models.CharField(max_length=60, help_text="object and verb, such as user.disabled")
    object_type = models.CharField(max_length=60, help_text="app.model, such as accounts.user")
    object_id = models.CharField(max_length=64)
    old = models.JSONField(null=True, help_text="the changed fields before")
    new = models.JSONField(null=True, help_text="the changed fields after")
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True, help_text="finds the request's log lines")
    address = models.GenericIPAddressField(null=True, help_text="where the actor was, when known")
    at = models.DateTimeField(auto_now_add=True, db_index=True, help_text="aware UTC")

    class Meta:
        verbose_name = "audit row"
        verbose_name_plural = "audit log"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["action", "-id"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
