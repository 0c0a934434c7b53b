"""What stands around every request: its id, its limits, the headers of its answer, and its line in the log."""

import asyncio
import logging
import re
import secrets
import time

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.logs import log_access, request_id_now
from service.metrics import Metrics
from service.settings import Settings

_log = logging.getLogger(__name__)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ALWAYS_ANSWERED = frozenset({"/livez", "/readyz", "/metrics"})
UPLOADS = ("/v1/datasets", "/v1/dispositions/import", "/admin")
UPLOAD_PATIENCE = 10
"""A file may take this many times as long as another request."""
WAITING_FOR_EACH = 8
LONGEST_WAIT = 1.0
"""Seconds that a request waits for others to end before it is told to come back."""
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
BUSY_DETAIL = "Layanan sedang penuh. Ulangi sebentar lagi; dengan Idempotency-Key tidak ada yang ganda."
SLOW_DETAIL = "Permintaan ini terlalu lama. Ulangi; dengan Idempotency-Key tidak ada yang ganda."


class Around:
    """Refuses what is too large, what is too much at once (503 with `Retry-After`) and what takes too long, so
    that memory stays bounded and those already begun are finished. Health and metrics are always answered."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._slots = asyncio.Semaphore(settings.most_running)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Request(self._app, self._settings, self._metrics, scope, receive, send).answer(self)

    async def enter(self) -> bool:
        """Waits a moment for a place among those who run; so many may wait that none waits in vain for long.

        Those refused at once would come back at once, and saying no would take the time of those let in.
        """
        if self._slots.locked():
            if self._waiting >= WAITING_FOR_EACH * self._settings.most_running:
                return False
            self._waiting += 1
            try:
                async with asyncio.timeout(LONGEST_WAIT):
                    await self._slots.acquire()
            except TimeoutError:
                return False
            finally:
                self._waiting -= 1
        else:
            await self._slots.acquire()
        self._metrics.in_flight.inc()
        return True

    def leave(self) -> None:
        self._slots.release()
        self._metrics.in_flight.dec()


class _Request:
    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = Headers(scope=scope)
        given = headers.get("X-Request-ID", "")
        self._app, self._settings, self._metrics = app, settings, metrics
        self._scope, self._receive, self._send = scope, receive, send
        self._id = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
        self._length = headers.get("Content-Length", "0")
        self._upload = scope["path"].startswith(UPLOADS)
        self._most = settings.most_upload if self._upload else settings.most_body
        self._received = 0
        self._status = 0
        scope.setdefault("state", {})

    async def answer(self, around: Around) -> None:
        token = request_id_now.set(self._id)
        began = time.perf_counter()
        free = self._scope["path"] in ALWAYS_ANSWERED
        entered = free or await around.enter()
        try:
            if not entered:
                await self._refuse(503, BUSY_DETAIL, problems.RETRY_AFTER)
            elif not self._length.isdigit() or int(self._length) > self._most:
                await self._refuse(413, self._too_large())
            else:
                await self._within_time()
        finally:
            if entered and not free:
                around.leave()
            self._tell(time.perf_counter() - began)
            request_id_now.reset(token)

    async def _within_time(self) -> None:
        seconds = self._settings.most_seconds * (UPLOAD_PATIENCE if self._upload else 1)
        try:
            async with asyncio.timeout(seconds) as clock:
                await self._app(self._scope, self._limited, self._stamped)
        except TimeoutError:
            if not clock.expired() or self._status:
                raise
            await self._refuse(503, SLOW_DETAIL, problems.RETRY_AFTER)
        except Exception as error:
            # Its message may hold what a citizen wrote; where it was raised does not.
            _log.error("unexpected", extra={"error": type(error).__name__, "where": _where(error)})
            if not self._status:
                await self._refuse(500)

    def _too_large(self) -> str:
        return f"Paling banyak {self._most} byte."

    async def _refuse(self, status: int, detail: str = "", headers: dict[str, str] | None = None) -> None:
        await problems.problem(status, detail, headers=headers)(self._scope, self._receive, self._stamped)

    async def _limited(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._most:
            raise HTTPException(413, self._too_large())
        return message

    async def _stamped(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if not self._scope["path"].startswith("/static/"):
                headers.setdefault("Cache-Control", "no-store")
            for name, value in self._scope["state"].get("headers", {}).items():
                headers.setdefault(name, value)
        await self._send(message)

    def _tell(self, seconds: float) -> None:
        route = getattr(self._scope.get("route"), "path", "")
        asker = self._scope["state"].get("asker")
        method = self._scope["method"]
        self._metrics.answered(method, route, self._status, seconds)
        log_access(
            method=method,
            route=route,
            status=self._status,
            milliseconds=seconds * 1_000,
            request_id=self._id,
            portal=asker.portal if asker else "",
            key=asker.key if asker else "",
        )


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}" if trace else ""
