"""A database connection whose every wait for an answer has a bound of its own.

`statement_timeout` is kept by the server, and says nothing to a client whose server or network has gone silent: such a connection
would be waited on for ever. Named in the settings as the pool's connection class.
"""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

PATIENCE_S = 20.0  # a little more than the server's statement_timeout, which comes first when there is a server
CHECK_S = 2.0  # for the empty statement with which the pool asks whether a connection is alive
_GRACE_S = 5.0


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is given up when the server has been silent for `patience_s`.

    Units: seconds. A statement that may take longer says so with `core.statements.give_time`, until its transaction ends.
    """

    patience_s: float | None = PATIENCE_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server's answer.

        Raises: psycopg.OperationalError: none within `patience_s`; the connection is closed.
        """
        limit = self.patience_s if timeout is None else timeout
        try:
            found = super().wait(gen, interval, timeout=limit)
        except psycopg.errors._WaitTimeout:
            if timeout is not None:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the database has been silent for {limit:.0f} s") from None
        if self.patience_s not in {PATIENCE_S, CHECK_S} and self.pgconn.transaction_status == TransactionStatus.IDLE:
            self.patience_s = PATIENCE_S
        return found

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a statement; the empty one, which only asks whether anybody is there, with little patience."""
        if query != "":
            return super().execute(query, *args, **kwargs)
        before, self.patience_s = self.patience_s, CHECK_S
        try:
            return super().execute(query, *args, **kwargs)
        finally:
            self.patience_s = before

    def give_time(self, seconds: float | None) -> None:
        """Wait longer, or without a bound (None), until the transaction that is open ends."""
        self.patience_s = None if seconds is None else seconds + _GRACE_S
