"""The REST paths of the chat, below /api/."""

from django.urls import path

from chat.api import views

ONE = "chat/<uuid:channel_id>"

urlpatterns = [
    path("chat/channels", views.ChannelsView.as_view(), name="api-chat-channels"),
    path("chat/direct", views.DirectView.as_view(), name="api-chat-direct"),
    path("chat/standing", views.StandingView.as_view(), name="api-chat-standing"),
    path("chat/standing/<uuid:sanction_id>/appeal", views.AppealView.as_view(), name="api-chat-appeal"),
    path(f"{ONE}/messages", views.MessagesView.as_view(), name="api-chat-messages"),
    path(f"{ONE}/messages/<uuid:message_id>", views.MessageView.as_view(), name="api-chat-message"),
    path(f"{ONE}/messages/<uuid:message_id>/report", views.ReportView.as_view(), name="api-chat-report"),
    path(f"{ONE}/moderate", views.ModerateView.as_view(), name="api-chat-moderate"),
    path(f"{ONE}/tips", views.TipsView.as_view(), name="api-chat-tips"),
    path(f"{ONE}/read", views.ReadView.as_view(), name="api-chat-read"),
]
