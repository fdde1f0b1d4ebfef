"""The pytest plugin in runs of its own: services for workers, loud skips, servers of one's own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingarena.localstack.services import Services

ROOT = Path(__file__).resolve().parent.parent.parent
INI = """[pytest]
addopts = -p tradingarena.localstack.pytest_plugin -p no:django -p no:asyncio
markers =
    page
    recorded
"""
SHOWN = ("DATABASE_URL", "REDIS_URL", "ARENA_KEY_PREFIX")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "pytest.ini").write_text(INI)
    yield tmp_path
    if (tmp_path / "state").exists():
        monkeypatch.setenv("ARENA_STATE_DIR", str(tmp_path / "state"))
        Services(tmp_path, instance="test").remove()


def run(project: Path, test: str, *arguments: str, **environment: str) -> str:
    (project / "test_it.py").write_text(test)
    without = {"PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "FX_DATA_DIR", "CHROMIUM_PATH", *SHOWN}
    kept = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", *arguments],
        cwd=project,
        env=kept | {"PYTHONPATH": str(ROOT), "ARENA_STATE_DIR": str(project / "state")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


TELL = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", [1, 2])
def test_it(number):
    line = " ".join(os.environ[name] for name in ("ARENA_KEY_PREFIX", "DATABASE_URL"))
    with open("told", "a") as out:
        out.write(line + "\\n")
"""


def test_each_worker_has_a_prefix_of_its_own_and_nothing_runs_afterwards(project: Path) -> None:
    assert "2 passed" in run(project, TELL, "-n", "2")
    told = sorted((project / "told").read_text().splitlines())
    assert [line.split()[0] for line in told] == ["t-gw0:", "t-gw1:"]
    assert all(line.split()[1].startswith("postgres://arena@/arena?host=") for line in told)
    shown = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(project / "state") not in shown


def test_servers_of_ones_own_are_left_alone(project: Path) -> None:
    assert "2 passed" in run(project, TELL, DATABASE_URL="postgres://theirs", REDIS_URL="redis://theirs")
    assert (project / "told").read_text().splitlines() == ["t: postgres://theirs"] * 2
    assert not (project / "state").exists()


def test_what_the_machine_cannot_run_is_skipped_loudly(project: Path) -> None:
    test = "import pytest\n@pytest.mark.page\ndef test_a(): 1/0\n@pytest.mark.recorded\ndef test_b(): 1/0\n"
    servers = {"DATABASE_URL": "postgres://theirs", "REDIS_URL": "redis://theirs"}
    out = run(project, test, CHROMIUM_PATH="/nonexistent", **servers)
    assert "2 skipped" in out
    assert re.search(r"^\| THE PAGE TESTS ARE SKIPPED: no Chromium was found", out, re.MULTILINE)
    assert re.search(r"^\| THE TESTS ON RECORDED QUOTES ARE SKIPPED", out, re.MULTILINE)
    out = run(project, test, CHROMIUM_PATH=sys.executable, FX_DATA_DIR="/somewhere", **servers)
    assert "2 failed" in out
    assert "SKIPPED" not in out
