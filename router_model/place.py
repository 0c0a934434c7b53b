"""Which village or district a complaint is about: first from the form's fields, then from its words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from router_model.complaint import Complaint
from router_model.portal import Agency, Place, Portal
from router_model.tokens import normal_words

Source = Literal["village", "district", "address", "title", "text"]
_CUES = frozenset(
    [
        "kelurahan",
        "desa",
        "kecamatan",
        "lurah",
        "perbekel",
        "camat",
        "banjar",
        "dusun",
        "lingkungan",
        "wilayah",
        "daerah",
        "adat",
        "bendesa",
    ]
)
_KINDS = frozenset({"kelurahan", "desa", "kecamatan"})
_VILLAGE_OFFICES = frozenset({"kelurahan", "desa"})


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place and the field of the complaint it was found in."""

    place: Place
    source: Source


def name_words(name: str) -> tuple[str, ...]:
    return tuple(normal_words(name))


class PlaceFinder:
    """Finds a portal's places by name or alias, longest name first, and the office that serves each."""

    def __init__(self, portal: Portal) -> None:
        self._names: dict[tuple[str, ...], list[Place]] = {}
        for place in portal.places:
            for name in (place.name, *place.aliases):
                self._names.setdefault(name_words(name), []).append(place)
        self._longest = max((len(name) for name in self._names), default=0)
        self._by_code = {place.code: place for place in portal.places}
        self._offices: dict[tuple[str, str], Agency] = {}
        self._named_offices: dict[tuple[str, str], list[tuple[tuple[str, ...], Agency]]] = {}
        for agency in portal.living_agencies:
            if agency.territorial:
                for code in agency.territory:
                    self._offices.setdefault((agency.unit, code), agency)
                if words := name_words(agency.name):
                    self._named_offices.setdefault((agency.unit, words[0]), []).append((words, agency))

    def find(self, complaint: Complaint) -> FoundPlace | None:
        """The most exact place that the complaint gives; `None` if it gives none that the portal has."""
        district = self._in_district(name_words(complaint.district), None)
        village = self._in_district(name_words(complaint.village), district)
        if village:
            return FoundPlace(village, "village")
        found = self._in_words(complaint)
        if found and (not district or found.place.district_code in ("", district.code)):
            return found
        return FoundPlace(district, "district") if district else found

    def _in_district(self, words: tuple[str, ...], district: Place | None) -> Place | None:
        places = self._names.get(words) or (self._names.get(words[1:], []) if words and words[0] in _KINDS else [])
        if district is not None:
            inside = [place for place in places if place.district_code == district.code]
            places = inside or places
        return next(iter(places), None)

    def _in_words(self, complaint: Complaint) -> FoundPlace | None:
        best: FoundPlace | None = None
        sources: tuple[Source, ...] = ("address", "title", "text")
        for source in sources:
            for place in self._matches(getattr(complaint, source), cue_needed=source != "address"):
                if place.district_code:
                    return FoundPlace(place, source)
                best = best or FoundPlace(place, source)
        return best

    def _matches(self, text: str, *, cue_needed: bool) -> Iterator[Place]:
        """A name of one word needs a cue before it, such as `kelurahan`: many are common words."""
        words = normal_words(text)
        position = 0
        while position < len(words):
            for size in range(min(self._longest, len(words) - position), 0, -1):
                places = self._names.get(tuple(words[position : position + size]))
                if places and (size > 1 or not cue_needed or (position and words[position - 1] in _CUES)):
                    yield places[0]
                    position += size - 1
                    break
            position += 1

    def office(self, unit: str, complaint: Complaint, found: FoundPlace | None) -> Agency | None:
        """The territorial body of a kind that serves the place; `None` if the place does not tell.

        A kelurahan's matter in a village that is a desa is the desa's, and the other way round.
        """
        if named := self._named(unit, complaint):
            return named
        if found is None:
            return None
        codes = [found.place.code, found.place.district_code]
        kinds = [unit]
        if unit[1:] in _VILLAGE_OFFICES:
            kinds += [f"@{kind}" for kind in sorted(_VILLAGE_OFFICES - {unit[1:]})]
            codes = codes[:1]
        return next((office for kind in kinds for code in codes if (office := self._offices.get((kind, code)))), None)

    def _named(self, unit: str, complaint: Complaint) -> Agency | None:
        """The office whose full name, such as `desa adat intaran`, stands in title or text first.

        `kelurahan pemecutan kaja` does not name the office of Pemecutan: the longer name of a place wins.
        """
        for text in (complaint.title, complaint.text):
            words = normal_words(text)
            for start, word in enumerate(words):
                for name, agency in self._named_offices.get((unit, word), ()):
                    if tuple(words[start : start + len(name)]) != name:
                        continue
                    longer = range(len(name), min(self._longest, len(words) - start - 1) + 1)
                    if not any(tuple(words[start + 1 : start + 1 + size]) in self._names for size in longer):
                        return agency
        return None
