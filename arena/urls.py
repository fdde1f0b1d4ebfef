"""The pages of the arena: watching contests, replays, overlays and share cards. REST paths are in `api/urls.py`."""

from django.urls import path

from arena import share, views

app_name = "arena"

urlpatterns = [
    path("arena", views.session_list, name="list"),
    path("arena/<slug:slug>", views.session, name="session"),
    path("arena/<slug:slug>/join", views.join, name="join"),
    path("arena/<slug:slug>/replay", views.replay, name="replay"),
    path("arena/<slug:slug>/card.png", share.contest_card, name="card"),
    path("arena/<slug:slug>/traders/<str:username>/card.png", share.trader_card, name="trader-card"),
    path("arena/<slug:slug>/trades/<uuid:trade_id>/card.png", share.trade_card, name="trade-card"),
    path("embed/<slug:slug>", share.embed, name="embed"),
]
