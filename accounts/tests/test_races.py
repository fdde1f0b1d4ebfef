"""What happens at the same moment: names and tokens. Each begins with the control that shows the race without its guard."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts import selectors
from accounts.models import User
from accounts.services import people, tokens, usernames
from tradingarena.core.errors import DomainError

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20
CROWD = 8  # fewer than the connections of the pool


@pytest.fixture
def threads() -> Iterator[Callable[..., Future[Any]]]:
    """Run things at the same time, each on a connection of its own."""
    pool = ThreadPoolExecutor(16)

    def start(work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        def run() -> Any:
            try:
                return work(*arguments)
            except DomainError as refusal:
                return refusal
            finally:
                connections.close_all()

        return pool.submit(run)

    yield start
    pool.shutdown()


def waits_for_a_lock() -> bool:
    """Tell whether some other connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def sign_up_while_the_name_is_given_up(threads: Callable[..., Future[Any]], round_: int) -> tuple[User, Any]:
    """Rename Alice; before that commits, let Eve sign up with the old name, past the early look at what is free."""
    alice = people.person_add(f"alice{round_}@example.com", f"alice{round_}x")
    eve = User(email=f"eve{round_}@example.com", username=f"alice{round_}x")
    eve.set_unusable_password()
    with transaction.atomic():
        usernames.username_change(alice.pk, f"wonder{round_}x")
        attempt = threads(people.store_new, eve)
        while not waits_for_a_lock():
            assert not attempt.done()
    return alice, attempt.result(timeout=60)


def test_control_without_the_trigger_a_name_just_given_up_can_be_grabbed(threads: Callable[..., Future[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER accounts_user_former_names")
    try:
        _, outcome = sign_up_while_the_name_is_given_up(threads, 0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_user ENABLE TRIGGER accounts_user_former_names")
    assert outcome is None


def test_a_name_just_given_up_cannot_be_grabbed_by_a_simultaneous_sign_up(threads: Callable[..., Future[Any]]) -> None:
    for round_ in range(ROUNDS):
        alice, outcome = sign_up_while_the_name_is_given_up(threads, round_)
        assert isinstance(outcome, people.PersonExists)
        assert selectors.user_by_name(f"alice{round_}x").user == alice


def test_of_simultaneous_claims_of_look_alikes_one_is_granted(threads: Callable[..., Future[Any]]) -> None:
    claims = ["target", "TARGET", "Target", "tarGet"]
    for round_ in range(ROUNDS):
        everyone = [people.person_add(f"p{round_}-{i}@example.com", f"person-{round_}-{i}") for i in range(4)]
        start = Barrier(4, timeout=60)

        def claim(user: User, name: str, start: Barrier = start) -> User:
            start.wait()
            return usernames.username_change(user.pk, name)

        names = [f"{name}{round_}" for name in claims]
        outcomes = [
            future.result(timeout=60)
            for future in [threads(claim, *pair) for pair in zip(everyone, names, strict=True)]
        ]
        assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, usernames.NameTaken) for outcome in outcomes) == 3


def test_a_double_click_changes_a_name_once(threads: Callable[..., Future[Any]]) -> None:
    for round_ in range(ROUNDS):
        user = people.person_add(f"p{round_}@example.com", f"person-{round_}")
        start = Barrier(2, timeout=60)

        def click(user: User = user, name: str = f"renamed-{round_}", start: Barrier = start) -> User:
            start.wait()
            return usernames.username_change(user.pk, name)

        outcomes = [future.result(timeout=60) for future in [threads(click), threads(click)]]
        assert all(isinstance(outcome, User) for outcome in outcomes)
        assert selectors.former_names(user).count() == 1


def make_tokens_at_once(threads: Callable[..., Future[Any]], user: User) -> int:
    """Have four tokens fewer than allowed, then ask for eight at the same moment; say how many are valid afterwards."""
    tokens.tokens_revoke_all(user.pk)
    for _ in range(tokens.MAX_TOKENS - 4):
        tokens.token_create(user.pk, name="old", scopes=["read"])
    start = Barrier(CROWD, timeout=60)

    def make() -> Any:
        start.wait()
        return tokens.token_create(user.pk, name="new", scopes=["read"])

    for future in [threads(make) for _ in range(CROWD)]:
        future.result(timeout=60)
    return selectors.api_tokens(user).count()


def test_control_without_the_lock_a_person_gets_more_tokens_than_allowed(
    threads: Callable[..., Future[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = people.person_add("greedy@example.com", "greedy")
    counted = Barrier(CROWD, timeout=60)
    real = selectors.api_tokens

    def read_without_lock(model: type[User], pk: object) -> User:
        return model.objects.get(pk=pk)

    class Slow:
        def __init__(self, rows: Any) -> None:
            self.rows = rows

        def count(self) -> int:
            number: int = self.rows.count()
            counted.wait()
            return number

    tokens.tokens_revoke_all(user.pk)
    for _ in range(tokens.MAX_TOKENS - 4):
        tokens.token_create(user.pk, name="old", scopes=["read"])
    monkeypatch.setattr(tokens, "lock_row", read_without_lock)
    monkeypatch.setattr(selectors, "api_tokens", lambda person: Slow(real(person)))
    attempts = [threads(lambda: tokens.token_create(user.pk, name="new", scopes=["read"])) for _ in range(CROWD)]
    for attempt in attempts:
        attempt.result(timeout=60)
    assert real(user).count() > tokens.MAX_TOKENS


def test_a_person_never_has_more_tokens_than_allowed(threads: Callable[..., Future[Any]]) -> None:
    user = people.person_add("greedy@example.com", "greedy")
    for _ in range(ROUNDS):
        assert make_tokens_at_once(threads, user) == tokens.MAX_TOKENS


def test_a_token_revoked_while_another_is_made_stays_revoked(threads: Callable[..., Future[Any]]) -> None:
    user = people.person_add("careful@example.com", "careful")
    for _ in range(ROUNDS):
        token, secret = tokens.token_create(user.pk, name="old", scopes=["read"])
        go = Event()

        def revoke(token_id: Any = token.pk, go: Event = go) -> None:
            go.wait(20)
            tokens.token_revoke(user.pk, token_id)

        def use(secret: str = secret, go: Event = go) -> None:
            go.wait(20)
            tokens.token_recognise(secret)

        attempts = [threads(revoke), threads(revoke), threads(use)]
        go.set()
        for attempt in attempts:
            attempt.result(timeout=60)
        assert tokens.token_recognise(secret) is None
