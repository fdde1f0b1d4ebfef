"""The reports say what the tables say."""

import re

from tradingarena.tests.attacks.attacks import nodes
from tradingarena.tests.attacks.report import texts
from tradingarena.tests.live import ROOT


def test_the_reports_are_fresh() -> None:
    stale = [file.name for file, text in texts().items() if not file.is_file() or file.read_text("utf-8") != text]
    assert stale == [], "run: make access"


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    for node in nodes():
        file, _, name = node.partition("::")
        if not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE):
            missing.append(node)
    assert missing == []


def test_every_attack_of_this_folder_is_named() -> None:
    here = ROOT / "tradingarena/tests/attacks"
    written = {
        f"tradingarena/tests/attacks/{file.name}::{name}"
        for file in here.glob("test_*.py")
        if file.name != "test_report.py"
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text("utf-8"), re.MULTILINE)
    }
    assert written <= set(nodes())
