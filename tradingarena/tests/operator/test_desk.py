"""The operations page, the cases' pages, and the dashboard that shows only figures that exist."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Halt, IntegrityCase
from accounts.services.integrity import case_open
from competitions.marketdata.leader import who_leads
from tradingarena.core import leases, processes, redis_client
from tradingarena.tests.cast import Cast

pytestmark = pytest.mark.django_db
PROOF = {"violations": 1, "broken": ["wallet_chain"], "at": "2026-01-01T00:00:00+00:00"}
ROOT = Path(__file__).parents[3]


@pytest.fixture
def cast() -> Cast:
    return Cast.assemble()


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def test_staff_see_how_it_does_and_others_do_not(cast: Cast) -> None:
    page = reverse("operations")
    assert Client().get(page).status_code == 302
    assert signed_in(cast.alice).get(page).status_code == 403
    leases.claim("invariants", "invariants", lease_ms=60_000, note=PROOF)
    words = signed_in(cast.moderator).get(page).content.decode()
    assert "wallet_chain" in words
    assert "no feed leads" in words
    assert "Only operators switch" in words
    assert who_leads("feed")  # the page has taken nothing away


def test_an_operator_switches_on_the_page_and_a_moderator_cannot(cast: Cast) -> None:
    path = reverse("switch", args=["betting"])
    signed_in(cast.moderator).post(path, {"to": "off", "reason": "I would"})
    assert not Halt.objects.exists()
    operator = signed_in(cast.operator)
    assert "Say why" in operator.post(path, {"to": "off", "reason": " "}, follow=True).content.decode()
    told = operator.post(path, {"to": "off", "reason": "A market is wrong"}, follow=True).content.decode()
    assert "A market is wrong" in told
    operator.post(path, {"to": "on", "reason": "Mended"})
    assert Halt.objects.get().ended_by == cast.operator
    assert operator.post(reverse("switch", args=["weather"]), {"reason": "x"}).status_code == 404


def test_a_case_is_read_and_decided_on_its_page(cast: Cast) -> None:
    case_open(
        "pvp_chip_dumping",
        uuid4().hex,
        [cast.alice.pk, cast.bob.pk],
        summary="alice lets bob win",
        evidence={"tokens": 500},
    )
    case = IntegrityCase.objects.get()
    page, door = reverse("case", args=[case.pk]), reverse("case-decide", args=[case.pk])
    assert signed_in(cast.alice).get(page).status_code == 403
    assert signed_in(cast.alice).post(door, {"decision": "dismiss", "note": "Mine"}).status_code == 403
    moderator = signed_in(cast.moderator)
    assert "alice lets bob win" in moderator.get(reverse("cases")).content.decode()
    assert "No device, address or card in common." in moderator.get(page).content.decode()
    assert "Say why" in moderator.post(door, {"decision": "dismiss"}, follow=True).content.decode()
    told = moderator.post(door, {"decision": "confirm", "note": "All in one hour"}, follow=True).content.decode()
    assert "mona" in told
    case.refresh_from_db()
    assert (case.status, case.note) == ("confirmed", "All in one hour")
    assert "alice lets bob win" in moderator.get(reverse("cases") + "?decided=1").content.decode()
    assert moderator.get(reverse("case", args=[uuid4()])).status_code == 404


def test_processes_tell_of_their_sockets_and_are_forgotten(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    key = redis_client.key("processes")
    redis_client.client().hset(key, "web-1:77", json.dumps({"sockets": 12, "at": processes.time.time()}))
    redis_client.client().hset(
        key, "web-2:78", json.dumps({"sockets": 9, "at": processes.time.time() - processes.KEEP_S - 1})
    )
    assert processes.told() == [("web-1:77", 12)]
    assert redis_client.client().hlen(key) == 1
    assert "web-1:77" in signed_in(cast.operator).get(reverse("operations")).content.decode()
    assert 'arena_sockets{process="web-1:77"} 12.0' in Client().get("/metrics").content.decode()


def test_the_dashboard_shows_only_figures_that_exist(cast: Cast) -> None:
    leases.claim("feed", "one", lease_ms=60_000, note={"status": "connected", "last_quote_ms": 1})
    leases.claim("beat", "beat", lease_ms=45_000)
    leases.claim("invariants", "invariants", lease_ms=60_000, note=PROOF)
    Client().get("/api/instruments")
    exist = set(re.findall(r"^(arena_\w+)", Client().get("/metrics").content.decode(), re.MULTILINE))
    exist |= set(re.findall(r"^# TYPE (arena_\w+)", Client().get("/metrics").content.decode(), re.MULTILINE))
    board = json.loads((ROOT / "docs/grafana.json").read_text(encoding="utf-8"))
    shown = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"arena_\w+", target["expr"])
    }
    assert len(shown) > 15
    assert shown <= exist
    told = set(re.findall(r"`(arena_\w+)", (ROOT / "docs/operations.md").read_text(encoding="utf-8")))
    assert told <= exist
    assert {name for name in exist if not name.startswith(("arena_api_", "arena_database"))} <= told
