"""How fast repeats are found among many stored complaints, in suggestions: python -m benchmarks.resemblance

Fills an SQLite file with what stored complaints are recognised by: mixtures of the sample's words, at roads of a city
of 1,500, each with a point. It prints how long a look takes, what the complaints add to the database, and the same for
a campaign.
"""

import argparse
import random
import sys
import tempfile
from array import array
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert, text

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.point import Point, point_of
from router_model.portal import load_portal
from router_model.resemblance import SKETCH, Reported, Signature, keys_of, signature_of
from router_model.resemblance_limits import OURS
from router_model.spots import ROAD, Spot, hashed, kind_of
from router_model.suggestion import Router
from service.database.database import Database
from service.database.resemblances import Compared, Found, Watch, written
from service.database.schema import resemblance_keys, resemblances, suggestions
from training.dataset import load_examples
from training.trainer import train

SAMPLE = Path("data/labeled_sample/denpasar")
ROADS = 1_500
AT_ONCE = 20_000
CAMPAIGN = 50_000
LOOKS = 1_000
PER_DAY = 1_000_000 / 365
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
PORTAL = "denpasar"


def mixtures(base: Sequence[Reported], seed: int = 0) -> Iterator[Reported]:
    """Complaints without end, the newest last: half the words of each of two, at a road and a point of Denpasar."""
    dice = random.Random(seed)  # noqa: S311
    kinds = kind_of(ROAD)
    while True:
        one, other = dice.choice(base), dice.choice(base)
        sketch = sorted(
            {*dice.sample(one.signature.sketch, len(one.signature.sketch) // 2 + 1)}
            | {*dice.sample(other.signature.sketch, len(other.signature.sketch) // 2)}
        )
        spots = tuple(spot for spot in one.signature.spots if spot.kind != kinds)
        spots += (Spot(kinds, hashed(f"road {dice.randrange(ROADS)}")),)
        signature = Signature(one.signature.words, dice.getrandbits(48), tuple(sketch[:SKETCH]), spots)
        yield Reported(signature, NOW, one.category, "", _somewhere(dice))


def _somewhere(dice: random.Random) -> Point | None:
    return point_of(dice.uniform(-8.74, -8.60), dice.uniform(115.18, 115.27))


class Filler:
    """Puts complaints in without looking: rows as they come, keys at the end in their order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys, self._rows, self._count = array("i"), array("i"), 0

    def fill(self, reported: Iterator[Reported], count: int, first_at: datetime) -> None:
        for start in range(0, count, AT_ONCE):
            said = [
                (number, one, first_at + timedelta(days=(start + number) / PER_DAY))
                for number, one in enumerate(islice(reported, min(AT_ONCE, count - start)), 1)
            ]
            self._insert(suggestions, [_suggestion(self._count + number, at) for number, _, at in said])
            self._insert(resemblances, [self._row(self._count + number, one, at) for number, one, at in said])
            self._count += len(said)

    def _row(self, number: int, one: Reported, at: datetime) -> dict[str, Any]:
        keys = keys_of(PORTAL, one)
        self._keys.extend(keys)
        self._rows.extend([number] * len(keys))
        return {
            "id": number,
            "portal": PORTAL,
            "suggestion_id": _name(number),
            "category": one.category,
            "sender": one.sender,
            "said_at": at,
            "until": at + timedelta(days=OURS.longest),
            "signature": written(one.signature),
            "found_by": b64encode(np.array(keys, np.int32).tobytes()).decode(),
            "lat": one.point.lat if one.point else None,
            "lon": one.point.lon if one.point else None,
        }

    def finish(self) -> int:
        """Puts the keys in, and says how many there were."""
        keys, rows = np.array(self._keys, np.int32), np.array(self._rows, np.int32)
        order = np.lexsort((rows, keys))
        for start in range(0, len(order), AT_ONCE):
            part = order[start : start + AT_ONCE]
            pairs = zip(keys[part].tolist(), rows[part].tolist(), strict=True)
            self._insert(resemblance_keys, [{"key": k, "resemblance": r, "portal": PORTAL} for k, r in pairs])
        self._keys, self._rows = array("i"), array("i")
        return len(order)

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        self._connection.execute(insert(table), rows)


def _name(number: int) -> str:
    """As long as an id of the service."""
    return f"{number:016d}"


def _suggestion(number: int, at: datetime) -> dict[str, Any]:
    words = {"portal": PORTAL, "request_hash": "", "asked_by": "", "channel": "", "complaint": "{}", "answer": "{}"}
    stands = {"route": "auto", "state": "free", "priority": 0.0, "sampled": False, "looks": 1}
    return {"id": _name(number), "external_id": f"P-{number}", "created_at": at, **words, **stands}


def seconds(calls: Sequence[Callable[[], object]]) -> np.ndarray[Any, Any]:
    taken = []
    for call in calls:
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return np.array(taken)


def told(name: str, taken: np.ndarray[Any, Any], unit: float) -> str:
    marks = [np.percentile(taken, share) / unit for share in (50, 95, 99)]
    return f"{name:44}  median {marks[0]:6.2f}   95 % {marks[1]:6.2f}   99 % {marks[2]:6.2f}\n"


def looked(connection: Connection, reported: Sequence[Reported]) -> np.ndarray[Any, Any]:
    """Seconds of one look each, with what the transaction has to find out first."""

    def look(one: Reported) -> Found:
        return Watch(connection).look(PORTAL, "new", "", Compared(one, OURS.of(one.category), NOW, str))

    return seconds([lambda one=one: look(one) for one in reported])  # type: ignore[misc]


def size(connection: Connection) -> int:
    """Bytes of the three tables' pages and of their indexes."""
    found = connection.execute(text("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%resemblance%'")).scalar_one()
    return int(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stored", type=int, default=1_000_000)
    stored = parser.parse_args([] if __name__ != "__main__" else None).stored
    portal = load_portal(SAMPLE)
    examples, _ = load_examples([SAMPLE / "complaints.csv"], portal)
    router = train(examples, portal).router
    complaints = [example.complaint for example in examples]
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/aduan.db")
        try:
            measure(database, router, complaints, stored)
        finally:
            database.close()


def measure(database: Database, router: Router, complaints: Sequence[Complaint], stored: int) -> None:
    clean = [cleaned(complaint)[0] for complaint in complaints]
    signed = [signature_of(complaint, router.places.find(complaint)) for complaint in clean]
    categories = [leaf.code for leaf in router.portal.leaves]
    base = [
        Reported(signature, NOW, categories[number % 40 % len(categories)])
        for number, signature in enumerate(signed)
        if signature
    ]
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.commit()
        filler = Filler(connection)
        start = perf_counter()
        filler.fill(mixtures(base), stored - LOOKS, NOW - timedelta(days=stored / PER_DAY))
        filler.fill(mixtures(base, 1), LOOKS, NOW - timedelta(days=LOOKS / PER_DAY))
        keys = filler.finish()
        connection.commit()
        sys.stdout.write(
            f"{stored} stored complaints in {perf_counter() - start:.0f} s, {keys / stored:.1f} keys each\n"
        )
        sys.stdout.write(f"added to the database: {size(connection) / stored:.0f} bytes a complaint\n")
        some = complaints[:LOOKS]
        unit = float(np.median(seconds([lambda one=one: router.suggest(one) for one in some * 2])[len(some) :]))  # type: ignore[misc]
        sys.stdout.write(f"one suggestion: {unit * 1e3:.2f} ms; all below in suggestions\n")
        sys.stdout.write(told("signature", seconds([lambda one=one: signature_of(one) for one in clean[:LOOKS]]), unit))  # type: ignore[misc]
        fresh = list(islice(mixtures(base, 2), LOOKS))
        sys.stdout.write(told("a look, complaints that are new", looked(connection, fresh), unit))
        known = list(islice(mixtures(base, 1), LOOKS))
        sys.stdout.write(told("a look, complaints that were just stored", looked(connection, known), unit))
        campaign = Reported(base[0].signature, NOW, base[0].category, "", _somewhere(random.Random(0)))  # noqa: S311
        filler.fill(iter([campaign] * CAMPAIGN), CAMPAIGN, NOW - timedelta(days=CAMPAIGN / PER_DAY))
        filler.finish()
        connection.commit()
        sys.stdout.write(told(f"a look, one of a campaign of {CAMPAIGN}", looked(connection, [campaign] * LOOKS), unit))
        sys.stdout.write(told("a look and keeping it, flushed to the disk", kept(database, fresh), unit))


def kept(database: Database, reported: Sequence[Reported]) -> np.ndarray[Any, Any]:
    def keep(number: int, one: Reported) -> None:
        name = f"new-{number}"
        with database.begin() as connection:
            watch = Watch(connection)
            watch.look(PORTAL, name, "", Compared(one, OURS.of(one.category), NOW, str))
            connection.execute(insert(suggestions), {**_suggestion(0, NOW), "id": name, "external_id": name})
            watch.keep()

    return seconds([lambda n=n, one=one: keep(n, one) for n, one in enumerate(reported)])  # type: ignore[misc]


if __name__ == "__main__":
    main()
