"""The deadline of a complaint: the answered one, until a decision counted another.

Here `counted` is the JSON text of one that was counted again ("null" where nothing is promised), `None` as long as the
answered one holds.
"""

from datetime import datetime

import orjson
from sqlalchemy import Connection, update

from service.database.schema import suggestions


def in_force(answer: str, counted: str | None) -> str:
    """As JSON text, "null" for none; `answer` is the JSON text of an answer."""
    return counted or orjson.dumps(orjson.loads(answer).get("deadline")).decode()


def due(deadline: str) -> datetime | None:
    """When it ends, of the JSON text of a deadline."""
    told = orjson.loads(deadline)
    return datetime.fromisoformat(told["due"]) if told else None


def told_in(answer: str, counted: str | None) -> str:
    """An answer with the deadline that holds now."""
    if counted is None:
        return answer
    return orjson.dumps(orjson.loads(answer) | {"deadline": orjson.loads(counted)}).decode()


def put(connection: Connection, suggestion_id: str, answer: str, counted: str | None) -> None:
    """Brings it in force; `answer` is the JSON text of what was answered first."""
    values = {"deadline": counted, "due_at": due(in_force(answer, counted))}
    connection.execute(update(suggestions).where(suggestions.c.id == suggestion_id).values(values))
