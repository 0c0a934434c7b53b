"""Which office of a kind serves a place."""

from router_model.complaint import Complaint
from router_model.gazetteer import Gazetteer
from router_model.portal import Agency, Place, Portal
from router_model.tokens import normal_words

_VILLAGE_OFFICES = frozenset({"kelurahan", "desa"})


def _namesakes(agency: Agency, gazetteer: Gazetteer) -> list[str]:
    """Codes of the village or district that an office without a territory is named after, however it is spelled."""
    if agency.kind not in _VILLAGE_OFFICES | {"kecamatan"}:
        return []
    places, _ = gazetteer.given(agency.name, village=agency.kind in _VILLAGE_OFFICES)
    return [place.code for place in places] if len(places) == 1 else []


class Offices:
    """A portal's territorial bodies, by place and by their full names."""

    def __init__(self, portal: Portal, gazetteer: Gazetteer) -> None:
        self._of_place: dict[tuple[str, str], list[Agency]] = {}
        self._named: dict[tuple[str, str], list[tuple[tuple[str, ...], Agency]]] = {}
        self._place_names = {normal_words(name) for place in portal.places for name in (place.name, *place.aliases)}
        self._longest = max((len(name) for name in self._place_names), default=0)
        for agency in portal.living_agencies:
            if not agency.territorial:
                continue
            for code in dict.fromkeys(agency.territory) or _namesakes(agency, gazetteer):
                self._of_place.setdefault((agency.unit, code), []).append(agency)
            for label in dict.fromkeys((agency.name, *agency.aliases)):
                if words := normal_words(label):
                    self._named.setdefault((agency.unit, words[0]), []).append((words, agency))

    def of(self, unit: str, complaint: Complaint, place: Place | None) -> Agency | None:
        """The body of a kind that the words name, else the one that serves the place; `None` if neither tells.

        A kelurahan's matter in a village that is a desa is the desa's, and the other way round. Where several
        branches of a kind serve a place, the place does not tell which.
        """
        if named := self.named(unit, complaint):
            return named
        if place is None:
            return None
        codes = [place.code, place.district_code]
        kinds = [unit]
        if unit[1:] in _VILLAGE_OFFICES:
            kinds += [f"@{kind}" for kind in sorted(_VILLAGE_OFFICES - {unit[1:]})]
            codes = codes[:1]
        serving = next((own for kind in kinds for code in codes if (own := self._of_place.get((kind, code)))), [])
        return serving[0] if len(serving) == 1 else None

    def named(self, unit: str, complaint: Complaint) -> Agency | None:
        """The office whose full name, such as `desa adat intaran`, stands in title or text first.

        `kelurahan pemecutan kaja` does not name the office of Pemecutan: the longer name of a place wins.
        """
        for text in (complaint.title, complaint.text):
            words = normal_words(text)
            for start, word in enumerate(words):
                for name, agency in self._named.get((unit, word), ()):
                    if words[start : start + len(name)] != name:
                        continue
                    longer = range(len(name), min(self._longest, len(words) - start - 1) + 1)
                    if not any(words[start + 1 : start + 1 + size] in self._place_names for size in longer):
                        return agency
        return None
