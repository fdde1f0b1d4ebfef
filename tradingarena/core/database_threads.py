"""Database work asked for by event loops: it runs in a few threads of its own, each with its own pooled connection.

The threads that Django's own async views share run one call at a time; a slow join must not stop everybody's frames.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from django.db import close_old_connections

Answer = TypeVar("Answer")

THREADS = 6

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="realtime-db")


async def in_database(work: Callable[..., Answer], *arguments: object) -> Answer:
    """Run synchronous code that may use the database, and wait for it without holding up the loop.

    Guarantees: the connection goes back to the pool afterwards; context variables are the caller's.
    Raises: whatever `work` raises.
    """
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: context.run(_run, work, *arguments))


def _run(work: Callable[..., Answer], *arguments: object) -> Answer:
    close_old_connections()
    try:
        return work(*arguments)
    finally:
        close_old_connections()
