"""The house stands as drawn: levels between and inside the apps, and tables as the models say."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT = Path(settings.BASE_DIR)


def test_the_levels_hold() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_the_linter_would_see_a_broken_level(tmp_path: Path) -> None:
    """The control: the same contracts report a planted violation, so a quiet linter means a sound house."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    # turned upside down, the real tree must break it
    wrong = text.replace(
        '    "competitions",\n    "tokens",\n    "accounts",\n', '    "accounts",\n    "tokens",\n    "competitions",\n'
    )
    assert wrong != text
    file = tmp_path / "pyproject.toml"
    file.write_text(wrong, encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--config",
            str(file),
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode != 0
    assert "Apps depend downward only BROKEN" in run.stdout


@pytest.mark.django_db
def test_no_model_has_changed_without_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
