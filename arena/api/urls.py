"""The REST paths of the arena, below /api/."""

from django.urls import path

from arena.api import views

ONE = "arena/<uuid:listing_id>"

urlpatterns = [
    path("arena/listings", views.ListingsView.as_view(), name="api-arena-listings"),
    path(ONE, views.ListingView.as_view(), name="api-arena-listing"),
    path(f"{ONE}/join", views.JoinView.as_view(), name="api-arena-join"),
    path(f"{ONE}/leave", views.LeaveView.as_view(), name="api-arena-leave"),
    path(f"{ONE}/replay", views.ReplayView.as_view(), name="api-arena-replay"),
]
