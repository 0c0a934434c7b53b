"""Where a complaint is, in words: the place acted on, the office that serves it, and what else was named."""

from dataclasses import dataclass

from router_model.place import FoundPlace
from router_model.portal import Portal
from service.answering import found_place
from service.pages import percent
from service.wire import FoundPlaceOut, SuggestionBody

SOURCES = {
    "village": "kolom kelurahan atau desa",
    "district": "kolom kecamatan",
    "address": "alamat",
    "title": "judul",
    "text": "isi laporan",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: its name with its kind, its district, how sure it is from 0 to 1 (`None` if nobody kept that), and where
    it was found."""

    name: str
    district: str
    p: float | None
    found: str

    @property
    def percent(self) -> str:
        return percent(self.p)


@dataclass(frozen=True, slots=True)
class Located:
    """`acted_on` is the place whose `office` ("" if it is no office's matter) is suggested."""

    acted_on: Spot | None
    office: str
    others: tuple[Spot, ...]


def located(answer: SuggestionBody, portal: Portal | None) -> Located:
    """Answers of earlier versions tell of one place only, and not how sure it is."""
    acted_on = next((item for item in answer.places if item.acted_on), None)
    spot = _spot(acted_on) if acted_on else None
    if spot is None and answer.place:
        found = f"dari {SOURCES.get(answer.place.source, answer.place.source)}"
        spot = Spot(_named(answer.place.kind, answer.place.name), "", None, found)
    others = tuple(_spot(item) for item in answer.places if not item.acted_on)
    return Located(spot, _office(answer, portal) if portal else "", others)


def spot_of(found: FoundPlace, portal: Portal) -> Spot:
    """Of a place that was just found."""
    return _spot(found_place(found, None, portal))


def _spot(item: FoundPlaceOut) -> Spot:
    where = f"dari {SOURCES.get(item.source, item.source)}"
    words = item.landmark or item.matched
    named = f"{where}: “{words}”" if words and item.source not in ("village", "district") else where
    return Spot(_named(item.kind, item.name), item.district, item.p, named)


def _named(kind: str, name: str) -> str:
    """Many names are those of a village and of its district."""
    return f"{kind.capitalize()} {name}"


def _office(answer: SuggestionBody, portal: Portal) -> str:
    """The name of the first agency, if it is there for this place."""
    first = portal.agency.get(answer.agencies[0].code) if answer.agencies else None
    place = next((item for item in portal.places if answer.place and item.code == answer.place.code), None)
    if first is None or place is None or {place.code, place.district_code}.isdisjoint(first.territory):
        return ""
    return first.name
