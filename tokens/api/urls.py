"""The REST paths of tokens, below /api/."""

from django.urls import path

from tokens.api import economy, views
from tokens.api.webhook import StripeWebhookView

urlpatterns = [
    path("tokens/wallet", views.WalletView.as_view(), name="api-wallet"),
    path("tokens/history", views.HistoryView.as_view(), name="api-wallet-history"),
    path("tokens/packages", views.PackagesView.as_view(), name="api-token-packages"),
    path("tokens/checkout", views.CheckoutView.as_view(), name="api-checkout"),
    path("tokens/confirm", views.ConfirmView.as_view(), name="api-checkout-confirm"),
    path("tokens/payments", views.PaymentsView.as_view(), name="api-payments"),
    path("tokens/payments/<uuid:payment_id>", views.PaymentView.as_view(), name="api-payment"),
    path("tokens/daily-bonus", economy.DailyBonusView.as_view(), name="api-daily-bonus"),
    path("tokens/referral", economy.ReferralView.as_view(), name="api-referral"),
    path("tokens/referrals", economy.ReferralsView.as_view(), name="api-referrals"),
    path("tokens/leaderboard", economy.LeaderboardView.as_view(), name="api-token-leaderboard"),
    path("stripe/webhook", StripeWebhookView.as_view(), name="api-stripe-webhook"),
]
