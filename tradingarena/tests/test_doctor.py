"""`manage.py doctor` on a healthy installation and on sick ones: each sickness is named with what to do."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from tradingarena.localstack import diagnosis
from tradingarena.localstack.diagnosis import Finding


def one(found: Iterator[Finding]) -> Finding:
    (finding,) = found
    return finding


def answer(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_it_finds_both_servers_of_the_tests_well() -> None:
    by_name = {each.about: each for look in (diagnosis.database, diagnosis.redis_server) for each in look()}
    assert by_name["PostgreSQL"].state == "ok"
    assert by_name["PostgreSQL's clock"].state == "ok"
    assert by_name["Redis"].state == "ok"
    assert by_name["Redis's clock"].state == "ok"


@pytest.mark.django_db
def test_no_migration_is_missing_from_the_database_of_the_tests() -> None:
    assert diagnosis.unapplied_migrations() == []


def test_a_database_that_does_not_answer_is_wrong_and_says_which_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres:///arena?host=/nonexistent")
    monkeypatch.setattr(diagnosis, "_connection", lambda: {"host": "/nonexistent"})
    finding = one(diagnosis.database())
    assert finding.state == "wrong"
    assert "/nonexistent" in finding.text
    assert "DATABASE_URL" in finding.fix


def test_a_redis_that_does_not_answer_is_wrong_and_says_which_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "unix:///nonexistent/redis.sock"
    monkeypatch.setenv("REDIS_URL", url)
    with override_settings(REDIS_URL=url):
        finding = one(diagnosis.redis_server())
    assert finding.state == "wrong"
    assert "REDIS_URL" in finding.fix


def test_embedded_servers_that_sleep_are_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")
    assert one(diagnosis.database()).state == "note"
    assert one(diagnosis.redis_server()).state == "note"
    assert not list(tmp_path.iterdir())


def test_clocks_that_differ_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr("tradingarena.localstack.diagnosis.time.time", lambda: real() + 60)
    findings = {each.about: each for each in diagnosis.redis_server()}
    assert findings["Redis's clock"].state == "wrong"
    assert "-60" in findings["Redis's clock"].text or "-59" in findings["Redis's clock"].text


def test_packages_that_differ_from_the_lock_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.txt").write_text(
        "# a comment\n"
        "django==1.0 \\\n    --hash=sha256:0\n"
        "no-such-package==1.0\n"
        "only-on-windows==1.0 ; sys_platform == 'win32'\n"
    )
    monkeypatch.setattr(diagnosis, "BASE_DIR", tmp_path)
    finding = one(diagnosis.packages())
    assert finding.state == "wrong"
    assert "django" in finding.text
    assert "no-such-package is missing" in finding.text
    assert "windows" not in finding.text


def test_the_installed_packages_are_the_locked_ones() -> None:
    assert one(diagnosis.packages()).state == "ok"


@override_settings(MARKET_DATA_PROVIDER="reuters")
def test_a_wrong_configuration_is_shown_with_its_id_and_hint() -> None:
    found = {each.about: each for each in diagnosis.configuration()}
    assert found["configuration arena.E020"].state == "wrong"
    assert "simulated, replay, polygon" in found["configuration arena.E020"].fix


def test_recorded_quotes_are_compared_with_their_manifest(tmp_path: Path) -> None:
    with override_settings(FX_DATA_DIR=""):
        assert one(diagnosis.recorded_quotes()).state == "note"
    with override_settings(FX_DATA_DIR=str(tmp_path)):
        assert one(diagnosis.recorded_quotes()).state == "wrong"
        (tmp_path / "ticks").mkdir()
        (tmp_path / "ticks" / "a.csv.gz").write_bytes(b"1234")
        assert one(diagnosis.recorded_quotes()).state == "ok"
        (tmp_path / "manifest.json").write_text(json.dumps([{"file": "ticks/a.csv.gz", "bytes": 5}]))
        assert one(diagnosis.recorded_quotes()).state == "wrong"
        (tmp_path / "manifest.json").write_text(json.dumps([{"file": "ticks/a.csv.gz", "bytes": 4}]))
        assert one(diagnosis.recorded_quotes()).state == "ok"


def test_a_vendor_without_a_name_in_the_network_is_wrong() -> None:
    with override_settings(
        MARKET_DATA_PROVIDER="polygon", POLYGON_WS_URL="wss://name.invalid", POLYGON_REST_URL="http://127.0.0.1:1"
    ):
        assert [each.state for each in diagnosis.vendors()] == ["wrong", "ok"]


def test_missing_browser_libraries_and_a_full_disk_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "BASE_DIR", tmp_path)
    assert "make browser-libs" in one(diagnosis.browser_libraries()).fix
    monkeypatch.setattr(diagnosis, "FREE_BYTES", 10**18)
    assert next(diagnosis.disk()).state == "wrong"


@pytest.mark.parametrize(("states", "code"), [(["ok", "note"], 0), (["ok", "wrong"], 1)])
def test_its_exit_code_tells_whether_something_is_wrong(
    states: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> Iterator[Finding]:
        for state in states:
            yield Finding(f"thing {state}", state, "a text", "a fix" if state == "wrong" else "")

    monkeypatch.setattr(diagnosis, "LOOKS", (look,))
    assert answer() == (code, answer()[1])
    assert ("-> a fix" in answer()[1]) == bool(code)
    value: dict[str, Any] = json.loads(answer("--json")[1])
    assert value["ok"] == (code == 0)
    assert [each["state"] for each in value["findings"]] == states


def test_a_look_that_fails_is_a_finding_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        raise OSError("no such luck")
        yield

    monkeypatch.setattr(diagnosis, "LOOKS", (broken, diagnosis.python_version))
    findings = list(diagnosis.examine())
    assert [each.state for each in findings] == ["wrong", "ok"]
    assert "no such luck" in findings[0].text
