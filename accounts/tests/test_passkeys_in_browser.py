"""In a real browser: sign up, confirm, make a passkey, sign out, sign in with the passkey; under the content policy."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from accounts.tests.conftest import PASSWORD, code_in_last_mail
from tradingarena.localstack.bootstrap import find_chromium
from tradingarena.tests.browsing import PATIENCE_MS

pytestmark = [pytest.mark.page, pytest.mark.django_db(transaction=True)]
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def is_complaint(line: ConsoleMessage) -> bool:
    """Tell whether a line is a fault of the page; `live_server` speaks no WebSocket, which the page is right to miss."""
    return line.type in {"error", "warning"} and not ("/ws' failed" in line.text and line.text.endswith("code: 404"))


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console has complained of."""
    return []


@pytest.fixture
def page(complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A browser with a built-in key, whose console is listened to."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        opened.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
        opened.route_web_socket("**/ws", lambda socket: None)  # the server of this test speaks none
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        session = context.new_cdp_session(opened)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        yield opened
        browser.close()


def test_a_stranger_signs_up_and_comes_back_with_a_passkey(
    page: Page, live_server: Any, settings: Any, complaints: list[str]
) -> None:
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    url = live_server.url
    page.goto(f"{url}/accounts/signup/")
    for name, text in {
        "email": "zoe@example.com",
        "username": "zoe",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }.items():
        page.fill(f"[name={name}]", text)
    page.check("[name=of_age]")
    page.check("[name=terms]")
    page.click("main button[type=submit]")
    page.wait_for_url("**/confirm-email/**")
    page.fill("[name=code]", code_in_last_mail())
    page.click("main button[type=submit]")
    page.wait_for_url(f"{url}/")

    page.goto(f"{url}/accounts/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.check("[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/2fa/recovery-codes/")
    page.goto(f"{url}/accounts/logout/")
    page.click("main button[type=submit]")
    page.wait_for_url(f"{url}/")

    page.goto(f"{url}/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url(f"{url}/")
    page.goto(f"{url}/settings")
    assert page.inner_text("h1") == "Settings"
    assert "zoe@example.com" in page.inner_text("main")
    assert complaints == []
