"""The split shape: what runs twice, what once, and that nginx accepts what is written for it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tradingarena.localstack import stack
from tradingarena.localstack.split import split

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = stack.Address("127.0.0.1", 8000)


@pytest.fixture
def nginx(monkeypatch: pytest.MonkeyPatch) -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        monkeypatch.setattr(shutil, "which", lambda name, path=None: "/usr/sbin/nginx")
    return found or ""


def plain(state: Path) -> list[stack.Command]:
    return stack.commands(ADDRESS, state=state, web_workers=1, bots=False)


def test_web_engine_and_worker_run_twice_and_each_under_a_name_of_its_own(tmp_path: Path, nginx: str) -> None:
    commands = {each.name: each for each in split(plain(tmp_path), ADDRESS, tmp_path)}
    assert list(commands) == [
        "web-1", "web-2", "feed", "engine-1", "engine-2", "worker-1", "worker-2", "beat", "proxy",
    ]  # fmt: skip
    ports = {commands[name].arguments[commands[name].arguments.index("--port") + 1] for name in ("web-1", "web-2")}
    assert len(ports) == 2
    assert "8000" not in ports
    text = (tmp_path / "nginx.conf").read_text()
    assert all(f"127.0.0.1:{port} " in text for port in ports)
    assert commands["web-1"].environment == {"TRUSTED_PROXIES": "1"}
    assert commands["worker-1"].arguments[-1] != commands["worker-2"].arguments[-1]
    if nginx:
        checked = subprocess.run(
            [nginx, "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stderr


def test_without_nginx_the_way_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(stack.StackError, match="apt-get install nginx"):
        split(plain(tmp_path), ADDRESS, tmp_path)


def test_the_containers_run_the_same_parts(tmp_path: Path, nginx: str) -> None:
    """`compose.yaml` and `up --split` are two ways to one shape."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    parts = {"web": "web", "feed": "feed", "engine": "engine", "worker": "worker", "beat": "beat"}
    here = [each.name.partition("-")[0] for each in split(plain(tmp_path), ADDRESS, tmp_path)]
    for name in parts:
        assert services[name].get("deploy", {}).get("replicas", 1) == here.count(name), name
    assert {"postgres", "redis", "proxy", "prepare"} <= set(services)
    given = set(services["web"]["environment"])
    known = (ROOT / ".env.example").read_text()
    assert all(f"{name}=" in known for name in given)
