"""The pages of bet-behind: one's bets, a market, its receipt, a trader's record; and the parts that other pages show.

REST paths are in `api/urls.py`.
"""

from django.urls import path

from betting import views

app_name = "betting"

urlpatterns = [
    path("bets", views.bet_list, name="list"),
    path("bets/markets/<uuid:market_id>", views.market, name="market"),
    path("bets/panel/<uuid:competition_id>", views.panel, name="panel"),
    path("bets/replay/<uuid:competition_id>", views.replay, name="replay"),
    path("bets/embed/<uuid:competition_id>", views.embed, name="embed"),
    path("settlements/<uuid:market_id>", views.receipt, name="receipt"),
    path("traders/<str:username>/bet-behind", views.trader, name="trader"),
]
