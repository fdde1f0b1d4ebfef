"""What `make lint` checks besides style: locks match pyproject.toml, migrations match models, the API schema is clean.

Run as `python -m tradingarena.localstack.freshness`; needs neither a database nor the network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXPORTS = {"requirements.txt": ["--no-dev"], "requirements-dev.txt": []}


def stale_locks() -> Iterator[str]:
    """Yield what is wrong with uv.lock and the requirements files: each must be what `make lock` would write."""
    for file, options in EXPORTS.items():
        command = [sys.executable, "-m", "uv", "export", "--locked", "--offline", "-q", "--no-emit-project", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"uv.lock does not match pyproject.toml; run `make lock`.\n{done.stderr.strip()}"
            return
        if _packages(done.stdout) != _packages((ROOT / file).read_text()):
            yield f"{file} does not match uv.lock; run `make lock`."


def missing_migrations() -> Iterator[str]:
    """Yield each app whose models have changed without a migration, or whose migrations have two ends."""
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(None)
    for app, names in loader.detect_conflicts().items():
        yield f"{app} has migrations that exclude each other: {', '.join(sorted(names))}"
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    for app, migrations in detector.changes(graph=loader.graph).items():
        operations = "; ".join(operation.describe() for each in migrations for operation in each.operations)
        yield f"{app} lacks a migration ({operations}); run `manage.py makemigrations {app}`."


def schema_warnings() -> Iterator[str]:
    """Yield what the API schema's generator complains about."""
    from django.core.management import call_command
    from django.core.management.base import CommandError, SystemCheckError

    try:
        call_command("spectacular", validate=True, fail_on_warn=True, file=os.devnull)
    except (CommandError, SystemCheckError) as error:
        yield f"The API schema has faults: {error}"


def _packages(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def main() -> int:
    """Print every fault and return how many there are."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingarena.settings.test")
    django.setup()
    checks: list[Callable[[], Iterator[str]]] = [stale_locks, missing_migrations, schema_warnings]
    faults = [fault for check in checks for fault in check()]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"locks, migrations, schema: {len(faults)} faults" if faults else "locks, migrations, schema: fresh")
    return min(len(faults), 1)


if __name__ == "__main__":
    sys.exit(main())
