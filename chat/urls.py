"""The pages of the chat and of its moderators. REST paths are in `api/urls.py`."""

from django.urls import path

from chat import desk, views

app_name = "chat"

urlpatterns = [
    path("chat", views.page, name="page"),
    path("chat/with/<str:username>", views.talk, name="with"),
    path("chat/standing", views.standing, name="standing"),
    path("chat/standing/<uuid:sanction_id>/appeal", views.appeal, name="appeal"),
    path("chat/contest/<uuid:competition_id>/panel", views.panel, name="panel"),
    path("chat/contest/<uuid:competition_id>/replay", views.replay, name="replay"),
    path("chat/challenge/<uuid:challenge_id>/panel", views.challenge_panel, name="challenge-panel"),
    path("moderation", desk.queue_page, name="queue"),
    path("moderation/cases/<uuid:case_id>", desk.decide, name="decide"),
    path("moderation/integrity/<uuid:case_id>", desk.decide_integrity, name="decide-integrity"),
    path("moderation/rooms", desk.rooms, name="rooms"),
    path("moderation/people/<str:username>", desk.person, name="person"),
    path("moderation/people/<str:username>/sanction", desk.sanction, name="sanction"),
    path("moderation/people/<str:username>/note", desk.note, name="note"),
]
