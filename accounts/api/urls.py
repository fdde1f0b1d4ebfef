"""The REST paths of accounts, below /api/."""

from django.urls import path

from accounts.api import notices, views

urlpatterns = [
    path("me", views.MeView.as_view(), name="api-me"),
    path("me/bot", views.BotView.as_view(), name="api-me-bot"),
    path("me/username", views.UsernameView.as_view(), name="api-me-username"),
    path("me/api-tokens", views.ApiTokensView.as_view(), name="api-me-api-tokens"),
    path("me/api-tokens/<uuid:token_id>", views.ApiTokenView.as_view(), name="api-me-api-token"),
    path("me/exports", views.ExportsView.as_view(), name="api-me-exports"),
    path("me/limits", views.LimitsView.as_view(), name="api-me-limits"),
    path("me/notifications", notices.NotificationsView.as_view(), name="api-notifications"),
    path("me/notifications/read", notices.NotificationsReadView.as_view(), name="api-notifications-read"),
    path("me/notice-choices", notices.NoticeChoicesView.as_view(), name="api-notice-choices"),
    path("me/follows", notices.FollowsView.as_view(), name="api-follows"),
    path("me/blocks", notices.BlocksView.as_view(), name="api-blocks"),
    path("users/<str:username>/follow", notices.FollowView.as_view(), name="api-follow"),
    path("users/<str:username>/block", notices.BlockView.as_view(), name="api-block"),
    path("users/<str:username>", views.UserView.as_view(), name="api-user"),
    path("ws-ticket", views.SocketTicketView.as_view(), name="api-ws-ticket"),
]
