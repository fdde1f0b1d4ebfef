"""`make access`: writes docs/reports/access.md and attacks.md from the tables that the attack tests hold the site against.

The tables are `access.py`, `frames.py`, `pages.py` and `attacks.py`; `test_report.py` fails when a file is not what they say.
With `--tests` the tests of attacks.md are printed, for `make attacks`.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django

REPORTS = Path(__file__).resolve().parents[3] / "docs" / "reports"
ACCESS, ATTACKED = REPORTS / "access.md", REPORTS / "attacks.md"
_HEAD = """# Who may do what

Written by `make access` from `tradingarena/tests/attacks/`: what the OpenAPI schema and the AsyncAPI document declare, and a short table of
what they cannot say. `tradingarena/tests/attacks/test_access.py` and `test_rooms.py` ask every operation and every frame as everybody and
compare; a new one that is not in the table fails them. Whoever is refused has changed no row,
but for when their token was last used: the tests ask the database.

`yes`: done. A figure is the status of the refusal: 401 not signed in, 403 not allowed, 404 not there for them, 422 refused by a rule.
"""
_ATTACKS_HEAD = """# Attacks

Written by `make access` from `tradingarena/tests/attacks/attacks.py`; `make attacks` runs every test that is named here, and so does
`make test`. A test that is named and not there fails `tradingarena/tests/attacks/test_report.py`.
"""
_ALWAYS = """
What holds for every operation and is tried for every operation:

- a token that is revoked, or whose owner is banned or disabled: 401, even where everybody may read (the webhook of the payment
  provider looks at its signature alone);
- a page's session without the CSRF token: 403 for whatever is no GET; a banned person's session is nobody's;
- the e-mail address of somebody is in no answer to anybody else but operators;
- an order, a position or a message of somebody else is not found below a contest or a channel that one may enter, either.
"""
_COLUMNS = (
    "anonymous", "page", "token read", "token trade", "token bet", "token chat", "another", "moderator", "admin",
    "unconfirmed",
)  # fmt: skip


def access_text() -> str:
    """Write the matrix as Markdown."""
    return "\n".join(
        [
            _HEAD,
            "## REST",
            _ALWAYS,
            *_who(),
            *_rest(),
            "",
            "## Why some differ",
            "",
            *_reasons(),
            "",
            *_frames(),
            "",
            *_pages(),
            "",
        ]
    )


def _who() -> Iterator[str]:
    from tradingarena.tests.attacks.access import PLAIN_ROLES

    yield from ("| column | who asks |", "|---|---|")
    yield from (f"| {name} | {PLAIN_ROLES[name]} |" for name in _COLUMNS)
    yield ""


def _rest() -> Iterator[str]:
    from tradingarena.tests.attacks.access import MAY, expected, operations

    yield f"| operation | {' | '.join(_COLUMNS)} |"
    yield "|---|" + ":-:|" * len(_COLUMNS)
    for operation, declared in operations():
        cells = (expected(operation, declared, role) for role in _COLUMNS)
        shown = " | ".join("yes" if cell == MAY else cell for cell in cells)
        yield f"| `{operation[0].upper()} {operation[1]}` | {shown} |"


def _reasons() -> Iterator[str]:
    from tradingarena.tests.attacks.access import SPECIAL

    for (method, path), special in SPECIAL.items():
        yield f"- `{method.upper()} {path}`: {special.why}."


def _frames() -> Iterator[str]:
    from tradingarena.tests.attacks.frames import FRAMES, OK, PLAIN_READERS, READERS

    yield from ("## WebSocket", "", "| column | who sends |", "|---|---|")
    yield from (f"| {name} | {text} |" for name, text in PLAIN_READERS.items())
    yield from ("", "A join shows the kinds of rooms that it opens; a refusal its code.", "")
    yield f"| frame | about | {' | '.join(READERS)} |"
    yield "|---|---|" + ":-:|" * len(READERS)
    for frame in FRAMES:
        cells = []
        for reader in READERS:
            answer, rooms = frame.expected(reader)
            cells.append(", ".join(sorted(rooms)) or "yes" if answer == OK else f"`{answer}`")
        yield f"| `{frame.type}` | {frame.about} | {' | '.join(cells)} |"


def _pages() -> Iterator[str]:
    from tradingarena.tests.attacks.pages import APART, POST, READ

    yield from (
        "## Pages",
        "",
        "`test_pages.py` reads each and posts to each as everybody, with and without the CSRF token.",
        "",
    )
    yield from ("| page | read by |", "|---|---|")
    yield from (f"| `/{route}` | {kind} |" for kind, found in READ.items() for route in sorted(found))
    yield from ("", "| post | by |", "|---|---|")
    yield from (f"| `/{route}` | {kind} |" for kind, found in POST.items() for route in sorted(found))
    yield from ("", "| apart | why |", "|---|---|")
    yield from (f"| `/{route.replace('|', ' ')}` | {why} |" for route, why in APART.items())


def attacks_text() -> str:
    """Write the attacks as Markdown."""
    from tradingarena.tests.attacks.attacks import ATTACKS, NOT_COVERED, nodes

    rows = [f"| {one.what} | {'<br>'.join(_linked(test) for test in one.tests)} |" for one in ATTACKS]
    count = f"{len(ATTACKS)} attacks, {len(nodes())} tests. What they hold the site against as a table: [access.md](access.md)."
    gaps = [f"- {gap}" for gap in NOT_COVERED]
    return "\n".join(
        [_ATTACKS_HEAD, count, "", "| attack | held by |", "|---|---|", *rows, "", "## Not covered", "", *gaps, ""]
    )


def _linked(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../../{file})"


def texts() -> dict[Path, str]:
    """Give every report with what it should say."""
    return {ACCESS: access_text(), ATTACKED: attacks_text()}


def main() -> None:
    """Write what is not as it should be, or print the tests."""
    if "--tests" in sys.argv:
        from tradingarena.tests.attacks.attacks import nodes

        sys.stdout.write(" ".join(nodes()))
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingarena.settings.test")
    django.setup()
    for file, text in texts().items():
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {file.relative_to(REPORTS.parents[1])}\n")


if __name__ == "__main__":
    main()
