"""The pages of challenges. REST paths are in `api/urls.py`."""

from django.urls import path

from pvp import views

app_name = "pvp"

urlpatterns = [
    path("pvp", views.challenge_list, name="list"),
    path("pvp/new", views.challenge_new, name="new"),
    path("pvp/invitations/<str:code>", views.invitation, name="invitation"),
    path("pvp/<uuid:challenge_id>", views.challenge, name="detail"),
    path("pvp/<uuid:challenge_id>/state", views.challenge_state, name="state"),
    path("pvp/<uuid:challenge_id>/terms", views.change, name="change"),
    path("pvp/<uuid:challenge_id>/answer", views.answer, name="answer"),
    path("pvp/<uuid:challenge_id>/pay", views.pay, name="pay"),
    path("pvp/<uuid:challenge_id>/cancel", views.cancel, name="cancel"),
    path("pvp/<uuid:challenge_id>/rematch", views.rematch, name="rematch"),
]
