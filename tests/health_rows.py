"""Complaints and dispositions as they would be stored, with only what figures are counted from said."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, insert

from service.database.schema import dispositions, suggestions

TOWN = "kota-kecil"
MONDAY = datetime(2026, 1, 4, 16, tzinfo=UTC)
"""Midnight of Monday 5 January 2026 in Makassar."""
_ids = count(1)


def asked(connection: Connection, at: datetime = MONDAY, ranked: Sequence[str] = ("a", "b", "c"), **more: Any) -> str:
    """A complaint and the agencies that were suggested for it, best first; its id."""
    new = f"s{next(_ids)}"
    text = more.pop("text", "lampu mati")
    row: dict[str, Any] = {
        "id": new,
        "portal": TOWN,
        "request_hash": "x",
        "asked_by": "uji",
        "created_at": at,
        "channel": "web",
        "route": "review",
        "state": "done",
        "priority": 0.0,
        "agency": ranked[0] if ranked else None,
        "agency_p": 0.9 if ranked else None,
        "known_words": 0.8 if ranked else None,
        "complaint": json.dumps({"title": "", "text": text}),
        "answer": json.dumps({"agencies": [{"code": code, "p": 0.1} for code in ranked]}),
        **more,
    }
    connection.execute(insert(suggestions).values(row))
    return new


def chosen(
    connection: Connection, suggestion: str, agency: str, after: timedelta = timedelta(minutes=10), **more: Any
) -> None:
    """A disposition, so long after `at`."""
    row: dict[str, Any] = {
        "id": f"d{next(_ids)}",
        "portal": TOWN,
        "suggestion_id": suggestion,
        "sequence": 1,
        "agency": agency,
        "by": "luh",
        "reason": "",
        "source": "review",
        "outcome": "changed",
        "undone": False,
        "created_at": more.pop("at", MONDAY) + after,
        **more,
    }
    connection.execute(insert(dispositions).values(row))
