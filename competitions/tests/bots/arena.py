"""Bots against the real API without a port: a client whose requests go straight into Django."""

from typing import Any

from django.test import Client

from tradingarena.bots.client import ArenaClient, _read


class StraightClient(ArenaClient):
    """Sends the same requests as its parent, by a shorter way."""

    def _once(self, method: str, path: str, payload: bytes | None, headers: dict[str, str]) -> Any:
        extra = {name: value for name, value in headers.items() if name != "Content-Type"}
        answer = Client().generic(
            method, path, payload or b"", content_type="application/json", headers=extra, raise_request_exception=True
        )
        return _read(answer.status_code, answer.headers.get("Retry-After", ""), answer.content)
