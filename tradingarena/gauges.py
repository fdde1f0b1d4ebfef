"""The figures of /metrics that are rows: read when Prometheus asks, so that they are right after any restart.

What a process counts by itself is in `core/metrics.py`. Rules: docs/operations.md#figures.
"""

from collections.abc import Iterator

from django.db import DatabaseError
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.rules.switches import Part
from competitions.models import Competition, Entry
from tradingarena.health import Health, health
from tradingarena.operations import readiness


class RowsCollector(Collector):
    """Reads contests, orders, mails, switches and what the last proof of the books found."""

    def describe(self) -> list[Metric]:
        return []  # nothing is read before the first scrape

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._rows()
        except DatabaseError:
            yield GaugeMetricFamily("arena_database_up", "1 when the database answers.", value=0)

    def _rows(self) -> Iterator[Metric]:
        checks = readiness()
        ready = GaugeMetricFamily("arena_ready", "1 when the check of /readyz holds.", labels=["check"])
        for name, check in checks.items():
            ready.add_metric([name], 0 if check.reason else 1)
        yield ready
        age = checks["feed"].found.get("age_s")
        if age is not None:
            yield GaugeMetricFamily("arena_feed_age_seconds", "Age of the newest good quote.", value=age)
        contests = GaugeMetricFamily("arena_contests", "Contests by status.", labels=["status"])
        for status in Competition.Status.values:
            contests.add_metric([status], Competition.objects.filter(status=status).count())
        yield contests
        live = Competition.objects.filter(status=Competition.Status.RUNNING)
        entries = Entry.objects.filter(competition__in=live, status=Entry.Status.ACTIVE).count()
        yield GaugeMetricFamily("arena_live_entries", "Active entries of running contests.", value=entries)
        yield from _figures(health())
        yield GaugeMetricFamily("arena_database_up", "1 when the database answers.", value=1)


def _figures(seen: Health) -> Iterator[Metric]:
    off = GaugeMetricFamily("arena_switched_off", "1 while an operator has switched the part off.", labels=["part"])
    for part in Part:
        off.add_metric([part.value], int(part in seen.halts))
    yield off
    sockets = GaugeMetricFamily("arena_sockets", "Open sockets by process.", labels=["process"])
    for process in seen.sockets or ():
        sockets.add_metric([process.name], process.sockets)
    yield sockets
    for name, words, value in (
        ("arena_undecided_orders", "Orders that wait for the engine.", seen.undecided),
        ("arena_undecided_age_seconds", "Since when the oldest of them waits.", seen.undecided_age_s or 0),
        ("arena_sweep_age_seconds", "Since beat and a worker last swept.", seen.beat_age_s),
        ("arena_invariant_violations", "What the last proof of the books found wrong.", seen.books.violations),
        ("arena_invariants_age_seconds", "Since the last proof of the books.", seen.books.age_s),
        ("arena_tasks_waiting", "Tasks that no worker has taken.", seen.tasks_waiting),
        ("arena_mail_waiting", "Mails that wait to be sent.", seen.mail_waiting),
        ("arena_mail_age_seconds", "Since when the oldest of them waits.", seen.mail_age_s or 0),
        ("arena_mail_failed", "Mails that the provider did not take or could not deliver.", seen.mail_failed),
        ("arena_integrity_cases_open", "Suspicions that wait for a moderator.", seen.cases_open),
        ("arena_chat_cases_open", "Reports, held messages and appeals that wait for a moderator.", seen.reports_open),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, words, value=value)


REGISTRY.register(RowsCollector())
