"""Messages to portals arrive, signed and at least once, and what cannot arrive is kept for a person to see."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import func, select, update
from standardwebhooks import Webhook

from service.database import audit
from service.database.database import Database
from service.database.schema import webhook_deliveries, webhook_endpoints, webhook_messages
from service.database.webhooks import (
    EVENTS,
    MOST_ENDPOINTS,
    Endpoint,
    Event,
    NoWebhookError,
    Outcome,
    WebhookRefusedError,
    add_endpoint,
    claim,
    dead,
    endpoints,
    enqueue,
    remove_endpoint,
    replay,
    settle,
)
from service.webhooks import LEASE, SCHEDULE, deliver_due

SOON = timedelta(seconds=1)


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def signed_with(self, secret: str) -> bool:
        """Whatever the time: the clock of a test may be ahead of the one that `Webhook.verify` looks at."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        return Webhook(secret).sign(self.id, at, self.body.decode()) == self.headers["webhook-signature"]


@dataclass
class Portal:
    """A portal that listens; `answer` gives the status, which may wait or redirect."""

    answer: Callable[[Received], int]
    got: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/aduan"


@contextmanager
def listening(answer: Callable[[Received], int] = lambda _: 204, tls: ssl.SSLContext | None = None) -> Iterator[Portal]:
    portal = Portal(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            portal.got.append(received)
            self.send_response(portal.answer(received))
            self.send_header("location", "/lain")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    portal.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Clock:
    """The real time, and what a test adds to it."""

    ahead: timedelta = SOON

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def told(portal: str = "p", kind: Any = "suggestion.created", subject: str = "s1") -> Event:
    return Event(portal, kind, subject, {"id": subject, "agency": "dishub", "confidential": False})


def listener(database: Database, url: str, events: Sequence[str] = EVENTS, portal: str = "p") -> tuple[Endpoint, str]:
    with database.begin() as connection:
        return add_endpoint(connection, portal, url, events, by="cli:uji")


def tell(database: Database, *events: Event) -> None:
    with database.begin() as connection:
        enqueue(connection, events or [told()])


def deliveries(database: Database) -> list[Any]:
    with database.connect() as connection:
        return list(connection.execute(select(webhook_deliveries).order_by(webhook_deliveries.c.id)))


def states(database: Database) -> Counter[str]:
    return Counter(row.state for row in deliveries(database))


def test_a_message_arrives_signed_and_says_what_happened(database: Database) -> None:
    with listening() as portal:
        _, secret = listener(database, portal.url)
        tell(database, told(kind="suggestion.emergency"))
        assert deliver_due(database, private=True) == 1
        assert deliver_due(database, private=True) == 0
    (received,) = portal.got
    message = Webhook(secret).verify(received.body, received.headers)
    assert message["type"] == "suggestion.emergency"
    assert message["data"] == {"id": "s1", "agency": "dishub", "confidential": False}
    assert datetime.fromisoformat(message["timestamp"]).tzinfo
    assert received.headers["content-type"] == "application/json"
    assert states(database) == {"delivered": 1}


def test_only_those_who_want_an_event_are_told_of_it(database: Database) -> None:
    with listening() as portal:
        listener(database, portal.url + "/semua")
        listener(database, portal.url + "/rilis", ["release.promoted"])
        listener(database, portal.url + "/lain", portal="lain")
        tell(database, told(), told(kind="release.promoted"), told("lain", subject="s2"), told("tanpa", subject="s3"))
        assert deliver_due(database, private=True) == 4
    told_of = Counter((received.path, json.loads(received.body)["data"]["id"]) for received in portal.got)
    assert told_of == {("/aduan/semua", "s1"): 2, ("/aduan/rilis", "s1"): 1, ("/aduan/lain", "s2"): 1}
    with database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(webhook_messages)) == 3


def test_nobody_is_told_of_what_was_undone(database: Database) -> None:
    listener(database, "http://127.0.0.1:9/")
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        enqueue(connection, [told()])
        _ = 1 / 0
    assert deliveries(database) == []


def test_a_receiver_that_fails_is_tried_by_the_schedule_and_then_no_more(database: Database) -> None:
    with listening(lambda _: 500) as portal:
        _, secret = listener(database, portal.url)
        tell(database)
        clock = Clock()
        for pause in SCHEDULE:
            assert deliver_due(database, True, clock=clock) == 1
            clock.ahead += pause - SOON
            assert deliver_due(database, True, clock=clock) == 0
            clock.ahead += pause / 10 + 2 * SOON
        assert deliver_due(database, True, clock=clock) == 1
        clock.ahead += timedelta(days=365)
        assert deliver_due(database, True, clock=clock) == 0
    assert len(portal.got) == 1 + len(SCHEDULE)
    assert {(received.id, received.body) for received in portal.got} == {(portal.got[0].id, portal.got[0].body)}
    assert len({received.headers["webhook-timestamp"] for received in portal.got}) == len(portal.got)
    assert all(received.signed_with(secret) for received in portal.got)
    with database.connect() as connection:
        (lost,) = dead(connection, "p")
        assert dead(connection, "lain") == []
    assert (lost.subject, lost.attempts, lost.last_status, lost.url) == ("s1", 8, 500, portal.url)
    assert "500" in lost.last_error


@pytest.mark.parametrize("by", ["id", "message_id", "endpoint_id"])
def test_a_dead_message_is_sent_again_under_the_same_id_when_a_person_says_so(database: Database, by: str) -> None:
    with listening(lambda _: 500) as portal:
        listener(database, portal.url)
        tell(database)
        deliver_due(database, True, schedule=())
        with database.begin() as connection:
            (lost,) = dead(connection, "p")
            (again,) = replay(connection, "p", getattr(lost, by), by="cli:uji")
            assert (again.id, again.state, again.attempts) == (lost.id, "pending", 0)
            assert dead(connection, "p") == []
            assert audit.entries(connection, "p")[0].action == "webhook.replay"
        portal.answer = lambda _: 200
        assert deliver_due(database, True) == 1
        with database.begin() as connection:
            replay(connection, "p", lost.id)
        assert deliver_due(database, True) == 1
    assert len({(received.id, received.body) for received in portal.got}) == 1
    assert (len(portal.got), states(database)) == (3, {"delivered": 1})


def test_only_what_has_ended_can_be_sent_again_and_only_by_its_portal(database: Database) -> None:
    endpoint, _ = listener(database, "http://127.0.0.1:9/")
    tell(database)
    (waiting,) = deliveries(database)
    with database.begin() as connection:
        with pytest.raises(WebhookRefusedError, match="masih berjalan"):
            replay(connection, "p", waiting.id)
        for portal, wanted in (("lain", waiting.id), ("p", "dlv_tidakada"), ("p", endpoint.id)):
            with pytest.raises(NoWebhookError):
                replay(connection, portal, wanted)
        remove_endpoint(connection, "p", endpoint.id)
        with pytest.raises(WebhookRefusedError, match="dihapus"):
            replay(connection, "p", waiting.id)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404, 429])
def test_anything_but_success_is_a_failure_and_a_redirect_is_not_followed(database: Database, status: int) -> None:
    with listening(lambda received: 200 if received.path == "/lain" else status) as portal:
        listener(database, portal.url)
        tell(database)
        deliver_due(database, True)
    (row,) = deliveries(database)
    assert (row.state, row.last_status, len(portal.got)) == ("pending", status, 1)


def test_a_receiver_that_says_gone_is_left_alone_from_then_on(database: Database) -> None:
    with listening(lambda _: 410) as portal:
        listener(database, portal.url)
        listener(database, portal.url, portal="lain")
        tell(database, *(told(subject=f"s{n}") for n in range(12)))
        deliver_due(database, True)
        with database.connect() as connection:
            assert endpoints(connection, "p") == []
            assert len(endpoints(connection, "lain")) == 1
            assert audit.entries(connection, "p")[0].who == "webhook:410"
        tell(database)
        assert deliver_due(database, True, clock=Clock(timedelta(days=1))) == 0
    assert states(database) == {"dead": 12}
    assert len(portal.got) < 12


def test_a_receiver_that_is_not_there_or_never_answers_is_named_and_tried_again(database: Database) -> None:
    held = threading.Event()
    with listening(lambda _: 200 if held.wait(30) else 500) as portal:
        listener(database, portal.url, ["suggestion.created"])
        listener(database, "http://127.0.0.1:9/", ["release.promoted"])
        tell(database, told(), told(kind="release.promoted"))
        assert deliver_due(database, True, longest_answer=0.5) == 2
        held.set()
    assert states(database) == {"pending": 2}
    errors = {row.last_error for row in deliveries(database)}
    assert any("tidak menjawab" in error for error in errors) and any("ConnectError" in error for error in errors)


def test_a_receiver_that_is_slow_holds_up_only_itself(database: Database) -> None:
    all_there = threading.Event()

    def quick_answer(_: Received) -> int:
        if len(quick.got) == 30:
            all_there.set()
        return 200

    with listening(lambda _: 200 if all_there.wait(10) else 500) as slow, listening(quick_answer) as quick:
        listener(database, slow.url, ["release.promoted"])
        listener(database, quick.url, ["suggestion.created"])
        tell(database, *(told(kind="release.promoted", subject=f"r{n}") for n in range(20)))
        tell(database, *(told(subject=f"s{n}") for n in range(30)))
        assert deliver_due(database, True) == 50
    assert states(database) == {"delivered": 50}


SENDER = """
import sys
from service.database.database import Database
from service.webhooks import deliver_due
deliver_due(Database(sys.argv[1]), private=True)
"""


def test_a_message_is_sent_again_when_its_sender_was_killed_before_it_could_note_it(
    database: Database, database_url: str
) -> None:
    def kill(_: Received) -> int:
        if not killed:
            killed.append(sender.pid)
            os.kill(sender.pid, signal.SIGKILL)
        return 200

    killed: list[int] = []
    with listening(kill) as portal:
        listener(database, portal.url)
        tell(database)
        sender = subprocess.Popen([sys.executable, "-c", SENDER, database_url], cwd=Path(__file__).parents[1])
        assert sender.wait(60) == -signal.SIGKILL
        assert states(database) == {"pending": 1}
        assert deliver_due(database, True) == 0
        assert deliver_due(database, True, clock=Clock(LEASE + SOON)) == 1
    first, second = portal.got
    assert (first.id, first.body) == (second.id, second.body)
    assert states(database) == {"delivered": 1}


def test_many_senders_never_send_the_same_message(database: Database, database_url: str) -> None:
    with listening() as portal:
        for _ in range(4):
            listener(database, portal.url)
        tell(database, *(told(subject=f"s{n}") for n in range(25)))
        others = [Database(database_url) for _ in range(3)]
        threads = [threading.Thread(target=deliver_due, args=(other, True)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deliver_due(database, True)
        for other in others:
            other.close()
    assert Counter(received.id for received in portal.got) == dict.fromkeys({r.id for r in portal.got}, 4)
    assert (len(portal.got), states(database)) == (100, {"delivered": 100})
    assert {row.attempts for row in deliveries(database)} == {1}


def test_what_one_has_taken_nobody_else_gets_even_before_it_is_kept(database: Database, database_url: str) -> None:
    listener(database, "http://127.0.0.1:9/")
    tell(database, told(), told(subject="s2"))
    now = datetime.now(UTC)
    second: list[Any] = []
    other = Database(database_url)

    def take() -> None:
        with other.begin() as connection:
            second.extend(claim(connection, now, now + LEASE, 10, 10))

    thread = threading.Thread(target=take)
    with database.begin() as connection:
        first = claim(connection, now, now + LEASE, 10, 10)
        thread.start()
        thread.join(0.5)
    thread.join()
    other.close()
    assert (len(first), second) == (2, [])


def test_no_endpoint_takes_all_the_places(database: Database) -> None:
    busy, _ = listener(database, "http://127.0.0.1:9/1", ["release.promoted"])
    quiet, _ = listener(database, "http://127.0.0.1:9/2", ["suggestion.created"])
    tell(database, *(told(kind="release.promoted", subject=f"r{n}") for n in range(10)), told())
    now = datetime.now(UTC)
    with database.begin() as connection:
        assert {due.endpoint_id for due in claim(connection, now, now + LEASE, 2, 8)} == {busy.id, quiet.id}
        assert len(claim(connection, now, now + LEASE, 64, 3)) == 3
        assert claim(connection, now, now + LEASE, 64, 3, {busy.id}) == []


def test_one_who_comes_back_after_the_lease_changes_nothing(database: Database) -> None:
    listener(database, "http://127.0.0.1:9/")
    tell(database)
    now = datetime.now(UTC)
    later = now + LEASE
    with database.begin() as connection:
        (early,) = claim(connection, now, later, 1, 1)
        (late,) = claim(connection, later, later + LEASE, 1, 1)
        settle(connection, Outcome(early, 200, "", None), later)
    assert states(database) == {"pending": 1}
    with database.begin() as connection:
        settle(connection, Outcome(late, 200, "", None), later)
        settle(connection, Outcome(late, 500, "lagi", later), later)
    assert states(database) == {"delivered": 1}


def test_a_removed_endpoint_gets_nothing_not_even_what_was_on_its_way(database: Database) -> None:
    endpoint, _ = listener(database, "http://127.0.0.1:9/")
    other, _ = listener(database, "http://127.0.0.1:9/")
    tell(database)
    with database.begin() as connection:
        with pytest.raises(NoWebhookError):
            remove_endpoint(connection, "lain", endpoint.id)
        remove_endpoint(connection, "p", endpoint.id, by="cli:uji")
        with pytest.raises(NoWebhookError):
            remove_endpoint(connection, "p", endpoint.id)
        assert [left.id for left in endpoints(connection, "p")] == [other.id]
        assert [lost.endpoint_id for lost in dead(connection, "p")] == [endpoint.id]
        connection.execute(update(webhook_endpoints).values(removed_at=datetime.now(UTC)))
    assert deliver_due(database, True) == 0
    assert states(database) == {"dead": 2}


def test_a_name_that_later_leads_into_the_own_network_is_not_followed(database: Database) -> None:
    with listening() as portal:
        listener(database, f"https://penerima.example:{portal.port}/")
        tell(database)
        assert deliver_due(database, resolve=lambda host: ["127.0.0.1"]) == 1
    (row,) = deliveries(database)
    assert (portal.got, row.state, row.last_status) == ([], "pending", None)
    assert "tidak boleh dituju" in row.last_error


def test_the_first_address_that_can_be_reached_is_used_and_no_proxy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with listening() as portal:
        listener(database, f"http://penerima.example:{portal.port}/aduan")
        tell(database)
        deliver_due(database, True, resolve=lambda host: ["127.0.0.2", "127.0.0.1", "127.0.0.3"])
    assert [received.headers["host"] for received in portal.got] == [f"penerima.example:{portal.port}"]


def test_the_certificate_has_to_be_for_the_name(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("penerima.example").configure_cert(tls)
    with listening(tls=tls) as portal:
        right, _ = listener(database, f"https://penerima.example:{portal.port}/")
        listener(database, f"https://orang-lain.example:{portal.port}/")
        tell(database)
        assert deliver_due(database, True, resolve=lambda host: ["127.0.0.1"]) == 2
    assert {row.endpoint_id: row.state for row in deliveries(database)}.pop(right.id) == "delivered"
    assert (len(portal.got), states(database)) == (1, {"delivered": 1, "pending": 1})


def test_an_endpoint_wants_events_that_exist_and_there_are_not_too_many(database: Database) -> None:
    for events in ([], ["suggestion.deleted"]):
        with pytest.raises(WebhookRefusedError, match=r"suggestion\.emergency"):
            listener(database, "https://penerima.example/", events)
    for _ in range(MOST_ENDPOINTS):
        listener(database, "https://penerima.example/")
    with pytest.raises(WebhookRefusedError, match="paling banyak"):
        listener(database, "https://penerima.example/")
    listener(database, "https://penerima.example/", portal="lain")
    with database.connect() as connection:
        entries = audit.entries(connection, "p")
        assert (len(entries), entries[0].who, entries[0].action) == (MOST_ENDPOINTS, "cli:uji", "webhook.add")
        assert entries[0].detail == {"events": sorted(EVENTS)}
