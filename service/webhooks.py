"""Sends messages to portals by the Standard Webhooks convention (github.com/standard-webhooks/standard-webhooks):
signed, at least once, tried again with longer and longer pauses."""

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from standardwebhooks import Webhook

from service.database.database import Database
from service.database.webhooks import GONE, Due, Outcome, claim, settle
from service.webhook_address import AddressRefusedError, Receiver, Resolve, looked_up, receiver_of

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""The pauses between attempts; after the last one a delivery is dead."""
LONGEST_ANSWER = 15.0
LONGEST_CONNECT = 5.0
LONGEST_ROUND = 10.0
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 64
MOST_PER_ENDPOINT = 8
_LOOK_AGAIN = 0.2
_random = secrets.SystemRandom()


def _now() -> datetime:
    return datetime.now(UTC)


def deliver_due(
    database: Database,
    private: bool = False,
    *,
    resolve: Resolve = looked_up,
    schedule: Sequence[timedelta] = SCHEDULE,
    clock: Callable[[], datetime] = _now,
    longest_answer: float = LONGEST_ANSWER,
) -> int:
    """Sends what is due and says how many were tried; a receiver that fails raises nothing. Any number of processes
    may run it at once.

    Takes up to `LONGEST_ROUND` seconds of new work, then waits for what it began, `longest_answer` seconds at most.
    An endpoint gets its next deliveries when its last ones are answered, so that a slow one holds up only itself.
    """
    first = _turn(database, (), clock(), MOST_AT_ONCE, set())
    if not first:
        return 0
    # The operator's own certificate authority comes by SSL_CERT_FILE.
    verify = httpx.create_ssl_context()
    lookups = ThreadPoolExecutor(MOST_AT_ONCE, "webhook-lookup")
    try:
        post = _Post(private, resolve, schedule, clock, longest_answer, verify, lookups)
        return asyncio.run(_round(database, post, clock, first))
    finally:
        lookups.shutdown(wait=False)


async def _round(database: Database, post: "_Post", clock: Callable[[], datetime], due: Sequence[Due]) -> int:
    running: dict[asyncio.Task[Outcome], str] = {}
    tried, ends = 0, time.monotonic() + LONGEST_ROUND
    while True:
        running |= {asyncio.create_task(post.send(one)): one.endpoint_id for one in due}
        tried += len(due)
        if not running:
            return tried
        done, _ = await asyncio.wait(running, timeout=_LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del running[task]
        most = MOST_AT_ONCE - len(running) if time.monotonic() < ends else 0
        outcomes = [task.result() for task in done]
        due = await asyncio.to_thread(_turn, database, outcomes, clock(), most, set(running.values()))


def _turn(database: Database, outcomes: Sequence[Outcome], now: datetime, most: int, busy: set[str]) -> list[Due]:
    """Keeps what came of the last ones, each by itself so that no two processes wait for each other, and takes the
    next ones."""
    for outcome in outcomes:
        with database.begin() as connection:
            settle(connection, outcome, now)
    if not most:
        return []
    with database.begin() as connection:
        return claim(connection, now, now + LEASE, most, MOST_PER_ENDPOINT, busy)


@dataclass(frozen=True, slots=True)
class _Post:
    private: bool
    resolve: Resolve
    schedule: Sequence[timedelta]
    clock: Callable[[], datetime]
    longest_answer: float
    verify: ssl.SSLContext
    lookups: ThreadPoolExecutor

    async def send(self, due: Due) -> Outcome:
        status, error = None, ""
        try:
            async with asyncio.timeout(self.longest_answer):
                status = await self._answer(due)
            if not 200 <= status < 300:
                error = f"Penerima menjawab {status}."
        except AddressRefusedError as refused:
            error = str(refused)
        except TimeoutError:
            error = f"Penerima tidak menjawab dalam {self.longest_answer:.0f} detik."
        except Exception as failure:  # whatever a receiver does, the others go on
            error = f"Pengiriman tidak berhasil ({type(failure).__name__})."
        again = error and status != GONE and due.attempts <= len(self.schedule)
        pause = self.schedule[due.attempts - 1] * _random.uniform(1, 1.1) if again else None
        return Outcome(due, status, error, self.clock() + pause if pause is not None else None)

    async def _answer(self, due: Due) -> int:
        """The status a receiver answers with, at the first of its addresses that can be reached."""
        loop = asyncio.get_running_loop()
        receiver = await loop.run_in_executor(self.lookups, receiver_of, due.url, self.private, self.resolve)
        timeout = httpx.Timeout(self.longest_answer, connect=LONGEST_CONNECT)
        # A client of its own: connections and cookies are kept by address, and two receivers may share one.
        async with httpx.AsyncClient(verify=self.verify, trust_env=False, timeout=timeout) as client:
            *others, last = (_request(client, receiver, address, due, self.clock()) for address in receiver.addresses)
            for request in others:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await _status(client, request)
            return await _status(client, last)


async def _status(client: httpx.AsyncClient, request: httpx.Request) -> int:
    """Without a look at the body of the answer, which may be of any length."""
    response = await client.send(request, stream=True, follow_redirects=False)
    await response.aclose()
    return response.status_code


def _request(client: httpx.AsyncClient, receiver: Receiver, address: str, due: Due, now: datetime) -> httpx.Request:
    return client.build_request(
        "POST",
        receiver.url.copy_with(host=address),
        content=due.payload.encode(),
        headers={
            "host": receiver.url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": "Aduan-Webhook",
            "webhook-id": due.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(due.secret).sign(due.message_id, now, due.payload),
        },
        extensions={"sni_hostname": receiver.name},
    )
