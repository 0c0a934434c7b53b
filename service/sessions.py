"""Who is signed in: a signed cookie that names a user, and the token that every form has to bring back."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import FormData
from starlette.responses import Response

from service.database import users
from service.database.database import Database
from service.database.users import ROLES, User
from service.rate_limit import Failures

IDLE_SECONDS = 8 * 3_600
LONGEST_SECONDS = 24 * 3_600
RENEWAL_SECONDS = 300
"""How long a cookie is used before a newer one takes its place."""
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
FAILURES_OF_A_NAME, FAILURES_OF_AN_ADDRESS = 5, 20
"""Many people of an office may share one address."""
HASHING_AT_ONCE = 2
STALE_FORM = "Halaman ini sudah terlalu lama terbuka. Muat ulang halamannya, lalu kirim sekali lagi."


@dataclass(frozen=True, slots=True)
class Session:
    """`user_id` is empty before somebody signs in. `begun` and `seen` are seconds since 1970."""

    user_id: str
    version: int
    csrf: str
    begun: int
    seen: float


def begun(user: User | None, now: float) -> Session:
    """A session that shares nothing with an earlier one."""
    version = user.session_version if user else 0
    return Session(user.id if user else "", version, secrets.token_urlsafe(16), int(now), now)


class Sessions:
    """Reads and writes the cookie. Also holds what sign-ins need: how often they failed, and a limit on how many
    passwords are checked at once, each of which takes 64 MiB."""

    def __init__(self, secret: bytes, secure: bool) -> None:
        self._signer = URLSafeTimedSerializer(
            secret, salt=b"aduan session", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )
        self._secure = secure
        self.cookie_name = "__Host-aduan_session" if secure else "aduan_session"
        self.names = Failures(FAILURES_OF_A_NAME)
        self.addresses = Failures(FAILURES_OF_AN_ADDRESS)
        self.hashing = asyncio.Semaphore(HASHING_AT_ONCE)

    def signed(self, session: Session) -> str:
        return str(self._signer.dumps([session.user_id, session.version, session.csrf, session.begun]))

    def opened(self, cookie: str, now: float) -> Session | None:
        """None for a cookie that is not ours, was not used for `IDLE_SECONDS`, or is older than `LONGEST_SECONDS`."""
        try:
            (user_id, version, csrf, began), seen = self._signer.loads(cookie, return_timestamp=True)
        except BadData:
            return None
        session = Session(user_id, version, csrf, began, seen.timestamp())
        over = now - session.seen > IDLE_SECONDS or now - session.begun > LONGEST_SECONDS
        return None if over else session

    def of(self, request: Request) -> Session | None:
        return self.opened(request.cookies.get(self.cookie_name, ""), time.time())

    def give(self, response: Response, session: Session) -> None:
        """A cookie that ends with the browser. `Lax` rather than `Strict`: with the latter, whoever follows a link
        to a complaint in a message would seem to be signed out."""
        response.set_cookie(
            self.cookie_name, self.signed(session), path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def take_back(self, response: Response) -> None:
        response.delete_cookie(self.cookie_name, path="/", secure=self._secure, httponly=True, samesite="lax")

    def renew(self, request: Request, session: Session) -> None:
        """Asks whatever stamps the answer to send a newer cookie, unless the answer brings its own."""
        if time.time() - session.seen > RENEWAL_SECONDS:
            carrier = Response()
            self.give(carrier, session)
            headers = getattr(request.state, "headers", {})
            request.state.headers = {**headers, "Set-Cookie": carrier.headers["set-cookie"]}


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """`csrf` goes into every form as the hidden field `csrf`."""

    id: str
    portal: str
    name: str
    role: str
    csrf: str

    @property
    def who(self) -> str:
        """Names the user in the audit log."""
        return f"user:{self.name}"

    @property
    def role_label(self) -> str:
        return ROLES[self.role]


async def signed_in_user(request: Request) -> SignedInUser | None:
    """The user of a session, if the session still runs and the user may still sign in."""
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    session = sessions.of(request)
    if session is None or not session.user_id:
        return None
    user_id = session.user_id
    user = await database.read(lambda connection: users.one(connection, user_id))
    if user is None or user.disabled_at or user.session_version != session.version:
        return None
    sessions.renew(request, session)
    return SignedInUser(user.id, user.portal, user.name, user.role, session.csrf)


def sign_in_first(request: Request) -> HTTPException:
    """Sends people to the sign-in page, and from there back to a page they were reading; tells programs 401."""
    if CSRF_HEADER in request.headers:
        return HTTPException(401, "Anda sudah keluar. Masuk lagi di /masuk.")
    query = f"?{request.url.query}" if request.url.query else ""
    back = f"?lanjut={quote(request.url.path + query, safe='/')}" if request.method == "GET" else ""
    return HTTPException(303, "Masuk dahulu.", {"Location": f"/masuk{back}"})


class SignedIn:
    """Asks for a user with one of the roles, or of any role if none is named."""

    def __init__(self, *roles: str) -> None:
        assert set(roles) <= ROLES.keys(), roles  # noqa: S101
        self._roles = frozenset(roles or ROLES)

    async def __call__(self, request: Request) -> SignedInUser:
        user = await signed_in_user(request)
        if user is None:
            raise sign_in_first(request)
        if user.role not in self._roles:
            raise HTTPException(403, f"Akun Anda ({user.role_label}) tidak dapat membuka halaman ini.")
        return user


def csrf_fits(session: Session | None, given: object) -> bool:
    """Whether a form or header brings back the token of the session."""
    if session is None or not isinstance(given, str):
        return False
    return hmac.compare_digest(session.csrf.encode(), given.encode("utf-8", "replace"))


async def checked_form(request: Request) -> AsyncIterator[FormData]:
    """The fields of a form that was sent from a page of ours, in this session; 403 for any other."""
    sessions: Sessions = request.app.state.sessions
    if (session := sessions.of(request)) is None:
        raise sign_in_first(request)
    async with request.form() as form:
        if not csrf_fits(session, request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD)):
            raise HTTPException(403, STALE_FORM)
        yield form


AnyUser = Annotated[SignedInUser, Depends(SignedIn())]
CheckedForm = Annotated[FormData, Depends(checked_form)]
