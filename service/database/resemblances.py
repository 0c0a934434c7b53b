"""Which stored complaints of a portal a new one resembles.

Looked up and kept in the transaction that stores the complaint itself, so that two that come together see each other.
"""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

import numpy as np
import orjson
from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    union_all,
    update,
)

from router_model.point import point_of
from router_model.resemblance import (
    MOST_KEYS,
    POINT_KEYS,
    Kind,
    Reported,
    Resembling,
    Signature,
    keys_of,
    resembling,
    text_key,
)
from router_model.resemblance_limits import MOST_SENDERS, ResemblanceLimits
from router_model.spots import Spot
from service.database.schema import (
    dispositions,
    refusals,
    resemblance_keys,
    resemblance_links,
    resemblances,
    suggestions,
)

REASON = "resembles"
"""The code of the reason in an answer that tells of duplicates."""
MOST_NAMED = 10
OF_EACH_KEY = MOST_SENDERS + 10
"""Of so many of the newest under a key is any looked at: a campaign of 50,000 costs no more than one of 30."""
OF_EACH_CELL = 8
"""The same under the key of a cell: most of those in it are about something else, at some other corner."""
MOST_COMPARED = 60
MOST_COUNTED = 500
_LOCK = 51_71_2027
_KEY = resemblance_keys.c


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An earlier complaint. `agency` is where it went, "" if nobody disposed of it or somebody is still to look."""

    id: str
    external_id: str
    similarity: float
    kind: Kind
    at: datetime
    agency: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """`named` are at most `MOST_NAMED`; `counts` tells of all that were found, and `at_least` that there are more."""

    named: tuple[Duplicate, ...] = ()
    counts: tuple[tuple[Kind, int], ...] = ()
    days: int = 0
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A complaint to compare: what it is recognised by, what counts as resembling, until when others may resemble it,
    and the JSON text of the answer once it is known what it resembles."""

    reported: Reported
    limits: ResemblanceLimits
    until: datetime
    answer: Callable[[Found], str]


@dataclass(frozen=True, slots=True)
class _Kept:
    id: int
    suggestion_id: str
    reported: Reported


class Watch:
    """Looks at complaints one after the other in one transaction: each is compared with what is stored and with those
    before it. `keep` stores what was looked at, after the suggestions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        lock(connection)
        self._last = connection.execute(_LAST).scalar_one()
        self._here: dict[int, list[_Kept]] = {}
        self._external: dict[str, str] = {}
        self._rows: list[dict[str, object]] = []
        self._keys: list[dict[str, object]] = []
        self._links: list[dict[str, str]] = []

    def look(self, portal: str, suggestion_id: str, external_id: str, new: Compared) -> Found:
        keys = keys_of(portal, new.reported)
        earlier = self._earlier(portal, keys, new)
        similar = resembling(new.reported, [item.reported for item in earlier], new.limits)
        self._remember(portal, suggestion_id, keys, new)
        self._external[suggestion_id] = external_id
        if not similar:
            return Found()
        named = [(earlier[item.number], item) for item in similar[:MOST_NAMED]]
        self._links += [{"later": suggestion_id, "earlier": kept.suggestion_id, "portal": portal} for kept, _ in named]
        counts = Counter(item.kind for item in similar)
        at_least = self._count_copies(portal, new, counts)
        ids = [kept.suggestion_id for kept, _ in named]
        went, called = agencies_of(self._connection, portal, ids), self._external_ids(ids)
        return Found(
            tuple(_duplicate(kept, item, called, went) for kept, item in named),
            tuple(counts.items()),
            new.limits.object_days if set(counts) == {Kind.SAME_OBJECT} else new.limits.days,
            at_least,
        )

    def keep(self) -> None:
        for table, rows in (
            (resemblances, self._rows),
            (resemblance_keys, self._keys),
            (resemblance_links, self._links),
        ):
            if rows:
                self._connection.execute(insert(table), rows)

    def _earlier(self, portal: str, keys: Sequence[int], new: Compared) -> list[_Kept]:
        """Those that share the most keys, the newest first."""
        since, until = _around(new.reported.at, new.limits.longest)
        here = Counter(item.id for key in keys for item in self._here.get(key, ())[-OF_EACH_KEY:])
        known = {item.id: item for key in keys for item in self._here.get(key, ())[-OF_EACH_KEY:]}
        in_cells = POINT_KEYS if new.reported.point else 0
        padded: list[int | None] = [None] * MOST_KEYS
        padded[: len(keys) - in_cells] = keys[: len(keys) - in_cells]
        padded[MOST_KEYS - in_cells :] = keys[len(keys) - in_cells :]
        stored: Counter[int] = Counter(
            self._connection.scalars(_LOOK_UP, {f"key{i}": key for i, key in enumerate(padded)} | {"portal": portal})
        )
        best = sorted((here + stored).items(), key=lambda item: (-item[1], -item[0]))[:MOST_COMPARED]
        if missing := [number for number, _ in best if number not in known]:
            given = {"ids": missing, "portal": portal, "since": since, "until": until}
            rows = self._connection.execute(_READ, given).mappings()
            known |= {row["id"]: _kept(row) for row in rows}
        return [known[number] for number in sorted((number for number, _ in best), reverse=True) if number in known]

    def _remember(self, portal: str, suggestion_id: str, keys: Sequence[int], new: Compared) -> None:
        self._last += 1
        kept = _Kept(self._last, suggestion_id, new.reported)
        for key in keys:
            self._here.setdefault(key, []).append(kept)
        self._keys += [{"key": key, "resemblance": kept.id, "portal": portal} for key in keys]
        self._rows.append(row_of(kept.id, portal, suggestion_id, new.reported, keys, new.until))

    def _external_ids(self, ids: Sequence[str]) -> dict[str, str]:
        stored = self._connection.execute(_CALLED, {"ids": ids})
        return {**self._external, **{row.id: row.external_id or "" for row in stored}}

    def _count_copies(self, portal: str, new: Compared, counts: Counter[Kind]) -> bool:
        """Puts the number of equal texts, as far as it is counted, in the place of those that were looked at; whether
        there may be more."""
        kind = Kind.CAMPAIGN if counts[Kind.CAMPAIGN] else Kind.RESENT
        if counts[kind] < OF_EACH_KEY:
            return False
        key = text_key(portal, new.reported.signature)
        given = {"key": key, "portal": portal, "since": _around(new.reported.at, new.limits.days)[0]}
        counted = self._connection.execute(_COUNT, given).scalar_one()
        counts[kind] = max(counts[kind], counted)
        return counted == MOST_COUNTED


def _look_up(number: int) -> Select[tuple[int]]:
    newest = (
        select(_KEY.resemblance)
        .where(_KEY.key == bindparam(f"key{number}"), _KEY.portal == bindparam("portal"))
        .order_by(_KEY.resemblance.desc())
        .limit(OF_EACH_KEY if number < MOST_KEYS - POINT_KEYS else OF_EACH_CELL)
        .subquery()
    )
    return select(newest.c.resemblance)


def _went() -> Select[tuple[str, str]]:
    said, later = dispositions.c, dispositions.alias()
    last = (
        select(func.max(later.c.sequence))
        .where(later.c.suggestion_id == suggestions.c.id, later.c.undone.is_(False))
        .scalar_subquery()
    )
    return (
        select(suggestions.c.id, said.agency)
        .join_from(suggestions, dispositions, and_(said.suggestion_id == suggestions.c.id, said.sequence == last))
        .where(suggestions.c.portal == bindparam("portal"), _IDS, suggestions.c.state == "done")
    )


# Built once: putting them together costs more than the database needs to answer.
_IDS = suggestions.c.id.in_(bindparam("ids", expanding=True))
_LAST = select(func.coalesce(func.max(resemblances.c.id), 0))
_CALLED = select(suggestions.c.id, suggestions.c.external_id).where(_IDS)
_WENT = _went()
_LOOK_UP = union_all(*map(_look_up, range(MOST_KEYS)))
_READ = select(
    *(
        resemblances.c[name]
        for name in ("id", "suggestion_id", "said_at", "category", "sender", "signature", "lat", "lon")
    )
).where(
    resemblances.c.id.in_(bindparam("ids", expanding=True)),
    resemblances.c.portal == bindparam("portal"),
    resemblances.c.said_at.between(bindparam("since"), bindparam("until")),
)
_COUNT = select(func.count()).select_from(
    select(_KEY.resemblance)
    .join_from(resemblance_keys, resemblances, resemblances.c.id == _KEY.resemblance)
    .where(
        _KEY.key == bindparam("key"),
        _KEY.portal == bindparam("portal"),
        resemblances.c.said_at >= bindparam("since", type_=resemblances.c.said_at.type),
    )
    .limit(MOST_COUNTED)
    .subquery()
)


def _around(at: datetime, days: int) -> tuple[datetime, datetime]:
    """So many days before and after a moment, as far as there is a calendar."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    span = timedelta(days=days)
    return (at - span if at - first > span else first, at + span if last - at > span else last)


def written(signature: Signature) -> str:
    """As it is kept; `signature_read` reads it."""
    spots = chain.from_iterable(signature.spots)
    numbers = (signature.words, len(signature.sketch), *signature.sketch, *spots)
    packed = np.array(numbers, np.uint32).tobytes() + signature.text.to_bytes(8, "little")
    return b64encode(packed).decode()


def signature_read(kept: str) -> Signature:
    packed = b64decode(kept)
    words, length, *rest = np.frombuffer(packed[:-8], np.uint32).tolist()
    spots = rest[length:]
    return Signature(
        words,
        int.from_bytes(packed[-8:], "little"),
        tuple(rest[:length]),
        tuple(Spot(*spots[start : start + 3]) for start in range(0, len(spots), 3)),
    )


def lock(connection: Connection) -> None:
    """Until the transaction ends: another process may be storing the same complaint, and only once it is done can it be
    seen. SQLite lets no two write at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def row_of(
    number: int, portal: str, suggestion_id: str, reported: Reported, keys: Sequence[int], until: datetime
) -> dict[str, object]:
    """Of the table `resemblances`."""
    return {
        "id": number,
        "portal": portal,
        "suggestion_id": suggestion_id,
        "category": reported.category,
        "sender": reported.sender,
        "said_at": reported.at,
        "until": until,
        "signature": written(reported.signature),
        "found_by": b64encode(np.array(keys, np.int32).tobytes()).decode(),
        "lat": reported.point.lat if reported.point else None,
        "lon": reported.point.lon if reported.point else None,
    }


def _kept(row: RowMapping) -> _Kept:
    point = point_of(row["lat"], row["lon"])
    reported = Reported(signature_read(row["signature"]), row["said_at"], row["category"], row["sender"], point)
    return _Kept(row["id"], row["suggestion_id"], reported)


def _duplicate(kept: _Kept, item: Resembling, called: Mapping[str, str], went: Mapping[str, str]) -> Duplicate:
    return Duplicate(
        id=kept.suggestion_id,
        external_id=called.get(kept.suggestion_id, ""),
        similarity=item.similarity,
        kind=item.kind,
        at=kept.reported.at,
        agency=went.get(kept.suggestion_id, ""),
    )


def agencies_of(connection: Connection, portal: str, ids: Sequence[str]) -> dict[str, str]:
    """Where complaints went; nothing of those at which somebody is still to look, who should not know it."""
    rows = connection.execute(_WENT, {"ids": ids, "portal": portal})
    return {row.id: row.agency for row in rows}


def forget(connection: Connection, portal: str, ids: Collection[str]) -> Counter[str]:
    """Erases what these complaints were recognised by, and their names from the answers to others. Returns the rows
    deleted by the name of their table."""
    links, mine = resemblance_links.c, resemblance_links.c.portal == portal
    later = select(links.later).where(mine, links.earlier.in_(ids), links.later.not_in(ids)).distinct()
    for name in connection.scalars(later).all():
        _unname(connection, name, frozenset(ids))
    rows = select(resemblances.c.id, resemblances.c.found_by).where(
        resemblances.c.portal == portal, resemblances.c.suggestion_id.in_(ids)
    )
    erased = _forget(connection, connection.execute(rows).mappings().all())
    linked = connection.execute(
        delete(resemblance_links).where(mine, or_(links.earlier.in_(ids), links.later.in_(ids)))
    )
    return erased + Counter(resemblance_links=linked.rowcount)


def forget_old(connection: Connection, now: datetime, most: int = 500) -> int:
    """Drops what nothing can resemble any more, a few at a time; returns how many complaints that was."""
    old = select(resemblances.c.id, resemblances.c.found_by).where(resemblances.c.until < now).limit(most)
    return _forget(connection, connection.execute(old).mappings().all())["resemblances"]


def _forget(connection: Connection, rows: Sequence[RowMapping]) -> Counter[str]:
    pairs = [{"k": key, "r": row["id"]} for row in rows for key in _keys_read(row["found_by"])]
    if pairs:
        one = and_(_KEY.key == bindparam("k"), _KEY.resemblance == bindparam("r"))
        connection.execute(delete(resemblance_keys).where(one), pairs)
    if rows:
        connection.execute(delete(resemblances).where(resemblances.c.id.in_([row["id"] for row in rows])))
    return Counter(resemblance_keys=len(pairs), resemblances=len(rows))


def _keys_read(kept: str) -> Iterable[int]:
    keys: list[int] = np.frombuffer(b64decode(kept), np.int32).tolist()
    return keys


def _unname(connection: Connection, suggestion_id: str, gone: frozenset[str]) -> None:
    """Takes complaints that are gone out of an answer, and of what was advised after a refusal."""
    for table, column in ((suggestions, suggestions.c.id), (refusals, refusals.c.suggestion_id)):
        rows = connection.execute(select(table).where(column == suggestion_id)).mappings().all()
        for row in rows:
            answer = orjson.loads(row["answer"])
            answer["duplicates"] = [item for item in answer.get("duplicates", ()) if item["id"] not in gone]
            if not answer["duplicates"]:
                answer["reasons"] = [item for item in answer.get("reasons", ()) if item["code"] != REASON]
            said = {"answer": orjson.dumps(answer).decode()}
            connection.execute(update(table).where(table.c.id == row["id"]).values(said))
