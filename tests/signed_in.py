"""People who are signed in to a running service, without a password being checked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
from served import LONGEST_WAIT, Service

from service.database import users
from service.sessions import CSRF_FIELD, begun


@dataclass(frozen=True)
class Person:
    """`client` asks for pages and follows no redirects; `cookie` is for a browser."""

    client: httpx.Client
    cookie: tuple[str, str]
    csrf: str

    def read(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """A form as a browser sends it; a field may have several values."""
        body = urlencode({CSRF_FIELD: self.csrf, **fields}, doseq=True)
        return self.client.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})


@contextmanager
def signed_in(
    service: Service, name: str = "sari", role: str = "admin", portal: str = "kota-kecil"
) -> Iterator[Person]:
    with service.database.begin() as connection:
        user = users.create(connection, portal, name, role, "tanpa kata sandi")
    session, sessions = begun(user, time.time()), service.app.state.sessions
    cookie = sessions.cookie_name, sessions.signed(session)
    headers = {"Accept": "text/html"}
    with httpx.Client(
        base_url=service.url, cookies=dict([cookie]), headers=headers, trust_env=False, timeout=LONGEST_WAIT
    ) as client:
        yield Person(client, cookie, session.csrf)
