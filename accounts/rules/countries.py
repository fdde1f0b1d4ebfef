"""The countries of ISO 3166 by their two letters, and the time zones by their names, as the tz database lists them."""

from importlib.resources import files
from zoneinfo import available_timezones


def _read() -> dict[str, str]:
    text = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return dict(sorted(((code, name) for code, name in rows), key=lambda row: row[1]))


NAMES = _read()
TIMEZONES = frozenset(available_timezones())
