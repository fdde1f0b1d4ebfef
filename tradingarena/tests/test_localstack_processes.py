"""The supervisor with real children: it restarts, it stops everything, and its own kill -9 leaves nothing."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradingarena.localstack import guard, stack
from tradingarena.localstack.children import Child, Command, Log
from tradingarena.localstack.guard import boot_id, group_alive, started_at, sweep
from tradingarena.localstack.processes import Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent
# A supervisor in a process of its own, since it takes the signals; arguments: a directory, the grace, shell commands.
RUNNER = """
import sys
from pathlib import Path
from tradingarena.localstack.children import Command
from tradingarena.localstack.processes import Supervisor
here = Path(sys.argv[1])
Supervisor(
    [Command(f"c{number}", ["/bin/sh", "-c", text]) for number, text in enumerate(sys.argv[3:])],
    state_file=here / "up.json",
    log_directory=here / "logs",
    on_line=lambda name, line: print(name, line, flush=True),
    after_kill=["/bin/sh", "-c", f"echo done > {here}/after-kill"],
    directory=here,
    grace_s=float(sys.argv[2]),
).run()
"""


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


class Run:
    """One supervisor process and what it says."""

    def __init__(self, directory: Path, *commands: str, grace_s: float = 10) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(directory), str(grace_s), *commands],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout

    def expect(self, wanted: str) -> str:
        """Read lines until one contains the text."""
        for line in self.out:
            if wanted in line:
                return line.strip()
        raise AssertionError(f"it ended without saying {wanted!r}")

    def pids(self) -> dict[str, int]:
        state = json.loads((self.directory / "up.json").read_text())
        return {each["name"]: each["pid"] for each in state["processes"]}

    def end(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        rest = self.out.read()
        self.out.close()
        self.process.wait()
        return rest


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def start(*commands: str, grace_s: float = 10) -> Run:
        started.append(Run(tmp_path, *commands, grace_s=grace_s))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)


def test_a_child_that_dies_is_started_again_after_its_descendants_are_gone(run: Callable[..., Run]) -> None:
    supervisor = run("sleep 1000 & echo pid $$ child $!; wait")
    first = supervisor.expect("c0 pid").split()
    os.kill(int(first[2]), signal.SIGKILL)
    supervisor.expect("WARNING c0 ended (SIGKILL) and is started again in 0.5 s")
    second = supervisor.expect("c0 pid").split()
    assert second[2] != first[2]
    assert started_at(int(first[4])) is None or not group_alive(int(first[2]))
    supervisor.end()
    assert not group_alive(int(second[2]))


def test_a_child_that_cannot_live_is_tried_ever_less_often(run: Callable[..., Run]) -> None:
    supervisor = run("exit 3")
    for delay in ("0.5", "1", "2"):
        supervisor.expect(f"WARNING c0 ended (status 3) and is started again in {delay} s")
    supervisor.end()


def test_the_wait_before_a_restart_doubles_up_to_ten_seconds(tmp_path: Path) -> None:
    log = Log("x", tmp_path, lambda name, line: None)
    child = Child(Command("x", ["true"]), log)
    seen = []
    for _ in range(7):
        seen.append(child.delay_s)
        child.postpone()
    log.close()
    assert seen == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_program_that_is_not_there_is_reported_and_tried_again(tmp_path: Path) -> None:
    said: list[str] = []

    def hear(name: str, line: str) -> None:
        said.append(line)
        supervisor.stop()

    supervisor = Supervisor(
        [Command("ghost", ["/nonexistent/program"])],
        state_file=tmp_path / "up.json",
        log_directory=tmp_path / "logs",
        on_line=hear,
    )
    supervisor.run()
    assert "ghost could not be started" in said[0]
    assert "ghost could not be started" in (tmp_path / "logs" / "ghost.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_everything_and_leaves_no_state(run: Callable[..., Run], number: int) -> None:
    supervisor = run("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done", "echo up; sleep 1000")
    supervisor.expect("c0 ready")
    pids = supervisor.pids()
    assert "c0 bye" in supervisor.end(number)
    assert supervisor.process.returncode == 0
    assert not any(group_alive(pid) for pid in pids.values())
    assert not (supervisor.directory / "up.json").exists()
    assert not (supervisor.directory / "after-kill").exists()
    assert "bye" in (supervisor.directory / "logs" / "c0.log").read_text()


def test_a_child_that_ignores_the_signal_is_killed_when_its_grace_is_over(run: Callable[..., Run]) -> None:
    supervisor = run("trap '' TERM; echo ready; while :; do sleep 0.05; done", grace_s=0.3)
    supervisor.expect("c0 ready")
    pid = supervisor.pids()["c0"]
    assert "c0 did not end in time and is killed" in supervisor.end()
    assert not group_alive(pid)


def test_a_second_signal_shortens_the_grace(run: Callable[..., Run]) -> None:
    supervisor = run("trap 'echo heard' TERM; echo ready; while :; do sleep 0.05; done", grace_s=1000)
    supervisor.expect("c0 ready")
    supervisor.process.send_signal(signal.SIGINT)
    supervisor.expect("c0 heard")
    assert "killed" in supervisor.end(signal.SIGINT)


def test_a_killed_supervisor_takes_everything_with_it_and_its_last_command_runs(run: Callable[..., Run]) -> None:
    supervisor = run(
        "sleep 1000 & echo ready; wait", "trap '' TERM; echo ready; while :; do sleep 0.05; done", grace_s=0.3
    )
    supervisor.expect("ready")
    supervisor.expect("ready")
    pids = supervisor.pids()
    supervisor.end(signal.SIGKILL)
    wait_until((supervisor.directory / "after-kill").exists, "the guard finished")
    assert not any(group_alive(pid) for pid in pids.values())


def test_a_killed_guard_is_replaced(tmp_path: Path) -> None:
    ticks = iter(range(1000))
    seen: list[int] = []

    def tick() -> None:
        assert supervisor._guard is not None
        seen.append(supervisor._guard.pid)
        if next(ticks) == 0:
            supervisor._guard.kill()
            supervisor._guard.wait()
        else:
            supervisor.stop()

    supervisor = Supervisor(
        [Command("one", ["sleep", "1000"])],
        state_file=tmp_path / "up.json",
        log_directory=tmp_path / "logs",
        on_line=lambda name, line: None,
        on_tick=tick,
    )
    supervisor.run()
    assert len(set(seen)) == 2


def test_a_command_that_waits_is_started_when_it_is_released(tmp_path: Path) -> None:
    said: list[str] = []

    def hear(name: str, line: str) -> None:
        said.append(name)
        if name == "first":
            supervisor.release()
        else:
            supervisor.stop()

    supervisor = Supervisor(
        [
            Command("second", ["/bin/sh", "-c", "echo here; sleep 1000"], waits=True),
            Command("first", ["/bin/sh", "-c", "echo here; sleep 1000"]),
        ],
        state_file=tmp_path / "up.json",
        log_directory=tmp_path / "logs",
        on_line=hear,
    )
    supervisor.run()
    assert said == ["first", "second"]


def test_the_next_start_sweeps_what_was_left_and_spares_strangers(tmp_path: Path) -> None:
    left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    state = {
        "pid": 0,
        "boot": boot_id(),
        "processes": [
            {"name": "left", "pid": left.pid, "started": started_at(left.pid)},
            {"name": "stranger", "pid": stranger.pid, "started": "12345"},
        ],
    }
    (tmp_path / "up.json").write_text(json.dumps(state))
    try:
        assert sweep(tmp_path / "up.json", grace_s=5) == ["left"]
        assert left.wait(60) == -signal.SIGTERM
        assert stranger.poll() is None
        (tmp_path / "up.json").write_text(json.dumps(state | {"boot": "another boot"}))
        assert sweep(tmp_path / "up.json") == []
    finally:
        for each in (left, stranger):
            each.kill()
            each.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": 1}', '{"boot": "", "processes": [{"pid": "x"}]}'])
def test_a_spoilt_state_file_sweeps_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "up.json").write_text(text)
    assert sweep(tmp_path / "up.json") == []


def test_the_guard_runs_with_the_standard_library_alone() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", guard.__file__, "x", "1"], input=b"done", check=False)
    assert done.returncode == 0


def test_a_long_log_is_turned_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradingarena.localstack.children.LOG_BYTES", 100)
    log = Log("x", tmp_path, lambda name, line: None)
    for number in range(30):
        log.take(f"line {number}\n".encode())
    log.close()
    assert (tmp_path / "x.log.1").stat().st_size > 100
    assert (tmp_path / "x.log").stat().st_size <= 100


def test_the_terminal_shows_warnings_tracebacks_and_their_lines_only() -> None:
    out = io.StringIO()
    terminal = stack.Terminal(out)
    for text in (
        "10:00:00.000 INFO core.x all is well",
        "10:00:00.001 WARNING core.x careful",
        "  and a line that belongs to it",
        "10:00:00.002 INFO core.x well again",
        "nothing of note",
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "ValueError: bad",
        "[2026-01-01 00:00:00,000: INFO/MainProcess] ready",
        "CommandError: no such thing",
        "WARNING web ended (status 1) and is started again in 0.5 s",
        "hello, I am new",
    ):
        terminal.line("web", text)
    assert [line.split(" | ", 1)[1] for line in out.getvalue().splitlines()] == [
        "10:00:00.001 WARNING core.x careful",
        "  and a line that belongs to it",
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "ValueError: bad",
        "CommandError: no such thing",
        "WARNING web ended (status 1) and is started again in 0.5 s",
    ]


def test_the_terminal_shows_a_failed_childs_last_words() -> None:
    out = io.StringIO()
    terminal = stack.Terminal(out)
    for text in [f"10:00:00.000 INFO x line {number}" for number in range(9)]:
        terminal.line("web", text)
    terminal.line("web", "Unknown command")
    terminal.line("web", "WARNING web ended (status 1) and is started again in 0.5 s")
    terminal.line("web", "10:00:00.000 INFO x new")
    terminal.line("web", "WARNING web ended (SIGKILL) and is started again in 1 s")
    shown = [line.removeprefix("       web | ") for line in out.getvalue().splitlines()]
    assert shown[:4] == [f"10:00:00.000 INFO x line {number}" for number in range(5, 9)]
    assert shown[4:] == [
        "Unknown command",
        "WARNING web ended (status 1) and is started again in 0.5 s",
        "WARNING web ended (SIGKILL) and is started again in 1 s",
    ]


def test_the_terminal_prints_what_its_encoding_has() -> None:
    raw = io.BytesIO()
    terminal = stack.Terminal(io.TextIOWrapper(raw, encoding="iso8859-9"), everything=True)
    terminal.line("web", "10 → 20 ş")
    assert raw.getvalue().decode("iso8859-9") == "       web | 10 ? 20 ş\n"


def test_a_taken_port_is_named_with_the_way_on() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(stack.StackError, match=rf"Port {port} is taken .* PORT=\d+ make run"):
            stack.Address("127.0.0.1", port).require_free()


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(stack.StackError, match=r"Cannot listen on 192\.0\.2\.1"):
        stack.Address("192.0.2.1", 8000).require_free()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("::1", "http://[::1]:8000/"),
        ("127.0.0.1", "http://127.0.0.1:8000/"),
    ],
)
def test_the_printed_address_can_be_opened_here(host: str, url: str) -> None:
    assert stack.Address(host, 8000).url == url


def test_a_second_up_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    with (
        stack.only_one(tmp_path, stack.Address("127.0.0.1", 8123)),
        pytest.raises(stack.StackError, match=rf"running already, at http://127.0.0.1:8123/ \(process {os.getpid()}\)"),
        stack.only_one(tmp_path, stack.Address("127.0.0.1", 8124)),
    ):
        raise AssertionError("two at once")


def test_the_web_server_that_is_not_there_is_neither_answering_nor_ready() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert stack.look(stack.Address("127.0.0.1", free.getsockname()[1])) == stack.Readiness(False, False)


def test_static_files_are_collected_again_only_when_one_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.css"
    file.write_text("a")
    before = stack.fingerprint(iter([("a.css", file)]))
    assert stack.fingerprint(iter([("a.css", file)])) == before
    file.write_text("ab")
    assert stack.fingerprint(iter([("a.css", file)])) != before


def test_a_log_on_a_full_disk_loses_lines_of_its_file_and_no_more(tmp_path: Path) -> None:
    heard: list[str] = []
    (tmp_path / "x.log").symlink_to("/dev/full")
    log = Log("x", tmp_path, lambda name, line: heard.append(line))
    log.take(b"one\ntwo\n")
    log.close()
    assert heard == ["one", "two"]
