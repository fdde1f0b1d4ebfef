"""Following and blocking: what each means, its limits, and what REST says of it."""

import pytest

from accounts.models import Block, Follow, User
from accounts.selectors.social import followers_of, is_blocked
from accounts.services import social
from accounts.services.social import Blocked, FollowLimit
from tradingarena.tests.callers import by_token, problem_of
from tradingarena.tests.described import check
from tradingarena.tests.racing import race

FOLLOW, BLOCK = "/api/users/{username}/follow", "/api/users/{username}/block"


@pytest.mark.django_db
def test_following_over_rest(alice: User, bob: User) -> None:
    client = by_token(alice)
    for _ in range(2):
        answer = check(client, "put", FOLLOW, "/api/users/BOB/follow")
        assert answer.json() == {"username": "bob", "following": True, "followers": 1}
    assert [row["username"] for row in check(client, "get", "/api/me/follows").json()["results"]] == ["bob"]
    assert followers_of([bob.pk, alice.pk]) == {bob.pk: [alice.pk]}
    for _ in range(2):
        assert check(client, "delete", FOLLOW, "/api/users/bob/follow").json()["following"] is False
    problem_of(check(client, "put", FOLLOW, "/api/users/alice/follow"), 422, "not_oneself")
    problem_of(check(by_token(alice, "read"), "put", FOLLOW, "/api/users/bob/follow"), 403, "scope_missing")


@pytest.mark.django_db
def test_blocking_ends_following_both_ways_and_is_not_told(alice: User, bob: User) -> None:
    social.follow(alice, bob)
    social.follow(bob, alice)
    client = by_token(alice)
    assert check(client, "put", BLOCK, "/api/users/bob/block").json() == {"username": "bob", "blocked": True}
    assert not Follow.objects.exists()
    assert is_blocked(alice.pk, bob.pk)
    assert is_blocked(bob.pk, alice.pk)
    for user, other in ((alice, bob), (bob, alice)):
        with pytest.raises(Blocked):
            social.follow(user, other)
    assert check(by_token(bob), "get", "/api/me/blocks").json()["results"] == []
    assert [row["username"] for row in check(client, "get", "/api/me/blocks").json()["results"]] == ["bob"]
    assert check(client, "delete", BLOCK, "/api/users/bob/block").json()["blocked"] is False
    assert social.follow(bob, alice)


@pytest.mark.django_db(transaction=True)
def test_the_limit_of_follows_holds_under_races(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(social, "FOLLOW_LIMIT", 3)
    others = [User.objects.create_user(f"x{n}@example.com", f"other{n}") for n in range(8)]
    outcomes = race([lambda other=other: social.follow(alice, other) for other in others])
    assert outcomes.count(True) == 3
    assert sum(isinstance(one, FollowLimit) for one in outcomes) == 5
    assert (Follow.objects.count(), Block.objects.count()) == (3, 0)
