"""REST of what people are given and who leads: the daily bonus, referrals, leaderboards."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Public
from tokens.api import shapes
from tokens.models import Referral
from tokens.rules.economy import Period
from tokens.selectors import boards, bonus, referrals, wallet
from tokens.services.bonus import bonus_claim
from tokens.services.referrals import referral_code
from tradingarena.core.api import ArenaView, ListView, etagged, idempotent
from tradingarena.core.paging import rank_page

TAG = ["tokens"]


class DailyBonusView(ArenaView):
    scope = {"GET": "read", "POST": "bet"}

    @extend_schema(operation_id="daily_bonus", tags=TAG, responses=shapes.BonusOut)
    def get(self, request: Request) -> Response:
        """Read whether today's bonus is there, and what it is worth."""
        return Response(asdict(bonus.bonus_of(request.user.pk)))

    @extend_schema(operation_id="daily_bonus_claim", tags=TAG, request=None, responses={201: shapes.BonusClaimedOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Claim today's bonus: once per UTC day, worth more for each day in a row."""
        given = bonus_claim(request.user)
        told = {"day": given.day, "streak": given.streak, "tokens": given.tokens}
        return Response(told | {"balance_tokens": wallet.balance_of(request.user.pk)}, status=201)


class ReferralView(ArenaView):
    @extend_schema(operation_id="referral_link", tags=TAG, responses=shapes.ReferralLinkOut)
    def get(self, request: Request) -> Response:
        """Read one's own referral link and what it has brought."""
        code = referral_code(request.user)
        link = {
            "code": code,
            "url": request.build_absolute_uri(reverse("tokens:invited", args=[code])),
            "reward_tokens": settings.REFERRAL_TOKENS,
            "bets_needed": settings.REFERRAL_BETS,
        }
        return Response(link | referrals.totals_of(request.user.pk))


class ReferralsView(ListView):
    def rows(self) -> QuerySet[Referral]:
        return referrals.referrals_of(self.request.user.pk)

    def show(self, row: Referral) -> Any:
        return shapes.ReferralOut(row).data

    @extend_schema(operation_id="referrals", tags=TAG, responses=shapes.ReferralOut(many=True))
    def get(self, request: Request) -> Response:
        """List who came by one's own link and what became of it, the newest first."""
        return super().get(request)


class LeaderboardView(ArenaView):
    permission_classes = [Public]
    query_serializer = shapes.LeaderboardQuery

    @extend_schema(operation_id="token_leaderboard", tags=TAG, responses=shapes.LeaderboardOut)
    def get(self, request: Request) -> Response:
        """Read a leaderboard by place. It is half a minute old at most."""
        asked = self.params
        viewer_id = request.user.pk if request.user.is_authenticated else None
        place, limit = asked["place"], asked["limit"]
        view = boards.board_page(asked["board"], Period(asked["period"]), place=place, limit=limit, viewer_id=viewer_id)
        facts = {
            "board": view.board.name,
            "period": view.period,
            "starts_on": view.starts_on.isoformat(),
            "unit": view.board.unit,
            "own": view.own,
        }
        page = rank_page(request, view.lines, total=view.total, place=place, limit=limit, **facts)
        return etagged(request, page, shared=viewer_id is None)
