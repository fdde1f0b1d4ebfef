"""The pages of contests. REST paths are in `api/urls.py`."""

from django.urls import path

from competitions import views

app_name = "competitions"

urlpatterns = [
    path("competitions", views.contest_list, name="list"),
    path("competitions/<slug:slug>", views.contest, name="detail"),
    path("competitions/<slug:slug>/join", views.join, name="join"),
    path("competitions/<slug:slug>/withdraw", views.withdraw, name="withdraw"),
    path("competitions/<slug:slug>/leave-seat", views.leave_seat, name="leave-seat"),
    path("competitions/<slug:slug>/trade", views.trade, name="trade"),
    path("competitions/<slug:slug>/results", views.results, name="results"),
    path("competitions/<slug:slug>/traders/<str:username>", views.trader, name="trader"),
    path("competitions/<slug:slug>/trades/<uuid:trade_id>", views.trade_page, name="trade-page"),
    path("competitions/<slug:slug>/traders/<str:username>/fills", views.fills, name="fills"),
    path("competitions/<slug:slug>/fills/<uuid:fill_id>", views.fill, name="fill"),
]
