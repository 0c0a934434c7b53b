"""What was answered under an `Idempotency-Key`, so that a request sent again changes nothing.

As in the IETF draft "The Idempotency-Key HTTP Header Field": the same key with another request is refused. Only
acts that were done are remembered; one that was refused may be tried again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, tuple_

from router_model.errors import AduanError
from service.database.schema import repeats


class KeyReusedError(AduanError):
    """The same `Idempotency-Key` came before with another request."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key ini sudah dipakai untuk permintaan lain. Pakai kunci baru.")


@dataclass(frozen=True, slots=True)
class Repeat:
    """An `Idempotency-Key` of a portal, and the keyed hash of the request it came with; without a key, "" twice."""

    portal: str
    key: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status and its JSON text. `repeated` if it was given before."""

    status: int
    body: str
    repeated: bool = False


def find(connection: Connection, asked: Iterable[Repeat]) -> Mapping[Repeat, Answer | KeyReusedError]:
    """What was answered before; only those are in the result."""
    wanted = {(item.portal, item.key): item for item in asked if item.key}
    if not wanted:
        return {}
    query = select(repeats).where(tuple_(repeats.c.portal, repeats.c.key).in_(list(wanted)))
    found: dict[Repeat, Answer | KeyReusedError] = {}
    for row in connection.execute(query).mappings():
        item = wanted[row["portal"], row["key"]]
        same = row["fingerprint"] == item.fingerprint
        found[item] = Answer(row["status"], row["answer"], True) if same else KeyReusedError()
    return found


def remember(connection: Connection, answers: Iterable[tuple[Repeat, Answer]]) -> None:
    """In the transaction of the act itself. Raises `IntegrityError` if another one was first."""
    rows = [
        {
            "portal": repeat.portal,
            "key": repeat.key,
            "fingerprint": repeat.fingerprint,
            "status": answer.status,
            "answer": answer.body,
            "created_at": datetime.now(UTC),
        }
        for repeat, answer in answers
        if repeat.key
    ]
    if rows:
        connection.execute(insert(repeats), rows)


def forget(connection: Connection, before: datetime, most: int = 500) -> int:
    """Drops answers from before this moment, a few at a time; returns how many."""
    old = connection.execute(select(repeats.c.portal, repeats.c.key).where(repeats.c.created_at < before).limit(most))
    found = [tuple(row) for row in old]
    if found:
        connection.execute(delete(repeats).where(tuple_(repeats.c.portal, repeats.c.key).in_(found)))
    return len(found)


def earlier(connection: Connection, repeat: Repeat) -> Answer | None:
    """What was answered before. Raises `KeyReusedError` if the key came with another request."""
    before = find(connection, [repeat]).get(repeat)
    if isinstance(before, KeyReusedError):
        raise before
    return before


def once(connection: Connection, repeat: Repeat, act: Callable[[Connection], Answer]) -> Answer:
    """Acts, or gives the answer of the time it was done.

    Raises:
        KeyReusedError: the key came before with another request.
    """
    before = earlier(connection, repeat)
    if before:
        return before
    answer = act(connection)
    remember(connection, [(repeat, answer)])
    return answer
