"""Reads the tables of the documents, so that a test can hold the program to the numbers that people read."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows_of(document: str, heading: str) -> list[list[str]]:
    """Give the rows of the first table below a heading of level 2 or 3, cells without backticks; the header is left out."""
    text = (ROOT / document).read_text(encoding="utf-8")
    _, _, section = text.partition(f"# {heading}\n")
    assert section, f"{document} has no heading {heading!r}"
    lines: list[str] = []
    for line in section.split("\n#")[0].splitlines():
        if line.startswith("|"):
            lines.append(line)
        elif lines:
            break
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines[2:]]
