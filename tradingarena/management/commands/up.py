"""`manage.py up`: everything at once on one machine.

What it runs is in `localstack/stack.py`, how it is kept running in `localstack/processes.py`.
"""

import argparse
import io
import os
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from tradingarena.localstack import stack
from tradingarena.localstack.bootstrap import boxed
from tradingarena.localstack.payments import find_stand_in
from tradingarena.localstack.processes import Supervisor
from tradingarena.localstack.programs import PlaceError, own_directory
from tradingarena.localstack.services import Services, given_urls
from tradingarena.localstack.split import split
from tradingarena.settings.env import BASE_DIR, STAND_IN_FILE, STATE_DIR, may_stand_in

PATIENCE_S = 60.0
GRACE_S = 12.0  # the web server gives its requests 10
# Tells the same command, executed anew with the right URLs, that it is the one that started the services.
STARTED = "ARENA_STARTED_SERVICES"


class Command(BaseCommand):
    """Run the whole arena until Ctrl-C."""

    help = "Run everything: embedded services, migrations, demo world, web, feed, engine, worker, beat and bots."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the address and what to leave out."""
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="default: HOST or 127.0.0.1")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="default: PORT or 8000")
        parser.add_argument("--no-bots", action="store_true", help="run without the participants that people the demo")
        parser.add_argument(
            "--split", action="store_true", help="two web servers behind nginx, two engines, two workers"
        )
        parser.add_argument("--no-demo", action="store_true", help="do not seed the demo world (implies --no-bots)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, run, clear up."""
        self.terminal = stack.Terminal(sys.stdout, everything=options["verbosity"] > 1)
        self.address = stack.Address(options["host"], _port(options["port"]))
        self.services = Services(BASE_DIR)
        self.demo = not options["no_demo"]
        self.split = options["split"]
        self.notes: list[str] = []
        own_directory(STATE_DIR, mode=0o711)
        try:
            with stack.only_one(STATE_DIR, self.address) as lock:
                self.address.require_free()
                self.payments = find_stand_in(BASE_DIR, STAND_IN_FILE, self.address) if may_stand_in() else None
                self._start_services()
                try:
                    self._prepare()
                    self._supervise(lock, bots=self.demo and not options["no_bots"])
                finally:
                    if self.ours:
                        self.services.stop()
        except (stack.StackError, PlaceError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database does not do what it should: {error}\nSee: make doctor") from error
        self.terminal.print("Stopped.")

    def _start_services(self) -> None:
        """Start what no URL points at; when that changes where the settings must look, execute this command anew."""
        self.given = given_urls(BASE_DIR)
        before = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL}
        self.ours = os.environ.pop(STARTED, "") == "1"
        self.wanted = {"postgres": "DATABASE_URL" not in self.given, "redis": "REDIS_URL" not in self.given}
        right = dict(self.payments.environment) if self.payments else {}
        before |= {name: os.environ.get(name, "") for name in right}
        if any(self.wanted.values()):
            self.ours |= bool(self.services.start(**self.wanted))
            right |= self.services.urls() | self.given
        if before != before | right:
            os.environ.update(right | {STARTED: "1" if self.ours else "0"})
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606  ourselves, with the right environment

    def _keep_services(self) -> tuple[str, ...]:
        return () if self.services.alive(**self.wanted) else self.services.start(**self.wanted)

    def _prepare(self) -> None:
        """Check the configuration, migrate, collect static files, seed: each only as far as needed."""
        call_command("check", fail_level="ERROR", stdout=io.StringIO())
        connection = connections[DEFAULT_DB_ALIAS]
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.terminal.print("Migrating the database ...")
            call_command("migrate", interactive=False, verbosity=0)
        _collect_static(STATE_DIR / "static.stamp")
        if self.demo and "seed_demo" in get_commands():
            said = io.StringIO()
            call_command("seed_demo", stdout=said)
            self.notes = said.getvalue().rstrip().splitlines()
        if self.payments:
            self.notes += [*[""] * bool(self.notes), self.payments.note]
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]

    def _supervise(self, lock: int, *, bots: bool) -> None:
        state: Path = STATE_DIR
        manage = str(BASE_DIR / "manage.py")
        self.announced = False
        self.last_trouble = ""
        self.started_at = time.monotonic()
        commands = stack.commands(self.address, state=state, web_workers=_web_workers(), bots=bots)
        if self.split:
            commands = split(commands, self.address, state)
        if self.payments:
            commands.append(self.payments.command(self.address, state))
        self.supervisor = Supervisor(
            commands,
            state_file=state / "up.json",
            log_directory=state / "logs",
            on_line=self._line,
            on_tick=self._tick,
            after_kill=[sys.executable, manage, "services", "stop"] if self.ours else [],
            hold=[lock],
            directory=BASE_DIR,
            grace_s=GRACE_S,
        )
        self.supervisor.run()

    def _line(self, name: str, text: str) -> None:
        """Show a child's line, except what it says of the others' end while all are stopped; its log has that."""
        if self.terminal.everything or not self.supervisor.stops:
            self.terminal.line(name, text)

    def _tick(self) -> None:
        """Once a second: bring back a killed service, and tell the person when everything is ready."""
        try:
            if started := self._keep_services():
                self.terminal.print(f"Started again after its unexpected end: {', '.join(started)}")
        except (PlaceError, OSError) as error:  # OSError: a full disk, say
            if str(error) != self.last_trouble:
                self.terminal.print(str(error))
            self.last_trouble = str(error)
        if self.announced:
            return
        seen = stack.look(self.address)
        late = time.monotonic() - self.started_at > PATIENCE_S
        if seen.ready or late:
            self.supervisor.release()
        if seen.ready or (late and seen.answers):
            self.terminal.print(boxed("\n".join(stack.banner(self.address, self.notes, seen.lacking))))
            self.announced = True
        elif late:
            self.terminal.print(boxed("The web server does not answer; see .arena/logs/web.log, or: make doctor"))
            self.announced = True


def _web_workers() -> int:
    text = os.environ.get("WEB_WORKERS") or "1"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise CommandError(f"WEB_WORKERS must be a number from 1 to 64, not {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CommandError(f"PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def _collect_static(stamp: Path) -> None:
    listed = chain.from_iterable(finder.list([]) for finder in get_finders())
    files = ((name, Path(storage.path(name))) for name, storage in listed)
    wanted = f"{settings.STORAGES['staticfiles']['BACKEND']} {stack.fingerprint(files)}"
    if not stamp.is_file() or stamp.read_text() != wanted or not Path(settings.STATIC_ROOT).is_dir():
        try:
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        except ValueError as error:
            raise stack.StackError(f"The static files do not fit together: {error}") from error
        stamp.write_text(wanted)
