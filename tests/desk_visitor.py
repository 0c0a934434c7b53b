"""People at the review desk, as a test commands them: signed in, with a browser's headers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from served import LONGEST_WAIT, Service
from sqlalchemy import delete, update

from service.database import users
from service.database.erasure import OF_A_SUGGESTION, OF_RESEMBLANCE
from service.database.schema import suggestions
from service.database.users import User
from service.sessions import begun

LAMPS, RUBBISH_OFFICE, ROADS = "dinas-perhubungan", "dinas-kebersihan", "dinas-pekerjaan-umum"


class Visitor:
    """Follows no redirect by itself."""

    def __init__(self, service: Service, name: str, role: str, portal: str = "kota-kecil") -> None:
        with service.database.begin() as connection:
            self.user: User = users.create(connection, portal, name, role, "tidak-dipakai")
        self.csrf, self.cookie = self.signed_in(service)
        self.client = httpx.Client(
            base_url=service.url,
            headers={"Accept": "text/html"},
            cookies=dict([self.cookie]),
            trust_env=False,
            timeout=LONGEST_WAIT,
        )

    def signed_in(self, service: Service) -> tuple[str, tuple[str, str]]:
        """The token of a new session, and the name and value of its cookie."""
        sessions = service.app.state.sessions
        session = begun(self.user, time.time())
        return session.csrf, (sessions.cookie_name, sessions.signed(session))

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text[:2_000]
        return answer.text

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(path, data={"csrf": self.csrf, **fields})

    def decide(self, suggestion_id: str, agency: str = LAMPS, **fields: str) -> httpx.Response:
        return self.post(f"/desk/{suggestion_id}/putusan", instansi=agency, **fields)

    def gets(self) -> str:
        """The id of the complaint that the desk shows, "" for none."""
        page = self.get("/desk")
        start = page.find('data-hold="/desk/')
        return page[start:].split("/")[2] if start >= 0 else ""


@contextmanager
def visiting(service: Service, name: str, role: str = "staff", portal: str = "kota-kecil") -> Iterator[Visitor]:
    visitor = Visitor(service, name, role, portal)
    with visitor.client:
        yield visitor


def emptied(service: Service) -> None:
    """As before the first complaint came; people and keys stay."""
    with service.database.begin() as connection:
        for table in (*OF_A_SUGGESTION, *OF_RESEMBLANCE, suggestions):
            connection.execute(delete(table))


def changed(service: Service, suggestion_id: str, **values: Any) -> str:
    """A suggestion as chance or time would have made it."""
    with service.database.begin() as connection:
        connection.execute(update(suggestions).where(suggestions.c.id == suggestion_id).values(values))
    return suggestion_id
