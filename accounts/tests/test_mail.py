"""Mail over real SMTP and real HTTP: logged, retried, once for each cause, and no part of anybody's request."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as outbox
from django.test import Client

from accounts.models import AuditLog, Mail, MailStop, MailTemplate, User
from accounts.services import mail, notices, wording
from accounts.services.mail import deliver_due, template_of
from accounts.services.wording import TemplateRefused
from accounts.tests.conftest import PASSWORD
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Forbidden, NotFound, RuleRefusal
from tradingarena.tests.live import free_port
from tradingarena.tests.postbox import Postbox, open_at
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
SMTP = "django.core.mail.backends.smtp.EmailBackend"
ANYMAIL = "anymail.backends.resend.EmailBackend"


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    """A mail server that the site uses."""
    with open_at(free_port()) as box:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", box.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield box


def tell(user: User, cause: str = "one") -> None:
    values = {"title": "Evening cup", "amount": "$25.00", "note": "By <b>transfer</b>."}
    notices.tell("payout", [user.pk], cause=cause, url="/competitions/evening", values=values)


def due_now() -> None:
    """Let every wait be over."""
    Mail.objects.filter(status="queued").update(next_try_at=database_now())


def test_a_mail_is_plain_short_and_can_be_stopped(postbox: Postbox, alice: User) -> None:
    tell(alice)
    (found,) = postbox.mails
    assert (found["To"], found["Subject"]) == ("alice@example.com", "Your payout for Evening cup")
    text = found.get_body(("plain",)).get_content()
    assert "$25.00 for Evening cup has been paid to you. By <b>transfer</b>." in text
    assert "http://localhost:8000/competitions/evening" in text
    assert "By &lt;b&gt;transfer&lt;/b&gt;." in found.get_body(("html",)).get_content()
    row = Mail.objects.get()
    assert (row.status, row.message_id) == ("sent", found["Message-ID"])
    path = found["List-Unsubscribe"].strip(" <>").removeprefix("http://localhost:8000")
    assert path in text
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.get(path).status_code == 200
    assert not MailStop.objects.exists()  # looking is not stopping
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    tell(alice, "another")
    assert len(postbox.mails) == 1
    assert stranger.post(path[:-3] + "xyz").status_code == 404


def test_a_provider_that_is_away_for_an_hour_fails_nobody_and_loses_nothing(
    settings: Any, alice: User, bob: User
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", free_port()
    for number in range(5):
        tell(alice, str(number))
    answer = Client().post(
        "/accounts/signup/",
        {
            "email": "zoe@example.com",
            "username": "zoe",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "of_age": "on",
            "terms": "on",
        },
    )
    assert answer.status_code == 302
    for _ in range(15):  # an hour of it, at most five minutes between two tries
        assert deliver_due()["sent"] == 0
        due_now()
    waits = Mail.objects.values_list("next_try_at", flat=True)
    assert max(waits) <= database_now() + timedelta(minutes=5)
    assert set(Mail.objects.values_list("status", flat=True)) == {"queued"}
    with open_at(settings.EMAIL_PORT) as box:
        due_now()
        race([deliver_due] * 8)
        deliver_due()
    assert sorted(one["To"] for one in box.mails) == ["alice@example.com"] * 5 + ["zoe@example.com"]
    assert len({one["Message-ID"] for one in box.mails}) == 6
    code = Mail.objects.get(address="zoe@example.com")
    assert (code.status, code.text) == ("sent", "")  # the code is not kept


def test_an_address_that_is_refused_holds_up_no_other(postbox: Postbox, alice: User, bob: User) -> None:
    postbox.refuse = {"alice@example.com": "550 No such person"}
    tell(alice)
    tell(bob)
    assert dict(Mail.objects.values_list("address", "status")) == {
        "alice@example.com": "failed",
        "bob@example.com": "sent",
    }
    postbox.refuse = {"alice@example.com": "451 Come again"}
    tell(alice, "later")
    row = Mail.objects.get(cause="later")
    assert (row.status, row.attempts) == ("queued", 1)
    postbox.refuse = {}
    due_now()
    deliver_due()
    row.refresh_from_db()
    assert row.status == "sent"


def test_a_worker_that_died_is_followed_by_another_after_five_minutes(postbox: Postbox, alice: User) -> None:
    mail.queue_account_mail("someone@example.com", "A code", "123456")
    Mail.objects.update(status="sending", next_try_at=database_now() + mail.CLAIM, sent_at=None, text="123456")
    assert deliver_due() == {"sent": 0, "refused": 0, "later": 0}
    Mail.objects.update(next_try_at=database_now())
    assert deliver_due()["sent"] == 1
    assert len({one["Message-ID"] for one in postbox.mails}) == 1  # the same mail, should both have gone out


class Resend(ThreadingHTTPServer):
    """A stand-in for the provider: POST /emails, as its API documents it."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.down = False
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: Resend

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 503 if self.server.down else 200
        if not self.server.down:
            self.server.taken.append({"path": self.path, "key": self.headers["Authorization"], **body})
        answer = json.dumps({"id": f"re_{len(self.server.taken)}"} if status == 200 else {"message": "away"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def resend(settings: Any) -> Iterator[Resend]:
    server = Resend()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = "whsec_" + base64.b64encode(b"a secret of thirty-two characters").decode()
    settings.EMAIL_BACKEND, settings.RESEND_SIGNING_SECRET = ANYMAIL, secret
    settings.ANYMAIL = {"RESEND_API_KEY": "re_key", "RESEND_API_URL": server.url, "RESEND_SIGNING_SECRET": secret}
    yield server
    server.shutdown()
    server.server_close()


def news(kind: str, email_id: str, secret: str, **headers: str) -> Any:
    """Tell what became of a mail, signed as the provider signs."""
    body = json.dumps(
        {
            "type": f"email.{kind}",
            "created_at": "2026-03-02T12:00:00.000Z",
            "data": {"email_id": email_id, "to": ["alice@example.com"], "created_at": "2026-03-02T12:00:00.000Z"},
        }
    )
    stamp, name = str(int(time.time())), f"msg_{uuid4().hex}"
    signed = hmac.new(
        base64.b64decode(secret.removeprefix("whsec_")), f"{name}.{stamp}.{body}".encode(), hashlib.sha256
    )
    signature = "v1," + base64.b64encode(signed.digest()).decode()
    sent = {"svix-id": name, "svix-timestamp": stamp, "svix-signature": signature} | headers
    return Client(raise_request_exception=False).post("/mail/news/resend", body, "application/json", headers=sent)


def test_the_provider_takes_mail_over_http_and_its_signed_news_is_logged(
    resend: Resend, settings: Any, alice: User
) -> None:
    resend.down = True
    tell(alice)
    assert Mail.objects.get().status == "queued"
    resend.down = False
    due_now()
    deliver_due()
    (taken,) = resend.taken
    assert (taken["path"], taken["key"], taken["to"]) == ("/emails", "Bearer re_key", ["alice@example.com"])
    assert taken["text"].startswith("$25.00 for Evening cup")
    assert Mail.objects.get().message_id == "re_1"
    secret = settings.RESEND_SIGNING_SECRET
    assert news("delivered", "re_1", secret).status_code == 200
    assert Mail.objects.get().status == "delivered"
    assert news("complained", "re_1", secret, **{"svix-signature": "v1,AAAA"}).status_code == 400
    assert news("complained", "re_1", secret).status_code == 200
    assert news("delivered", "re_1", secret).status_code == 200  # late: the worst word stays
    assert Mail.objects.get().status == "complained"
    tell(alice, "another")
    assert len(resend.taken) == 1  # who complains gets no more
    settings.RESEND_SIGNING_SECRET = ""
    assert news("delivered", "re_1", secret).status_code == 404


def test_operators_word_mails_and_try_them_on_themselves(oscar: User, mona: User, alice: User) -> None:
    assert MailTemplate.objects.count() >= 8
    saved = wording.template_save(
        oscar, "payout", subject="Paid: {{ amount }}", body="{{ amount }}\n\n{{ url }}", enabled=True
    )
    assert template_of("payout") == saved
    assert AuditLog.objects.get(action="mail_template.changed").new["subject"] == "Paid: {{ amount }}"
    assert wording.preview(oscar, "payout", saved.subject, saved.body).subject == "Paid: $25.00"
    wording.test_send(oscar, "payout")
    assert (outbox.outbox[-1].to, outbox.outbox[-1].subject) == (["oscar@example.com"], "Paid: $25.00")
    for wrong in ("{{ password }}", "{% load x %}", " "):
        with pytest.raises(TemplateRefused):
            wording.template_save(oscar, "payout", subject="x", body=wrong, enabled=True)
    with pytest.raises(Forbidden):
        wording.test_send(mona, "payout")
    with pytest.raises(NotFound):
        wording.preview(oscar, "badge", "x", "y")
    wording.template_save(oscar, "payout", subject="Paid", body="{{ url }}", enabled=False)
    tell(alice)
    assert not Mail.objects.filter(address="alice@example.com").exists()
    with pytest.raises(RuleRefusal):
        wording.resend(oscar, Mail.objects.get().pk)


def test_the_admin_pages_of_mail(client: Client, oscar: User, mona: User, alice: User) -> None:
    tell(alice)
    client.force_login(oscar)
    for path in ("", "payout/change/", "payout/preview/"):
        assert client.get(f"/admin/accounts/mailtemplate/{path}").status_code == 200, path
    assert "$25.00" in client.get("/admin/accounts/mailtemplate/payout/preview/").content.decode()
    change = "/admin/accounts/mailtemplate/payout/change/"
    refused = client.post(change, {"subject": "x", "body": "{{ nothing }}", "enabled": "on"})
    assert "There is no variable nothing here." in refused.content.decode()
    assert client.post(change, {"subject": "New", "body": "{{ url }}", "enabled": "on"}).status_code == 302
    assert AuditLog.objects.filter(action="mail_template.changed").exists()
    sent_before = len(outbox.outbox)
    client.post("/admin/accounts/mailtemplate/", {"action": "test_send", "_selected_action": ["payout"]})
    assert len(outbox.outbox) == sent_before + 1
    row = Mail.objects.get(address="alice@example.com")
    assert row.message_id in client.get("/admin/accounts/mail/").content.decode().replace("&lt;", "<").replace(
        "&gt;", ">"
    )
    assert client.get(f"/admin/accounts/mail/{row.pk}/change/").status_code == 200
    client.force_login(mona)
    for path in ("mailtemplate/", "mail/", "mailtemplate/payout/preview/"):
        assert client.get(f"/admin/accounts/{path}").status_code == 403, path
