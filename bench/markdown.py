"""Reports as files: a heading, how it was made, tables, remarks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

Grid = tuple[Sequence[str], Sequence[Sequence[object]]]


def write_report(path: Path, title: str, made_by: str, grids: Sequence[Grid], remarks: Sequence[str]) -> None:
    """Write a report as Markdown, over whatever was there."""
    text = [f"# {title}", "", f"Made by {made_by}, {datetime.now(UTC):%Y-%m-%d}.", ""]
    for head, rows in grids:
        text += [_line(head), f"|{'|'.join(['---', *('--:' for _ in head[1:])])}|", *map(_line, rows), ""]
    text += [*(f"- {remark}" for remark in remarks), ""] if remarks else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text))


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
