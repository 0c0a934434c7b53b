"""What narrows the history: the fields of a page's address, and the lists that a person chooses from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from router_model.portal import Portal
from service.database.review_history import HistoryFilters
from service.desk.filters import ROUTES, Choice

OUTCOMES = {"accepted": "Sesuai saran", "changed": "Diubah", "scratch": "Tanpa saran"}
LONGEST = 100


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """`since` and `until` are days as the form holds them, both within the period; `query` is all of it as the end of
    an address."""

    filters: HistoryFilters
    selects: tuple[Choice, ...]
    since: str
    until: str
    text: str
    query: str


def history_asked(address: Mapping[str, str], portal: Portal | None, people: Iterable[str], zone: str) -> HistoryAsked:
    """What is no date, or what the portal does not know, narrows nothing."""
    known = sorted((item.name, item.code) for item in portal.agencies) if portal else []
    agencies = {code: name for name, code in known}
    since, until = _day(address.get("dari", "")), _day(address.get("sampai", ""))
    text = address.get("cari", "").strip()[:LONGEST]
    selects = (
        _choice(address, "oleh", "Petugas", {name: name for name in people}),
        _choice(address, "instansi", "Instansi", agencies),
        _choice(address, "hasil", "Hasil", OUTCOMES),
        _choice(address, "rute", "Rute", ROUTES),
    )
    by, agency, outcome, route = (select.chosen for select in selects)
    filters = HistoryFilters(
        by=by,
        agency=agency,
        outcome=outcome,
        route=route,
        since=_begins(since, zone),
        until=_begins(until + timedelta(days=1), zone) if until else None,
        text=text,
    )
    days = {"dari": since.isoformat() if since else "", "sampai": until.isoformat() if until else ""}
    given = {**{select.name: select.chosen for select in selects}, **days, "cari": text}
    query = urlencode({name: value for name, value in given.items() if value})
    return HistoryAsked(filters, selects, days["dari"], days["sampai"], text, query)


def _choice(address: Mapping[str, str], name: str, label: str, choices: Mapping[str, str]) -> Choice:
    given = address.get(name, "")
    return Choice(name, label, tuple(choices.items()), given if given in choices else "")


def _day(typed: str) -> date | None:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if date(1970, 1, 1) <= found < date(9000, 1, 1) else None


def _begins(day: date | None, zone: str) -> datetime | None:
    return datetime.combine(day, time(), ZoneInfo(zone)) if day else None
