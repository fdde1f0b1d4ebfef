"""Every REST path, one include per app, the schema and its pages; what no app knows is a problem with 404.

Views live in the apps' `api/`. Manners: docs/api/manners.md.
"""

from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from tradingarena import api_docs
from tradingarena.core.problems import not_found

urlpatterns = [
    path("schema", api_docs.schema_view, name="api-schema"),
    path("docs", api_docs.docs_view, name="api-docs"),
    path("docs/errors", api_docs.errors_view, name="api-errors"),
    path("", include("accounts.api.urls")),
    path("", include("tokens.api.urls")),
    path("", include("competitions.api.urls")),
    path("", include("arena.api.urls")),
    path("", include("pvp.api.urls")),
    path("", include("betting.api.urls")),
    path("", include("chat.api.urls")),
    re_path(r"^.*$", csrf_exempt(not_found), name="api-unknown"),
]
