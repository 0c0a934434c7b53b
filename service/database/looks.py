"""Which look at a complaint comes next, and who may take it."""

import secrets
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from router_model.errors import AduanError
from router_model.policy import Route
from service.database import dispositions
from service.database.dispositions import NoSuchSuggestionError
from service.database.judgements import Judgement, agree, labels_of
from service.database.leases import WAITING
from service.database.priority import among_the_unsure, priority
from service.database.schema import suggestions

_chance = secrets.SystemRandom()
_DECIDED = "Laporan ini sudah diputuskan."
Said = Mapping[int, Judgement]
"""What is in force of each look."""


class NotYoursError(AduanError):
    """Somebody else has decided, or is looking at it now; or there is nothing to undo."""


def locked(connection: Connection, portal: str, suggestion_id: str) -> RowMapping:
    """The suggestion, which nobody else changes until the transaction is over. Raises `NoSuchSuggestionError`."""
    query = select(suggestions).where(suggestions.c.portal == portal, suggestions.c.id == suggestion_id)
    row = connection.execute(query.with_for_update()).mappings().first()
    if row is None:
        raise NoSuchSuggestionError
    return row


def look_of(state: str) -> int:
    return WAITING.index(state) + 1


def judgement_of(by: str, said: Said) -> Judgement | None:
    return next((judgement for judgement in said.values() if judgement.by == by), None)


def holder(row: RowMapping, by: str, now: datetime) -> str | None:
    """Who else has it on the screen."""
    held = row["leased_by"] not in (None, by) and row["leased_until"] and row["leased_until"] > now
    return row["leased_by"] if held else None


def may_look(row: RowMapping, said: Said, by: str, now: datetime) -> None:
    """Raises `NotYoursError` where it is decided, `by` judged it before, or somebody else has it."""
    if row["state"] not in WAITING:
        raise NotYoursError(_DECIDED)
    if judgement_of(by, said):
        raise NotYoursError("Anda sudah memutuskan laporan ini.")
    if other := holder(row, by, now):
        raise NotYoursError(f"Laporan ini sedang dilihat {'petugas lain' if other.startswith('key:') else other}.")


def may_act(row: RowMapping, said: Said, by: str, now: datetime) -> None:
    """Like `may_look`; one that was decided is there only for those it was handed to, to look at it once more."""
    if row["state"] != "open" and row["leased_by"] != by:
        raise NotYoursError(_DECIDED)
    may_look(row, said, by, now)


def not_overruled(connection: Connection, suggestion_id: str, said: Said) -> None:
    """What is in force is what the reviewers said, and not what somebody said elsewhere since."""
    newest = dispositions.newest(connection, suggestion_id)
    if newest is None or labels_of(newest) != said.get(3, said[1]).labels:
        raise NotYoursError("Laporan ini diputuskan lagi di portal setelah keputusan Anda.")


def is_last(mine: Judgement, said: Said) -> None:
    """Nobody judged it after `mine`."""
    if max(said) > mine.look:
        raise NotYoursError("Petugas lain sudah memeriksa laporan ini setelah Anda; keputusan Anda tetap tercatat.")


def state_after(said: Said, twice: bool) -> str:
    """The state of a complaint of which this was said; `twice` if two people should look at it."""
    if 1 not in said:
        return "open"
    if not twice or 3 in said:
        return "done"
    if 2 not in said:
        return "second"
    return "done" if agree(said[1].labels, said[2].labels) else "third"


def move(connection: Connection, row: RowMapping, said: Said, by: str) -> str:
    """Brings a suggestion to the state that follows, which is returned. Nobody has it any more, unless somebody else
    has it and nothing changed for them."""
    twice = row["looks"] > 1 and row["route"] != Route.EMERGENCY.value
    state = state_after(said, twice)
    kept = state == row["state"] and row["leased_by"] != by
    values = {
        "state": state,
        "priority": _priority(row, state),
        "leased_by": row["leased_by"] if kept else None,
        "leased_until": row["leased_until"] if kept else None,
    }
    connection.execute(update(suggestions).where(suggestions.c.id == row["id"]).values(values))
    return state


def _priority(row: RowMapping, state: str) -> float:
    """One that waits for another look stands among those that wait for their first."""
    before: float = row["priority"]
    if row["state"] == "open" and state == "second":
        return among_the_unsure(_chance.random())
    restored = state == "open" and not row["sampled"]
    return priority(Route(row["route"]), row["agency_p"]) if restored else before
