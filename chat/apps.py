"""The app's place in Django."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        """Listen to what happens below, serve the chat's rooms, and say where tips lead on a statement."""
        from chat import receivers, routing
        from chat.selectors import links
        from tokens.selectors import references

        receivers.connect()
        routing.connect()
        references.register("chat_message", links.tips)
