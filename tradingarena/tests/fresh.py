"""Making a test begin without what earlier ones have left in Redis."""

from tradingarena.core import redis_client


def fresh_redis() -> None:
    """Forget limits, rooms, quotes and tickets."""
    connection = redis_client.client()
    if keys := list(connection.scan_iter(redis_client.key("*"))):
        connection.delete(*keys)
