"""An Idempotency-Key under races: of simultaneous requests one works and all get its answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import AuditLog, User
from competitions.models import Entry
from competitions.tests.factories import make_open_competition, make_user
from tradingarena.core.errors import Conflict
from tradingarena.core.idempotency import Answer, answer_once
from tradingarena.core.models import IdempotentAnswer
from tradingarena.tests import racing
from tradingarena.tests.cast import by_token

pytestmark = pytest.mark.django_db(transaction=True)

RACERS = 6
ROUNDS = 20


def race(run: Callable[[], Any]) -> list[Any]:
    """Let several threads do the same at the same moment; give what each got, exceptions included."""
    return racing.race([run] * RACERS)


def work(mark: str) -> Answer:
    """Leave a row that can be counted."""
    row = IdempotentAnswer.objects.create(user_id=uuid4(), endpoint="work", key=mark, body_sha256="")
    return 201, {"row": row.pk}


def worked(mark: str) -> int:
    return IdempotentAnswer.objects.filter(endpoint="work", key=mark).count()


def test_without_the_key_everybody_works() -> None:
    """The control: what the key is for."""
    race(lambda: work("control"))
    assert worked("control") == RACERS


def test_with_one_key_one_works_and_all_get_the_same_answer() -> None:
    user: UUID = uuid4()
    for number in range(ROUNDS):
        mark = f"round {number}"

        def ask(mark: str = mark) -> Any:
            return answer_once(user_id=user, endpoint="race", key=mark, body=b"x", work=lambda: work(mark))

        answers = race(ask)
        assert worked(mark) == 1, answers
        assert len({repr(answer) for answer, _ in answers}) == 1
        assert sorted(replayed for _, replayed in answers) == [False] + [True] * (RACERS - 1)


def test_a_refusal_lets_the_next_one_try() -> None:
    user, tries = uuid4(), []

    def refuse_first() -> Answer:
        tries.append(1)
        if len(tries) == 1:
            raise Conflict
        return work("second")

    answers = race(lambda: answer_once(user_id=user, endpoint="race", key="k", body=b"", work=refuse_first))
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert worked("second") == 1


def test_a_double_click_joins_once() -> None:
    user: User = make_user("dora")
    for _ in range(5):
        contest = make_open_competition()
        client, header = by_token(user), {"Idempotency-Key": str(uuid4())}
        path = f"/api/competitions/{contest.pk}/join"

        def click(path: str = path, header: dict[str, str] = header, client: Any = client) -> Any:
            response = client.post(path, {}, format="json", headers=header)
            return response.status_code, response.json()

        answers = race(click)
        assert {status for status, _ in answers} == {201}, answers
        assert len({body["entry_id"] for _, body in answers}) == 1
        assert Entry.objects.filter(competition=contest).count() == 1
        assert AuditLog.objects.filter(action="entry.joined", new__competition=str(contest.pk)).count() == 1
