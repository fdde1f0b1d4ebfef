"""REST views of challenges: each parses, calls one door, and renders. Only the two parties know of a challenge."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.countries import country_of
from pvp.api import inputs, outputs
from pvp.models import Challenge
from pvp.selectors import challenges, records
from pvp.services import funding, life, offers
from tokens.selectors import payments
from tradingarena.core.api import ArenaView, ListView, idempotent, keyed
from tradingarena.core.serializers import StrictSerializer

TAG = ["pvp"]
READ_AND_STAKE = {"GET": "read", "POST": "bet", "PUT": "bet"}


def _read(shape: type[StrictSerializer], request: Request) -> dict[str, Any]:
    reader = shape(data=request.data)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


def _shown(request: Request, challenge_id: UUID) -> dict[str, Any]:
    sight = challenges.sight(request.user, challenges.find(request.user, challenge_id))
    other = sight.challenge.invitee_id if sight.side == challenges.CHALLENGER else sight.challenge.challenger_id
    record = records.head_to_head(request.user.pk, other) if other else None
    return outputs.challenge_detail(sight, record)


class ChallengesView(ListView):
    """One's own challenges."""

    scope = READ_AND_STAKE
    query_serializer = inputs.ChallengesQuery

    def rows(self) -> QuerySet[Challenge]:
        return challenges.of_person(self.request.user, self.params.get("box", ""))

    def show(self, row: Challenge) -> Any:
        return row

    @extend_schema(operation_id="challenges", tags=TAG, responses=outputs.ChallengeOut(many=True))
    def get(self, request: Request) -> Response:
        """List one's own challenges, sent and received, the newest first."""
        response = super().get(request)
        sights = challenges.sights(request.user, response.data["results"])
        response.data["results"] = [outputs.challenge_row(one) for one in sights]
        return response

    @extend_schema(
        operation_id="challenge_create", tags=TAG, request=inputs.ChallengeIn, responses={201: outputs.ChallengeDetail}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Dare somebody, by name or e-mail address. The invitation is good for 72 hours."""
        wanted = _read(inputs.ChallengeIn, request)
        made = offers.challenge_create(
            request.user,
            to=wanted["invitee"],
            wanted=inputs.wanted_of(wanted["terms"]),
            country=country_of(request.META),
        )
        return Response(_shown(request, made.pk), status=201)


class ChallengeView(ArenaView):
    """One challenge of one's own."""

    scope = READ_AND_STAKE

    @extend_schema(operation_id="challenge", tags=TAG, responses=outputs.ChallengeDetail)
    def get(self, request: Request, challenge_id: UUID) -> Response:
        """Read a challenge, with every version of its terms."""
        if life.is_late(challenges.find(request.user, challenge_id)):
            life.challenge_look(challenge_id)
        return Response(_shown(request, challenge_id))

    @extend_schema(
        operation_id="challenge_change", tags=TAG, request=inputs.TermsChange, responses=outputs.ChallengeDetail
    )
    def put(self, request: Request, challenge_id: UUID) -> Response:
        """Put other terms on the table; `version` is the one that was seen, 409 `terms_stale` when it has been replaced."""
        wanted = _read(inputs.TermsChange, request)
        offers.challenge_change(
            request.user,
            challenge_id,
            version=wanted["version"],
            wanted=inputs.wanted_of(wanted["terms"]),
            country=country_of(request.META),
        )
        return Response(_shown(request, challenge_id))


class AnswerView(ArenaView):
    scope = "bet"

    @extend_schema(
        operation_id="challenge_accept", tags=TAG, request=inputs.AnswerIn, responses=outputs.ChallengeDetail
    )
    def post(self, request: Request, challenge_id: UUID) -> Response:
        """Accept the version named, or decline with a reason. Accepting again changes nothing."""
        offers.challenge_answer(
            request.user, challenge_id, country=country_of(request.META), **_read(inputs.AnswerIn, request)
        )
        return Response(_shown(request, challenge_id))


class CheckoutView(ArenaView):
    scope = "bet"

    @extend_schema(
        operation_id="challenge_checkout",
        tags=TAG,
        request=inputs.NoWords,
        responses={201: outputs.StakeCheckoutOut},
    )
    @keyed
    def post(self, request: Request, challenge_id: UUID, *, key: str) -> Response:
        """Pay one's own stake: tokens at once; money at `checkout_url`, and the stake counts when the payment has arrived."""
        _read(inputs.NoWords, request)
        stake = funding.stake_pay(
            request.user,
            challenge_id,
            key=key,
            site_url=request.build_absolute_uri("/").rstrip("/"),
            country=country_of(request.META),
        )
        standing = payments.standing(stake.payment_id) if stake.payment_id else None
        return Response(outputs.checkout_row(stake, standing), status=201)


class ConfirmView(ArenaView):
    scope = "bet"

    @extend_schema(
        operation_id="challenge_confirm_payment",
        tags=TAG,
        request=inputs.NoWords,
        responses=outputs.ChallengeDetail,
    )
    def post(self, request: Request, challenge_id: UUID) -> Response:
        """Look at one's own payment now, as the return page does. It asks the provider and never credits by itself."""
        _read(inputs.NoWords, request)
        funding.stake_confirm(request.user, challenge_id)
        return Response(_shown(request, challenge_id))


class CancelView(ArenaView):
    scope = "bet"

    @extend_schema(operation_id="challenge_cancel", tags=TAG, request=inputs.NoWords, responses=outputs.ChallengeDetail)
    def post(self, request: Request, challenge_id: UUID) -> Response:
        """Call a challenge off before both stakes are there; what was paid goes back once. Cancelling again changes nothing."""
        _read(inputs.NoWords, request)
        offers.challenge_cancel(request.user, challenge_id)
        return Response(_shown(request, challenge_id))


class RematchView(ArenaView):
    scope = "bet"

    @extend_schema(
        operation_id="challenge_rematch",
        tags=TAG,
        request=inputs.NoWords,
        responses={201: outputs.ChallengeDetail},
    )
    @idempotent
    def post(self, request: Request, challenge_id: UUID) -> Response:
        """Dare the same person again with the same terms; where the other has just done so, that challenge is given."""
        _read(inputs.NoWords, request)
        again = offers.challenge_rematch(request.user, challenge_id, country=country_of(request.META))
        return Response(_shown(request, again.pk), status=201)
