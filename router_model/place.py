"""Which village or district a complaint is about: first from the form's fields, then from its words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from router_model.complaint import Complaint
from router_model.gazetteer import Gazetteer, Mention, Reading
from router_model.landmark import Landmark
from router_model.office import Offices
from router_model.place_evidence import (
    ADDRESS_PART,
    ADDRESS_PART_AGAIN,
    ECHO,
    HOUSEHOLD_NUMBER,
    Name,
    evidence,
    place_words,
)
from router_model.portal import Agency, Place, Portal
from router_model.tokens import normal_words

Source = Literal["village", "district", "address", "title", "text"]
_WORD_SOURCES: tuple[Source, ...] = ("title", "address", "text")

SURE_ENOUGH = 0.95
"""From here on a place decides which office gets the complaint."""
FIELD = 0.96
"""A village or district of the form, spelled as the portal does: so often (1,241 in Surabaya) a kelurahan's or
kecamatan's ticket went to the office of that place. This and what follows is counted by `benchmarks.places`."""
FIELD_MISSPELT = 0.95
"""Nearly a name of the portal, and no other name nearly so. Not measured: Surabaya's form is a list."""
CONTESTED = 0.30
"""Another village, or another district, is named just as surely: right in 0.303 of 89."""
DISTRICT = 0.86
"""At least so sure is any ground for a district: right in 0.864 of 462."""
IN_DISTRICT = 0.88
"""At least so sure is any ground for a village of the district that the form gives: right in 0.884 of 1,787."""
HOUSEHOLD_NUMBER_IN_DISTRICT = 0.95
"""`HOUSEHOLD_NUMBER` for such a village: right in 0.947 of 133, in the last 20 % in 0.974 of 38."""
ELSEWHERE = 0.05
"""A village outside the district that is given: right in none of 379, and in 4 of 33 where only the words give it."""
LANDMARK = {"A": 0.95, "B": 0.95, "C": 0.80, "D": 0.80}
"""By the certainty of the row. Not measured: what is official or was in the press is acted on at the portal's word."""


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place and where the complaint names it: `name` are the words, from `start` to `end` of the field `source`
    (0 and 0 for fields of the form). `p` says how sure it is that the complaint happened there."""

    place: Place
    source: Source
    p: float = 1.0
    name: str = ""
    start: int = 0
    end: int = 0
    landmark: Landmark | None = None


def name_words(name: str) -> tuple[str, ...]:
    return normal_words(name)


class PlaceFinder:
    """Finds a portal's places by name, alias or landmark, and the office that serves each. Safe to share."""

    def __init__(self, portal: Portal) -> None:
        self._gazetteer = Gazetteer(portal.places, portal.landmarks)
        self._offices = Offices(portal, self._gazetteer)

    def find(self, complaint: Complaint) -> FoundPlace | None:
        """The place that is sure enough to be acted on, a village rather than a district; `None` if none is."""
        fields = self._fields(complaint)
        return acted_on(fields) if _village_is_sure(fields) else acted_on(self._all(complaint, fields))

    def find_all(self, complaint: Complaint) -> tuple[FoundPlace, ...]:
        """Every place that is named, surest first and each once; of equal ones the first of form, title, address
        and text. `acted_on` tells which of them decides."""
        return self._all(complaint, self._fields(complaint))

    def _fields(self, complaint: Complaint) -> tuple[FoundPlace, ...]:
        """What the form's own fields give; the district only where the village does not already tell it."""
        district = self._given(complaint.district, "district")
        village = self._given(complaint.village, "village", district[0].place if len(district) == 1 else None)
        if not _village_is_sure(village):
            return (*village, *district)
        return (*village, *(found for found in district if found.place.code != village[0].place.district_code))

    def _all(self, complaint: Complaint, fields: tuple[FoundPlace, ...]) -> tuple[FoundPlace, ...]:
        named = [found for source in _WORD_SOURCES for found in self._in_words(getattr(complaint, source), source)]
        return _surest((*fields, *_weighed(named, fields))) if named else _surest(fields)

    def office(self, unit: str, complaint: Complaint, found: FoundPlace | None) -> Agency | None:
        """The territorial body of a kind that serves the place or is named; `None` if neither tells which."""
        return self._offices.of(unit, complaint, found.place if found else None)

    def _given(self, cell: str, source: Source, district: Place | None = None) -> tuple[FoundPlace, ...]:
        """Places a field of the form names; of several with one name none is sure."""
        if not cell:
            return ()
        places, exact = self._gazetteer.given(cell, village=source == "village", district=district)
        p = FIELD if exact else FIELD_MISSPELT
        if district and any(place.district_code != district.code for place in places):
            p = CONTESTED
        return tuple(FoundPlace(place, source, p / len(places), cell) for place in places)

    def _in_words(self, text: str, source: Source) -> Iterable[FoundPlace]:
        """Every mention, also those of `ECHO`; of places that share a name each as if it had the name alone."""
        if not text:
            return
        read, mentions = self._gazetteer.mentions(text)
        if not mentions:
            return
        words, shouted = read.words, text.isupper()
        for mention in mentions:
            start, end = read.spans[mention.first][0], read.spans[mention.last - 1][1]
            if mention.landmark:
                p: float | None = LANDMARK[mention.landmark.certainty]
            else:
                levels = {bool(place.district_code) for place in mention.places}
                name = Name(
                    mention.first,
                    mention.last,
                    of_village=True in levels,
                    of_district=False in levels,
                    in_address=source == "address",
                    own_part=_is_own_part(text, read, mention),
                    proper=not shouted and text[start].isupper(),
                )
                p = evidence(words, name)
            if p is None:
                continue
            places = _meant(mention.places, words[mention.first - 1] if mention.first else "", p)
            for place in places:
                yield FoundPlace(place, source, p, text[start:end], start, end, mention.landmark)


def acted_on(found: Sequence[FoundPlace]) -> FoundPlace | None:
    """Of `PlaceFinder.find_all` the place that is sure enough to be acted on, a village rather than a district."""
    sure = [item for item in found if item.p >= SURE_ENOUGH]
    return next((item for item in sure if item.place.district_code), sure[0] if sure else None)


def _village_is_sure(fields: Sequence[FoundPlace]) -> bool:
    return bool(fields) and fields[0].source == "village" and fields[0].p >= SURE_ENOUGH


def _is_own_part(text: str, read: Reading, mention: Mention) -> bool:
    """Whether a name stands between two commas or line ends."""
    first, last, spans = mention.first, mention.last, read.spans
    if not 0 < first < last < len(spans):
        return False
    before, after = text[spans[first - 1][1] : spans[first][0]], text[spans[last - 1][1] : spans[last][0]]
    return any(mark in before for mark in ",\n") and any(mark in after for mark in ",\n")


def _meant(places: tuple[Place, ...], before: str, p: float) -> tuple[Place, ...]:
    """Of a village and a district that share a name the one that is meant: the district, unless a word or the form
    of an address tells otherwise."""
    villages = tuple(place for place in places if place.district_code)
    districts = tuple(place for place in places if not place.district_code)
    if not (villages and districts) or p == ECHO:
        return places
    return villages if place_words().get(before) == "village" or p == ADDRESS_PART else districts


def _weighed(named: list[FoundPlace], fields: tuple[FoundPlace, ...]) -> list[FoundPlace]:
    """Mentions in the light of the others: what the form tells surely, or a district that is named, rules out places
    elsewhere, a second mention backs a first, and another place contests it."""
    grounds = [found for found in named if found.p > ECHO]
    in_form = {_district(found.place) for found in fields if found.p >= SURE_ENOUGH}
    districts = {found.place.code for found in grounds if not found.place.district_code and found.p >= SURE_ENOUGH}
    given = in_form or districts
    possible = [found for found in grounds if not given or _district(found.place) in given]
    villages = {found.place.code for found in possible if found.place.district_code}
    weighed = [replace(found, p=ELSEWHERE) for found in grounds if found not in possible]
    for found in possible:
        p = found.p if found.place.district_code else max(found.p, DISTRICT)
        if p == ADDRESS_PART and len(villages) == 1 and sum(other.place == found.place for other in named) > 1:
            p = ADDRESS_PART_AGAIN
        if in_form and found.place.district_code:
            p = HOUSEHOLD_NUMBER_IN_DISTRICT if p == HOUSEHOLD_NUMBER else max(p, IN_DISTRICT)
        weighed.append(replace(found, p=p / sum(_is_same_name(other, found) for other in possible)))
    best = _surest(weighed)
    contested = {found for found in best if any(_contests(other, found) for other in (*fields, *best))}
    return [replace(found, p=min(found.p, CONTESTED)) if found in contested else found for found in best]


def _is_same_name(other: FoundPlace, found: FoundPlace) -> bool:
    """Whether one name in the text stands for both, as places may share it."""
    return (other.source, other.start) == (found.source, found.start)


def _district(place: Place) -> str:
    return place.district_code or place.code


def _contests(other: FoundPlace, found: FoundPlace) -> bool:
    """Whether another place of the same level is named about as surely or given by the form."""
    same_level = bool(other.place.district_code) == bool(found.place.district_code)
    return same_level and other.place != found.place and other.p >= HOUSEHOLD_NUMBER


def _surest(found: Iterable[FoundPlace]) -> tuple[FoundPlace, ...]:
    best: dict[str, FoundPlace] = {}
    for item in sorted(found, key=lambda item: -item.p):
        best.setdefault(item.place.code, item)
    return tuple(best.values())
