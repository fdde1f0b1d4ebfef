"""The pages of tokens. REST paths are in `api/urls.py`."""

from django.urls import path

from tokens import views

app_name = "tokens"

urlpatterns = [
    path("wallet", views.wallet_page, name="wallet"),
    path("wallet/statement.csv", views.statement_csv, name="statement-csv"),
    path("wallet/bonus", views.bonus_take, name="bonus"),
    path("referrals", views.referrals_page, name="referrals"),
    path("r/<str:code>", views.invited, name="invited"),
    path("leaderboards", views.leaderboards_page, name="leaderboards"),
    path("wallet/buy", views.buy, name="buy"),
    path("wallet/return", views.returned, name="return"),
    path("wallet/payments/<uuid:payment_id>", views.payment_page, name="payment"),
    path("wallet/payments/<uuid:payment_id>/state", views.payment_state, name="payment-state"),
    path("wallet/payments/<uuid:payment_id>/cancel", views.payment_cancel, name="payment-cancel"),
]
