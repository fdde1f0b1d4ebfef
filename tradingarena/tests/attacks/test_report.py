"""The reports say what the tables say."""

from tradingarena.tests.attacks.report import texts


def test_the_reports_are_fresh() -> None:
    stale = [file.name for file, text in texts().items() if not file.is_file() or file.read_text("utf-8") != text]
    assert stale == [], "run: make access"
