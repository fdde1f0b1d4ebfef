"""Django's admin as an app, with our own door. Apart from `apps`, where a second configuration would compete with our own."""

from django.contrib.admin.apps import AdminConfig


class ArenaAdminConfig(AdminConfig):
    """Uses adminsite.ArenaAdminSite."""

    default_site = "accounts.adminsite.ArenaAdminSite"
