"""The pages of accounts. Sign-up, sign-in, second factors and sessions are allauth's, under /accounts/."""

from django.urls import include, path

from accounts.views import audit, data, notices, settings, social

app_name = "accounts"

urlpatterns = [
    path("settings", settings.settings_page, name="settings"),
    path("settings/profile", settings.profile_save, name="profile"),
    path("settings/username", settings.username_save, name="username"),
    path("settings/terms", settings.terms_save, name="terms"),
    path("settings/limits", settings.limits_page, name="limits"),
    path("settings/api-tokens", settings.api_tokens_page, name="api-tokens"),
    path("settings/api-tokens/<uuid:token_id>/revoke", settings.api_token_revoke, name="api-token-revoke"),
    path("settings/api-tokens/bot", settings.bot_mark, name="bot"),
    path("settings/data", data.data_page, name="data"),
    path("settings/data/exports", data.export_ask, name="export-request"),
    path("settings/data/exports/<uuid:export_id>.zip", data.export_download, name="export"),
    path("settings/data/delete", data.deletion_page, name="deletion"),
    path("settings/data/keep", data.deletion_back, name="deletion-withdraw"),
    path("settings/notifications", notices.choices_page, name="notice-choices"),
    path("notifications", notices.notifications_page, name="notifications"),
    path("notifications/read", notices.read_all, name="notifications-read"),
    path("notifications/<uuid:notification_id>", notices.follow, name="notification"),
    path("operations/audit", audit.audit_page, name="audit"),
    path("operations/audit.csv", audit.audit_csv, name="audit-csv"),
    path("mail/stop/<str:token>", notices.unsubscribe, name="unsubscribe"),
    path("mail/news/resend", notices.resend_news, name="resend-news"),
    path("traders/<str:username>", settings.trader_page, name="trader"),
    path("traders/<str:username>/follow", social.follow, name="follow"),
    path("traders/<str:username>/block", social.block, name="block"),
]

# Without a namespace, since allauth's own templates name them so. Included at the root.
allauth_urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("_allauth/", include("allauth.headless.urls")),  # the same as JSON, for pages that sign in without a reload
]
