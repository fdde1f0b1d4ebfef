"""A database that has gone silent is not waited on for ever; what may take longer says so."""

import psycopg
import pytest
from django.db import connection, transaction

from tradingarena.core.patience import PATIENCE_S, PatientConnection
from tradingarena.core.statements import give_time


@pytest.fixture
def patient(db: None) -> PatientConnection:
    wanted = connection.get_connection_params()
    wanted = {name: value for name, value in wanted.items() if name not in {"pool", "context", "cursor_factory"}}
    return PatientConnection.connect(**wanted, autocommit=True)


def test_silence_ends_the_connection(patient: PatientConnection) -> None:
    patient.patience_s = 0.2
    with pytest.raises(psycopg.OperationalError, match="silent"):
        patient.execute("SELECT pg_sleep(60)")
    assert patient.closed


def test_an_answer_in_time_changes_nothing(patient: PatientConnection) -> None:
    with patient:
        patient.execute("")
        assert patient.execute("SELECT 1").fetchone() == (1,)
        assert patient.patience_s == PATIENCE_S


@pytest.mark.django_db(transaction=True)
def test_more_time_is_given_for_one_transaction() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        give_time(120_000)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("2min",)
        assert connection.connection.patience_s > 120
        give_time(0)
        assert connection.connection.patience_s is None
    assert connection.connection.patience_s == PATIENCE_S
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("15s",)


@pytest.mark.django_db(transaction=True)
def test_time_is_given_in_a_transaction_alone() -> None:
    with pytest.raises(RuntimeError):
        give_time(1_000)
