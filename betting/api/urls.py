"""The REST paths of bet-behind, below /api/."""

from django.urls import path

from betting.api import views

urlpatterns = [
    path("betting/markets/<uuid:competition_id>", views.MarketsView.as_view(), name="api-bet-markets"),
    path("betting/history/<uuid:competition_id>", views.HistoryView.as_view(), name="api-bet-history"),
    path("betting/bets", views.BetsView.as_view(), name="api-bets"),
    path("betting/bets/<uuid:bet_id>", views.BetView.as_view(), name="api-bet"),
    path("betting/settlements/<uuid:market_id>", views.ReceiptView.as_view(), name="api-bet-receipt"),
    path("betting/traders/<str:username>", views.TraderView.as_view(), name="api-bet-trader"),
    path("betting/record", views.RecordView.as_view(), name="api-bet-record"),
]
