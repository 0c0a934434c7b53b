"""What Prometheus reads: counts and codes, no text.

With `PROMETHEUS_MULTIPROC_DIR` set before this module is first imported, as `aduan serve` does for its workers, the
counts of all processes are added up; without it a process speaks for itself. Queues, corrections and accuracy are
counted from the database when asked for.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

from service.database.database import Database
from service.database.statistics import ACCURACY_DAYS, CORRECTION_DAYS, PortalStatistics, portal_statistics
from service.settings import METRICS_VARIABLE

_log = logging.getLogger(__name__)
SHARED = ValueClass is not MutexValue
STATISTICS_SECONDS = 15.0
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONFIDENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99, 1.0)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
DECIDED = frozenset({"auto", "prefill"})
"""Routes on which nobody has to choose an agency."""
TURNED_AWAY = frozenset({429, 503})
Key = TypeVar("Key")
Child = TypeVar("Child")


class _Children(dict[Key, Child]):
    """Children of a metric by their labels, each looked up in the metric once; that costs more than counting."""

    def __init__(self, make: Callable[[Key], Child]) -> None:
        self._make = make

    def __missing__(self, key: Key) -> Child:
        child = self[key] = self._make(key)
        return child


class Metrics:
    """One for a process. Counting takes some microseconds; `render` may take milliseconds and reads the database."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self._registry = CollectorRegistry()
        requests = Counter(
            "aduan_http_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        seconds = Histogram(
            "aduan_http_request_seconds", "Time to answer.", ["route"], buckets=SECONDS, registry=registry
        )
        turned_away = Counter(
            "aduan_turned_away", "Requests refused: too many, or too busy.", ["status"], registry=registry
        )
        self.in_flight = Gauge(
            "aduan_requests_in_flight", "Requests being answered.", registry=registry, multiprocess_mode="livesum"
        )
        suggestions = Counter("aduan_suggestions", "Suggestions given.", ["portal", "route"], registry=registry)
        reasons = Counter(
            "aduan_handover_reasons", "Why a person has to decide.", ["portal", "reason"], registry=registry
        )
        agencies = Counter(
            "aduan_predicted_agencies", "First agency of suggestions.", ["portal", "agency"], registry=registry
        )
        confidence = Histogram(
            "aduan_confidence", "Probability of the first agency.", ["portal"], buckets=CONFIDENCES, registry=registry
        )
        known_words = Histogram(
            "aduan_known_words", "Share of words the model knows.", ["portal"], buckets=SHARES, registry=registry
        )
        failures = Counter("aduan_model_errors", "Suggestions without an answer.", ["portal"], registry=registry)
        refused = Counter("aduan_releases_refused", "Releases that could not be served.", ["portal"], registry=registry)
        self._requests = _Children[tuple[str, str, int], Counter](lambda labels: requests.labels(*labels))
        self._seconds = _Children[str, Histogram](seconds.labels)
        self._turned_away = _Children[int, Counter](turned_away.labels)
        self._suggestions = _Children[tuple[str, str], Counter](lambda labels: suggestions.labels(*labels))
        self._reasons = _Children[tuple[str, str], Counter](lambda labels: reasons.labels(*labels))
        self._agencies = _Children[tuple[str, str], Counter](lambda labels: agencies.labels(*labels))
        self._confidence = _Children[str, Histogram](confidence.labels)
        self._known_words = _Children[str, Histogram](known_words.labels)
        self._failures = _Children[str, Counter](failures.labels)
        self._refused = _Children[str, Counter](refused.labels)
        self._statistics: tuple[float, tuple[str, ...], list[PortalStatistics]] | None = None

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is a template such as `/v1/suggestions/{id}`, "" if none fits."""
        route = route or "other"
        self._requests[route, method if method in METHODS else "other", status].inc()
        self._seconds[route].observe(seconds)
        if status in TURNED_AWAY:
            self._turned_away[status].inc()

    def suggested(
        self,
        *,
        portal: str,
        route: str,
        agency: str | None,
        agency_p: float | None,
        known_words: float | None,
        reasons: Sequence[str],
    ) -> None:
        """Codes only. Without `known_words` the model gave no answer."""
        self._suggestions[portal, route].inc()
        if route not in DECIDED:
            for reason in reasons:
                self._reasons[portal, reason].inc()
        if known_words is None:
            self._failures[portal].inc()
            return
        self._known_words[portal].observe(known_words)
        if agency is not None and agency_p is not None:
            self._agencies[portal, agency].inc()
            self._confidence[portal].observe(agency_p)

    def release_refused(self, portal: str) -> None:
        self._refused[portal].inc()

    def render(self, database: Database, releases: Mapping[str, str]) -> bytes:
        """In the Prometheus text format. `releases` maps each portal to the release that answers in this process.

        For a thread: reads files and, at most every `STATISTICS_SECONDS`, the database. Where that fails, the rest is
        still told.
        """
        statistics = self._portals(database, tuple(releases))
        told = CollectorRegistry()
        told.register(_Told(releases, statistics))
        return generate_latest(self._shared() if SHARED else self._registry) + generate_latest(told)

    def _shared(self) -> CollectorRegistry:
        folder = Path(os.environ[METRICS_VARIABLE])
        for file in folder.glob("gauge_live*_*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if not _alive(pid):
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
        return registry

    def _portals(self, database: Database, portals: tuple[str, ...]) -> list[PortalStatistics] | None:
        """None where the database does not answer."""
        if kept := self._statistics:
            until, asked, statistics = kept
            if asked == portals and time.monotonic() < until:
                return statistics
        try:
            with database.connect() as connection:
                now = datetime.now(UTC)
                statistics = [portal_statistics(connection, portal, now) for portal in portals]
        except Exception:
            _log.exception("statistics failed")
            return None
        self._statistics = time.monotonic() + STATISTICS_SECONDS, portals, statistics
        return statistics


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Told(Collector):
    """Gauges that are computed when asked for, so that an old value never lingers."""

    def __init__(self, releases: Mapping[str, str], statistics: Sequence[PortalStatistics] | None) -> None:
        self._releases = releases
        self._statistics = statistics

    def collect(self) -> Iterator[Metric]:
        release = GaugeMetricFamily(
            "aduan_release_in_force", "1 for the release that answers.", labels=["portal", "release"]
        )
        for portal, release_id in self._releases.items():
            release.add_metric([portal, release_id], 1)
        yield release
        yield GaugeMetricFamily("aduan_database_up", "1 if the database answered.", value=self._statistics is not None)
        found = self._statistics or []
        yield _by("waiting", "Open suggestions.", "route", {each.portal: each.waiting for each in found})
        yield _one(
            "oldest_emergency_seconds",
            "Age of the oldest open emergency; 0 if there is none.",
            {each.portal: each.oldest_emergency for each in found},
        )
        yield _by(
            "dispositions",
            f"Dispositions in force of the last {CORRECTION_DAYS} days.",
            "outcome",
            {each.portal: each.outcomes for each in found},
        )
        yield _one(
            "correction_ratio",
            f"Share of suggestions that a person changed, last {CORRECTION_DAYS} days.",
            {each.portal: each.correction_rate for each in found},
        )
        period = f"over suggestions disposed of in the last {ACCURACY_DAYS} days."
        yield _one("expected_accuracy", f"Mean probability {period}", {each.portal: each.expected for each in found})
        yield _one(
            "observed_accuracy", f"Share with the right agency {period}", {each.portal: each.observed for each in found}
        )
        yield _one(
            "disposed", f"Suggestions that accuracy is counted {period}", {each.portal: each.disposed for each in found}
        )
        yield _by(
            "webhook_deliveries", "Not delivered yet, or given up.", "state",
            {each.portal: each.deliveries for each in found},
        )  # fmt: skip
        yield _by("jobs", "Jobs.", "state", {each.portal: each.jobs for each in found})


def _one(name: str, help_text: str, values: Mapping[str, float | None]) -> Metric:
    family = GaugeMetricFamily(f"aduan_{name}", help_text, labels=["portal"])
    for portal, value in values.items():
        if value is not None:
            family.add_metric([portal], value)
    return family


def _by(name: str, help_text: str, label: str, values: Mapping[str, Mapping[str, int]]) -> Metric:
    family = GaugeMetricFamily(f"aduan_{name}", help_text, labels=["portal", label])
    for portal, counts in values.items():
        for value, count in counts.items():
            family.add_metric([portal, value], count)
    return family
