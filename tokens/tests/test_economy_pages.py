"""The pages of bonus, referrals and leaderboards: what they say and what their forms do."""

import pytest
from django.test import Client

from accounts.models import User
from tokens.models import Referral
from tokens.services import boards, referrals
from tokens.tests.ledger.book import balance, give

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_bonus_is_claimed_on_the_wallet_page(ann: User) -> None:
    client = signed_in(ann)
    page = client.get("/wallet").content.decode()
    assert "Claim 5 tokens" in page
    assert "bonus-dot" in page
    page = client.post("/wallet/bonus", follow=True).content.decode()
    assert "5 tokens for you. Your balance is 5." in page
    assert "Claim" not in page.partition("bonus-title")[2].partition("</section>")[0]
    assert "bonus-dot" not in page
    assert "You have had today" in client.post("/wallet/bonus", follow=True).content.decode()
    assert balance(ann.pk) == 5


def test_who_signs_up_by_a_link_is_brought_by_its_owner(ann: User) -> None:
    code = referrals.referral_code(ann)
    visitor = Client()
    assert visitor.get(f"/r/{code}").headers["Location"] == "/accounts/signup/"
    form = {"email": "new@example.com", "username": "newcomer", "password1": "a-long-pass-77", "password2": "a-long-pass-77",
            "of_age": "on", "terms": "on"}  # fmt: skip
    visitor.post("/accounts/signup/", form)
    found = Referral.objects.get()
    assert (found.referrer, found.referee.username, found.status) == (ann, "newcomer", "waiting")
    page = signed_in(ann).get("/referrals").content.decode()
    assert "newcomer" in page
    assert "10 settled bets, or a contest, to go" in page
    assert f"/r/{code}" in page


def test_a_dead_link_says_so_and_a_member_needs_none(ann: User, ben: User) -> None:
    assert "nobody" in Client().get("/r/gone", follow=True).content.decode()
    assert Client().get("/r/" + "x" * 300).status_code == 302
    page = signed_in(ben).get(f"/r/{referrals.referral_code(ann)}", follow=True).content.decode()
    assert "for new people" in page
    assert Referral.objects.count() == 0


def test_leaderboards_are_for_everybody(ann: User, ben: User) -> None:
    assert "Nobody is on this board yet" in Client().get("/leaderboards").content.decode()
    give(ann.pk, 1_500)
    give(ben.pk, 3)
    boards.ledger_count()
    page = Client().get("/leaderboards?board=earned&period=week").content.decode()
    assert page.index(">ann<") < page.index(">ben<")
    assert "1,500" in page
    own = signed_in(ben).get("/leaderboards").content.decode()
    assert 'class="own"' in own
    assert Client().get("/leaderboards?board=liars&period=never").status_code == 200
