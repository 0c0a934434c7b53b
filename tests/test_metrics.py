"""What Prometheus reads: counts of all processes together, and figures from the database."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text

from service.database.database import Database
from service.database.schema import dispositions, jobs, suggestions, webhook_deliveries, webhook_endpoints
from service.database.schema import webhook_messages as messages
from service.database.statistics import portal_statistics
from service.metrics import Metrics
from service.server import count_anew

DASHBOARD = Path(__file__).parents[1] / "docs" / "grafana-dashboard.json"
NOW = datetime.now(UTC)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(exposition: bytes) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"aduan_{name}", frozenset(labels.items())))


def suggested(metrics: Metrics, **changed: Any) -> None:
    metrics.suggested(
        **{
            "portal": "denpasar",
            "route": "review",
            "agency": "dishub",
            "agency_p": 0.62,
            "known_words": 0.85,
            "reasons": ["low_confidence", "ambiguous"],
            **changed,
        }
    )


def suggestion(database: Database, suggestion_id: str, **changed: Any) -> str:
    values = {
        "id": suggestion_id, "portal": "denpasar", "request_hash": "", "asked_by": "", "created_at": NOW,
        "channel": "", "route": "review", "state": "open", "priority": 0.0, "agency": "dishub", "agency_p": 0.5,
        "complaint": "{}", "answer": "{}",
    }  # fmt: skip
    with database.begin() as connection:
        connection.execute(insert(suggestions).values({**values, **changed}))
    return suggestion_id


def disposed(database: Database, suggestion_id: str, sequence: int = 1, **changed: Any) -> None:
    values = {
        "id": f"{suggestion_id}-{sequence}", "portal": "denpasar", "suggestion_id": suggestion_id,
        "sequence": sequence, "agency": "dishub", "by": "", "reason": "", "source": "api", "outcome": "accepted",
        "undone": False, "created_at": NOW - timedelta(days=1),
    }  # fmt: skip
    with database.begin() as connection:
        connection.execute(insert(dispositions).values({**values, **changed}))


def full(database: Database) -> None:
    """Something of everything that is counted."""
    accepted = suggestion(database, "s1", state="done", agency_p=0.9)
    disposed(database, accepted)
    changed = suggestion(database, "s2", state="done", agency_p=0.5)
    disposed(database, changed)
    disposed(database, changed, 2, agency="dlhk", outcome="changed")
    undone = suggestion(database, "s3", state="done", agency_p=0.7)
    disposed(database, undone)
    disposed(database, undone, 2, agency="dlhk", outcome="changed", undone=True)
    long_ago = suggestion(database, "s4", state="done", agency_p=0.1)
    disposed(database, long_ago, agency="dlhk", outcome="changed", created_at=NOW - timedelta(days=20))
    too_long_ago = suggestion(database, "s5", state="done", agency_p=0.0)
    disposed(database, too_long_ago, created_at=NOW - timedelta(days=31))
    suggestion(database, "s6")
    suggestion(database, "s7", route="emergency", created_at=NOW - timedelta(minutes=10))
    suggestion(database, "s8", route="emergency", created_at=NOW - timedelta(minutes=90), state="done")
    suggestion(database, "s9", portal="badung", route="emergency", created_at=NOW - timedelta(hours=9))
    with database.begin() as connection:
        connection.execute(
            insert(webhook_endpoints).values(
                id="e",
                portal="denpasar",
                url="",
                secret="",
                events=[],
                created_at=NOW,
            )
        )
        connection.execute(
            insert(messages).values(id="m", portal="denpasar", type="", subject="", payload="", created_at=NOW)
        )
        for number, state in enumerate(("pending", "dead", "dead", "delivered")):
            connection.execute(
                insert(webhook_deliveries).values(
                    id=str(number), portal="denpasar", message_id="m", endpoint_id="e", state=state, attempts=1,
                    next_attempt_at=NOW, last_error="", updated_at=NOW,
                )
            )  # fmt: skip
        connection.execute(
            insert(jobs).values(
                id="j", portal="denpasar", kind="", state="running", request={}, progress={}, error="", attempts=0,
                cancel=False, created_at=NOW, created_by="",
            )
        )  # fmt: skip


def test_statistics_of_a_portal_count_what_is_in_force_and_its_own(database: Database) -> None:
    full(database)
    with database.connect() as connection:
        found = portal_statistics(connection, "denpasar", NOW)
        other = portal_statistics(connection, "badung", NOW)
    assert {route: count for route, count in found.waiting.items() if count} == {"review": 1, "emergency": 1}
    assert found.oldest_emergency == pytest.approx(600)
    assert found.outcomes == {"accepted": 2, "changed": 1, "scratch": 0}
    assert found.correction_rate == pytest.approx(1 / 3)
    assert found.disposed == 4
    assert found.expected == pytest.approx((0.9 + 0.5 + 0.7 + 0.1) / 4)
    assert found.observed == pytest.approx(2 / 4)
    assert found.deliveries == {"pending": 1, "dead": 2}
    assert found.jobs == {"queued": 0, "running": 1, "done": 0, "failed": 0, "cancelled": 0}
    assert (other.oldest_emergency, other.disposed, other.expected, other.correction_rate) == (9 * 3_600, 0, None, None)
    assert sum(other.jobs.values()) + sum(other.deliveries.values()) == 0


def test_requests_and_suggestions_are_counted_under_a_bounded_number_of_labels(database: Database) -> None:
    metrics = Metrics()
    for status in (201, 201, 429, 503):
        metrics.answered("POST", "/v1/suggestions", status, 0.002)
    for method in ("BREW", "PROPFIND"):
        metrics.answered(method, "", 404, 0.1)
    suggested(metrics)
    suggested(metrics, route="auto", reasons=["sure"], agency="dlhk", agency_p=0.98)
    suggested(metrics, agency=None, agency_p=None, known_words=None, reasons=["no_model"])
    metrics.release_refused("denpasar")
    metrics.in_flight.inc()
    found = samples(metrics.render(database, {}))
    route = "/v1/suggestions"
    assert value(found, "http_requests_total", route=route, method="POST", status="201") == 2
    assert value(found, "http_requests_total", route="other", method="other", status="404") == 2
    assert value(found, "http_request_seconds_bucket", route=route, le="0.001") == 0
    assert value(found, "http_request_seconds_bucket", route=route, le="0.0025") == 4
    assert [value(found, "turned_away_total", status=status) for status in ("429", "503")] == [1, 1]
    assert value(found, "suggestions_total", portal="denpasar", route="review") == 2
    reasons = {dict(labels)["reason"] for name, labels in found if name == "aduan_handover_reasons_total"}
    assert reasons == {"low_confidence", "ambiguous", "no_model"}
    assert value(found, "predicted_agencies_total", portal="denpasar", agency="dlhk") == 1
    assert value(found, "confidence_bucket", portal="denpasar", le="0.7") == 1
    assert value(found, "confidence_count", portal="denpasar") == 2
    assert value(found, "known_words_sum", portal="denpasar") == pytest.approx(1.7)
    assert value(found, "model_errors_total", portal="denpasar") == 1
    assert value(found, "releases_refused_total", portal="denpasar") == 1
    assert value(found, "requests_in_flight") == 1


def test_figures_of_the_database_and_the_releases_are_those_of_now(database: Database) -> None:
    metrics = Metrics()
    empty = samples(metrics.render(database, {"badung": "b1"}))
    assert value(empty, "release_in_force", portal="badung", release="b1") == 1
    assert value(empty, "observed_accuracy", portal="badung") is None
    full(database)
    found = samples(metrics.render(database, {"denpasar": "d2"}))
    assert [labels for name, labels in found if name == "aduan_release_in_force"] == [
        frozenset({("portal", "denpasar"), ("release", "d2")})
    ]
    assert value(found, "waiting", portal="denpasar", route="emergency") == 1
    oldest = value(found, "oldest_emergency_seconds", portal="denpasar")
    assert oldest is not None
    assert 600 <= oldest <= 600 + (datetime.now(UTC) - NOW).total_seconds()
    assert value(found, "dispositions", portal="denpasar", outcome="changed") == 1
    assert value(found, "correction_ratio", portal="denpasar") == pytest.approx(1 / 3)
    assert value(found, "observed_accuracy", portal="denpasar") == 0.5
    assert value(found, "webhook_deliveries", portal="denpasar", state="dead") == 2
    assert value(found, "jobs", portal="denpasar", state="running") == 1
    assert value(found, "database_up") == 1


def test_the_database_is_not_asked_again_within_seconds(database: Database) -> None:
    metrics = Metrics()
    first = samples(metrics.render(database, {"denpasar": "d1"}))
    suggestion(database, "s1")
    again = samples(metrics.render(database, {"denpasar": "d2"}))
    for found in (first, again):
        assert value(found, "waiting", portal="denpasar", route="review") == 0
    assert value(again, "release_in_force", portal="denpasar", release="d2") == 1


def test_a_database_that_fails_is_told_and_the_rest_goes_on(database: Database) -> None:
    metrics = Metrics()
    suggested(metrics)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE jobs RENAME TO gone"))
    found = samples(metrics.render(database, {"denpasar": "d1"}))
    assert value(found, "database_up") == 0
    assert value(found, "suggestions_total", portal="denpasar", route="review") == 1
    assert value(found, "release_in_force", portal="denpasar", release="d1") == 1


COUNT = """
import sys, time
from service.metrics import Metrics
metrics = Metrics()
metrics.in_flight.inc()
for _ in range(100):
    metrics.answered("GET", "/livez", 200, 0.002)
    metrics.suggested(portal="p", route="auto", agency="a", agency_p=0.9, known_words=1.0, reasons=["sure"])
print("counted", flush=True)
time.sleep(60)
"""
RENDER = """
import sys
from service.database.database import Database
from service.metrics import Metrics
sys.stdout.buffer.write(Metrics().render(Database(sys.argv[1]), {"p": "r1"}))
"""


def test_workers_are_counted_together_and_a_killed_one_is_no_longer_in_flight(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    count_anew(folder)
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    url = f"sqlite:///{tmp_path / 'aduan.db'}"

    def rendered() -> Samples:
        done = subprocess.run(
            [sys.executable, "-c", RENDER, url], env=environment, capture_output=True, timeout=60, check=True
        )
        return samples(done.stdout)

    workers = [
        subprocess.Popen([sys.executable, "-c", COUNT], env=environment, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout
            assert worker.stdout.readline() == b"counted\n"
        both = rendered()
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        one = rendered()
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    for found in (both, one):
        assert value(found, "http_requests_total", route="/livez", method="GET", status="200") == 200
        assert value(found, "http_request_seconds_count", route="/livez") == 200
        assert value(found, "suggestions_total", portal="p", route="auto") == 200
        assert value(found, "confidence_bucket", portal="p", le="0.9") == 200
        assert value(found, "release_in_force", portal="p", release="r1") == 1
    assert value(both, "requests_in_flight") == 2
    assert value(one, "requests_in_flight") == 1
    count_anew(folder)
    assert list(folder.iterdir()) == []


def test_the_dashboard_shows_only_what_is_measured(database: Database) -> None:
    metrics = Metrics()
    metrics.answered("POST", "/v1/suggestions", 429, 0.002)
    suggested(metrics)
    suggested(metrics, known_words=None)
    metrics.release_refused("denpasar")
    full(database)
    found = samples(metrics.render(database, {"denpasar": "d1"}))
    names = {name for name, _ in found}
    labels = {label for _, pairs in found for label, _ in pairs}
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    queries.append(dashboard["templating"]["list"][1]["definition"])
    shown = {name for query in queries for name in re.findall(r"\baduan_\w+", query)}
    assert shown <= names
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} == families
    grouped = {
        label.strip() for query in queries for part in re.findall(r"by \(([^)]+)\)", query) for label in part.split(",")
    }
    chosen = {label for query in queries for label in re.findall(r"[{,](\w+)=", query)}
    assert grouped | chosen <= labels
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
