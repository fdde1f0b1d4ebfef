"""Proving the books: every app's checks, run in one go. The checks are in each app's `invariants.py`.

Rules: docs/operations.md#the-books.
"""

import logging
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from tradingarena.core import leases
from tradingarena.core.clock import database_now
from tradingarena.core.invariants import Check, Finding, run
from tradingarena.core.statements import give_time

log = logging.getLogger(__name__)

PATIENCE_MS = 80_000
RECORD = "invariants"
KEPT_MS = 7 * 86_400_000


def checks() -> list[Check]:
    """Gather the checks of every installed app, in the order of INSTALLED_APPS.

    Shapes: names are unique.
    """
    found: list[Check] = []
    for config in apps.get_app_configs():
        if (
            config.module is not None
            and config.name != __package__
            and module_has_submodule(config.module, "invariants")
        ):
            found += getattr(import_module(f"{config.name}.invariants"), "CHECKS", ())
    assert len({check.name for check in found}) == len(found)
    return found


def prove() -> list[Finding]:
    """Run every check and give what each found.

    Guarantees: reads only; each check gets its time, and one that takes too long raises instead of passing.
    """
    findings = []
    for check in checks():
        with transaction.atomic():
            give_time(PATIENCE_MS)
            findings.append(run(check))
    return findings


def prove_and_record() -> list[Finding]:
    """Run every check, log what does not hold at ERROR, and leave the outcome where /readyz finds it."""
    findings = prove()
    broken = [finding for finding in findings if finding.violations]
    for finding in broken:
        log.error(
            "invariant_broken",
            extra={"check": finding.check.name, "violations": finding.violations, "examples": finding.examples[:3]},
        )
    note: dict[str, Any] = {
        "violations": sum(finding.violations for finding in broken),
        "broken": [finding.check.name for finding in broken],
        "checks": len(findings),
        "at": database_now().isoformat(),
    }
    leases.claim(RECORD, RECORD, lease_ms=KEPT_MS, note=note)
    return findings
