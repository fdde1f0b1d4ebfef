"""Rows as CSV for people who open them in a spreadsheet: what others have written is no formula there.

What the rows say is each app's own.
"""

import csv
import re
from collections.abc import Iterable
from typing import Any

FIGURE = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
BEGINS_A_FORMULA = frozenset("=+-@\t\r")


def write_rows(file: Any, rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV into a file or an answer.

    Guarantees: no cell is a formula; figures stay figures, negative ones too.
    """
    csv.writer(file).writerows([cell(value) for value in row] for row in rows)


def cell(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would calculate.

    Example:
        >>> cell("=1+1"), cell("-12.50"), cell("-1+1"), cell(-5)
        ("'=1+1", '-12.50', "'-1+1", -5)
    """
    if isinstance(value, str) and value[:1] in BEGINS_A_FORMULA and not FIGURE.fullmatch(value):
        return f"'{value}"
    return value
