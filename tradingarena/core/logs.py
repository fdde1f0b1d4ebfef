"""One line per log record: time, level, logger, message, the record's own fields and the request's id."""

import logging
from contextvars import ContextVar
from datetime import UTC, datetime

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class LineFormatter(logging.Formatter):
    """Writes `key=value` pairs after the message; a record's `extra` needs no format of its own."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, tz=UTC).strftime("%H:%M:%S.%f")[:-3]
        fields = {
            key: value
            for key, value in vars(record).items()
            if key not in _STANDARD and key not in {"request", "status_code"}
        }
        if request_id := current_request_id.get():
            fields["request_id"] = request_id
        tail = "".join(f" {key}={value!r}" for key, value in fields.items())
        line = f"{moment} {record.levelname} {record.name} {record.getMessage()}{tail}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line
