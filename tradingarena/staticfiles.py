"""Where static files get their content hash, our native ES modules lose what only their readers need, and what pages load is packed.

Nothing is bundled or renamed. Serving is the web server's part (`assets.py`).
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any

import brotli
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile

OWN_MODULES = "js/"
PACKED = re.compile(
    r"(js|css|vendor)/.*\.(js|mjs|css)$"
)  # what our pages load; other packages' files are packed as they are asked for
_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^[ \t]*(?://.*|/\*\*.*\*/)\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


class ModuleManifestStorage(ManifestStaticFilesStorage):
    """Hashes every file's name and rewrites `url()`, `import` and source-map references to the hashed names."""

    support_js_module_import_aggregation = True
    # Django's own patterns let one match run over several imports, and find `import("…")` in other packages' comments.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        (
            (
                r"""(?P<matched>import(?P<names>[\s{*][^"';]*?)\s*from\s*["'](?P<url>\.[^"']+)["']\s*;)""",
                'import%(names)s from "%(url)s";',
            ),
            (
                r"""(?P<matched>export(?P<names>[\s{*][^"';]*?)\s*from\s*["'](?P<url>\.[^"']+)["']\s*;)""",
                'export%(names)s from "%(url)s";',
            ),
            (r"""(?P<matched>import\s*["'](?P<url>\.[^"']+)["']\s*;)""", 'import "%(url)s";'),
        ),
    )

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        """Store a file as `collectstatic` hands it over, our own modules made lighter."""
        if name and _is_own_module(name):
            text = content.read()
            content = ContentFile(lighter(text.decode() if isinstance(text, bytes) else text).encode())
        return str(super().save(name, content, max_length))

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Make the hashed copies: of our own modules from what is stored, of the rest from where it was found."""
        stored = {name: (self, name) if _is_own_module(name) else source for name, source in paths.items()}
        for name, hashed, done in super().post_process(stored, dry_run, **options):
            if done is True and not dry_run and PACKED.fullmatch(hashed):
                self._pack(hashed)
            yield name, hashed, done

    def _pack(self, name: str) -> None:
        """Lay the smallest form of a file beside it, for browsers that read it."""
        if self.exists(f"{name}.br"):
            return
        with self.open(name) as file:
            packed = brotli.compress(file.read())
        self._save(f"{name}.br", ContentFile(packed))


def _is_own_module(name: str) -> bool:
    return name.startswith(OWN_MODULES) and name.endswith(".js")


def lighter(source: str) -> str:
    """Drop a module's comment lines and indentation.

    Guarantees: lines of code keep their order and their text; a template literal of several lines is not ours to have.
    Example:
        >>> lighter("// what it is\\nif (a) {\\n  b(); // stays\\n}\\n")
        'if (a) {\\nb(); // stays\\n}\\n'
    """
    return _INDENT.sub("", _COMMENT_LINE.sub("", source))


def module_closure(entry: str) -> list[str]:
    """Name a module and everything that it imports, directly or not, the entry first.

    Shapes: static names such as `js/pages/trade.js`.
    Raises: FileNotFoundError: one of them is no static file.
    """
    found: dict[str, None] = {}
    left = [entry]
    while left:
        name = left.pop(0)
        if name not in found:
            found[name] = None
            left.extend(_imports(name))
    return list(found)


def _imports(name: str) -> Iterator[str]:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(name)
    if not _is_own_module(name):
        return
    with open(path, encoding="utf-8") as source:
        for target in _IMPORT.findall(source.read()):
            yield _joined(PurePosixPath(name).parent, target)


def _joined(folder: PurePosixPath, target: str) -> str:
    parts = list(folder.parts)
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
