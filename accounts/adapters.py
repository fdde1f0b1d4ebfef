"""Where allauth and Django's sign-in ask us: which names, who may come in, what is stored at sign-up.

Rules: docs/rules/accounts.md#sign-up-and-sign-in.
"""

from base64 import urlsafe_b64encode
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.timezone import now

from accounts.models import User
from accounts.rules.switches import Part
from accounts.selectors import switches
from accounts.services import mail, people, usernames
from tradingarena.core.errors import DomainError


class SignInBackend(AuthenticationBackend):
    """Knows people by name or address and password; a disabled or banned person's session ends with the next request."""

    def user_can_authenticate(self, user: User) -> bool:
        return user.may_sign_in()

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Look for an address as an address alone: no name has an "@". Looked for as a name too, a known one would be found twice, and
        the second hash of the password would tell by its time that it is known.
        """
        if credentials.get("email"):
            credentials.pop("username", None)
        found: User | None = super().authenticate(request, **credentials)
        return found


class AccountAdapter(DefaultAccountAdapter):
    """Our answers to allauth's questions."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let people sign up unless an operator has switched it off: the page then says why, and JSON answers 403."""
        return switches.refusal(Part.SIGN_UP) is None

    def get_client_ip(self, request: HttpRequest) -> str:
        """Tell the client's address; a request that has passed fewer proxies than are trusted counts by its peer's.

        Raises: PermissionDenied: there is none, as on a unix socket.
        """
        try:
            return str(super().get_client_ip(request))
        except ImproperlyConfigured:
            if address := clean_client_ip(str(request.META.get("REMOTE_ADDR") or "")):
                return address
            raise PermissionDenied("Unable to determine client IP address") from None

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Judge a name at sign-up by the same rules as a change of name."""
        try:
            usernames.check_free(username)
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from None
        return username

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue what sign-up, sign-in and resets say: a provider that is away fails nobody's request."""
        message = self.render_mail(template_prefix, email, context)
        html = next((body for body, kind in getattr(message, "alternatives", ()) if kind == "text/html"), "")
        user = context.get("user")
        mail.queue_account_mail(email, message.subject, message.body, html, getattr(user, "pk", None))

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell by mail alone that there is an account: the page takes as long as for a new one, which hashes a password."""
        make_password(get_random_string(20))
        super().send_account_already_exists_mail(email)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Store a new person with age, terms and country in the one insert."""
        data = form.cleaned_data
        super().save_user(request, user, form, commit=False)
        moment = now()
        user.country = data.get("country", "")
        user.age_confirmed_at = moment if data.get("of_age") else None
        if data.get("terms"):
            user.terms_version, user.terms_accepted_at = settings.TERMS_VERSION, moment
        if commit:
            people.store_new(user)
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Keep a banned person out as allauth keeps a disabled one out."""
        response = super().pre_login(request, user, **kwargs)
        return response if response or user.may_sign_in() else self.respond_user_inactive(request, user)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the secrets of authenticator apps and recovery codes encrypted; the key follows SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return _vault().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _vault().decrypt(encrypted_text.encode()).decode()


def _vault() -> MultiFernet:
    """Encrypt with the key of today, decrypt with those before it too (SECRET_KEY_FALLBACKS)."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [
        salted_hmac("accounts.second_factor", "vault", secret, algorithm="sha256").digest() for secret in secrets
    ]
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])
