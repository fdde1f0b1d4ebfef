"""Every path of the site: one include per app. REST paths are in `api.py`, sockets in `routing.py`.

Which page is where is decided in each app's `urls.py`.
"""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from accounts.urls import allauth_urlpatterns
from tradingarena import desk, operations, pages

handler400 = "tradingarena.failures.bad_request"
handler404 = "tradingarena.failures.not_found"
handler500 = "tradingarena.failures.server_error"

urlpatterns = [
    path("api/", include("tradingarena.api")),
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    *allauth_urlpatterns,
    path("", pages.home, name="home"),
    path("rules", pages.rules, name="rules"),
    path("terms", pages.terms, name="terms"),
    path("privacy", pages.privacy, name="privacy"),
    path("operations/", desk.operations, name="operations"),
    path("operations/switches/<str:part>", desk.switch, name="switch"),
    path("operations/cases", desk.cases, name="cases"),
    path("operations/cases/<uuid:case_id>", desk.case_page, name="case"),
    path("operations/cases/<uuid:case_id>/decide", desk.decide, name="case-decide"),
    path("", include("accounts.urls")),
    path("", include("tokens.urls")),
    path("", include("competitions.urls")),
    path("", include("arena.urls")),
    path("", include("betting.urls")),
    path("", include("pvp.urls")),
    path("", include("chat.urls")),
]
