"""The REST paths of market data, contests and trading, below /api/."""

from django.urls import path

from competitions.api import competition_views as contests
from competitions.api import market_views as market
from competitions.api import trading_views as trading

ONE = "competitions/<uuid:competition_id>"

urlpatterns = [
    path("instruments", market.InstrumentsView.as_view(), name="api-instruments"),
    path("quotes", market.QuotesView.as_view(), name="api-quotes"),
    path("candles", market.CandlesView.as_view(), name="api-candles"),
    path("competitions", contests.CompetitionsView.as_view(), name="api-competitions"),
    path(ONE, contests.CompetitionDetailView.as_view(), name="api-competition"),
    path(f"{ONE}/join", contests.JoinView.as_view(), name="api-competition-join"),
    path(f"{ONE}/withdraw", contests.WithdrawView.as_view(), name="api-competition-withdraw"),
    path(f"{ONE}/transition", contests.TransitionView.as_view(), name="api-competition-transition"),
    path(f"{ONE}/entries", contests.EntriesView.as_view(), name="api-competition-entries"),
    path(f"{ONE}/leaderboard", contests.LeaderboardView.as_view(), name="api-competition-leaderboard"),
    path(f"{ONE}/results", contests.ResultsView.as_view(), name="api-competition-results"),
    path(f"{ONE}/results.csv", contests.ResultsCsvView.as_view(), name="api-competition-results-csv"),
    path(f"{ONE}/room", contests.RoomView.as_view(), name="api-competition-room"),
    path(f"{ONE}/orders", trading.OrdersView.as_view(), name="api-orders"),
    path(f"{ONE}/orders/<uuid:order_id>", trading.OrderView.as_view(), name="api-order"),
    path(f"{ONE}/positions", trading.PositionsView.as_view(), name="api-positions"),
    path(f"{ONE}/positions/<uuid:position_id>", trading.PositionView.as_view(), name="api-position"),
    path(f"{ONE}/positions/<uuid:position_id>/close", trading.PositionCloseView.as_view(), name="api-position-close"),
    path(f"{ONE}/fills", trading.FillsView.as_view(), name="api-fills"),
    path(f"{ONE}/deals", trading.DealsView.as_view(), name="api-deals"),
    path(f"{ONE}/trades", trading.TradesView.as_view(), name="api-trades"),
    path(f"{ONE}/trades.csv", trading.TradesCsvView.as_view(), name="api-trades-csv"),
    path(f"{ONE}/statistics", trading.StatisticsView.as_view(), name="api-statistics"),
    path(f"{ONE}/equity", trading.EquityView.as_view(), name="api-equity"),
]
