"""The REST paths of challenges, below /api/."""

from django.urls import path

from pvp.api import views

ONE = "pvp/challenges/<uuid:challenge_id>"

urlpatterns = [
    path("pvp/challenges", views.ChallengesView.as_view(), name="api-challenges"),
    path(ONE, views.ChallengeView.as_view(), name="api-challenge"),
    path(f"{ONE}/accept", views.AnswerView.as_view(), name="api-challenge-accept"),
    path(f"{ONE}/checkout", views.CheckoutView.as_view(), name="api-challenge-checkout"),
    path(f"{ONE}/confirm-payment", views.ConfirmView.as_view(), name="api-challenge-confirm"),
    path(f"{ONE}/cancel", views.CancelView.as_view(), name="api-challenge-cancel"),
    path(f"{ONE}/rematch", views.RematchView.as_view(), name="api-challenge-rematch"),
]
