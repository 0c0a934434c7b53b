"""Agencies by falling probability: what the model believes, told by place which office, then by the portal's rules."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from router_model.complaint import Complaint
from router_model.oversight import OVERSIGHT
from router_model.place import FoundPlace, PlaceFinder
from router_model.policy import Policy
from router_model.portal import Agency, Portal
from router_model.prediction import Prediction
from router_model.rulebook import Answers, Fit, Rulebook
from router_model.rules import NAMED, PRIOR, RuleRecord


@dataclass(frozen=True, slots=True)
class SuggestedAgency:
    """An agency with its probability. Where the place of a territorial body is not known, `code` is `@kind`."""

    code: str
    name: str
    kind: str
    external: bool
    p: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the first rule that fits says. `agency` is a code, or `@kind` where the place does not tell which; empty if
    the rule only forbids. `never` holds codes and `@kind`. `agreed` if the model's first answer stands under it."""

    fit: Fit
    agency: str
    never: frozenset[str]
    agreed: bool

    @property
    def leads(self) -> bool:
        """Whether it puts another agency first than the model."""
        return bool(self.agency) and not self.agreed

    def forbids(self, code: str, unit: str) -> bool:
        return code != self.agency and not self.never.isdisjoint((code, unit))


@dataclass(frozen=True, slots=True)
class Ranking:
    """`stand_in` if the first is the office of the district, because nobody said which village it is."""

    agencies: tuple[SuggestedAgency, ...]
    ruling: Ruling | None
    stand_in: bool


@dataclass(frozen=True)
class AgencyRanker:
    portal: Portal
    places: PlaceFinder
    policy: Policy

    @cached_property
    def _rulebook(self) -> Rulebook:
        return Rulebook(self.portal)

    @cached_property
    def _village_kinds(self) -> frozenset[str]:
        return frozenset(place.kind for place in self.portal.places if place.district_code)

    def unit(self, code: str) -> str:
        return self.portal.agency[code].unit if code in self.portal.agency else code

    def rank(
        self, prediction: Prediction, place: FoundPlace | None, refused: Collection[str], *, oversight: bool
    ) -> Ranking:
        """None of `refused` (codes) is among them, so that there may be nobody left. `oversight` if it is certain that
        the report type is `pengawasan`."""
        found, stand_ins = self._by_model(prediction, place)
        ranked = tuple(sorted((item for item in found if item.code not in refused), key=lambda item: -item.p))
        ruling = self._ruling(prediction, ranked, place, refused, oversight) if self._rulebook else None
        if ruling:
            ranked = self._ruled(ranked, ruling)
        return Ranking(ranked, ruling, bool(ranked) and ranked[0].code in stand_ins)

    def _by_model(self, prediction: Prediction, place: FoundPlace | None) -> tuple[Iterable[SuggestedAgency], set[str]]:
        found: dict[str, SuggestedAgency] = {}
        stand_ins: set[str] = set()
        for unit, p in prediction.answers["unit"]:
            office = self._office(unit, prediction.complaint, place)
            if office is None and unit[1:] in self._village_kinds and place:
                office = self._office(f"@{place.place.kind}", prediction.complaint, place)
                stand_ins |= {office.code} if office else set()
            code = office.code if office else unit
            p = p * self.policy.place_precision if office else p
            found[code] = self._suggested(code, min(p + (found[code].p if code in found else 0.0), 1.0))
        return found.values(), stand_ins

    def _office(self, unit: str, complaint: Complaint, place: FoundPlace | None) -> Agency | None:
        return self.places.office(unit, complaint, place) if unit.startswith("@") else None

    def _suggested(self, code: str, p: float) -> SuggestedAgency:
        if agency := self.portal.agency.get(code):
            return SuggestedAgency(code, agency.name, agency.kind, agency.external, p)
        return SuggestedAgency(code, self.portal.unit_name(code), code[1:], False, p)

    def _ruling(
        self,
        prediction: Prediction,
        ranked: tuple[SuggestedAgency, ...],
        place: FoundPlace | None,
        refused: Collection[str],
        oversight: bool,
    ) -> Ruling | None:
        complaint = prediction.complaint
        for fit in self._rulebook.fitting(complaint, self._answers(prediction, ranked, oversight), place):
            rule = fit.rule
            office = self._office(rule.agency, complaint, place)
            code = office.code if office else rule.agency
            if code in refused:
                continue
            named = self._rulebook.named(complaint) if NAMED in rule.never else frozenset[str]()
            ruling = Ruling(fit, code, named.union(rule.never) - {NAMED}, agreed=False)
            first = ranked[0].code if ranked else ""
            agreed = first == code if code else not ruling.forbids(first, self.unit(first))
            return replace(ruling, agreed=agreed)
        return None

    def _answers(self, prediction: Prediction, ranked: tuple[SuggestedAgency, ...], oversight: bool) -> Answers:
        asked = self._rulebook.asked
        answers = {answer: dict(prediction.answers.get(answer, ())) for answer in asked - {"agency"}}
        if oversight:
            answers["report_type"] = {OVERSIGHT: 1.0}
        if "agency" in asked:
            agencies: dict[str, float] = {}
            for item in ranked:
                for name in {item.code, self.unit(item.code)}:
                    agencies[name] = agencies.get(name, 0.0) + item.p
            answers["agency"] = agencies
        return answers

    def _ruled(self, ranked: tuple[SuggestedAgency, ...], ruling: Ruling) -> tuple[SuggestedAgency, ...]:
        """Without those the rule forbids, and with its agency first: as likely as the rule was right before, at least
        as likely as the model said. What is left goes to the others in the model's proportions, to none more."""
        allowed = [item for item in ranked if not ruling.forbids(item.code, self.unit(item.code))]
        if not ruling.agency:
            return tuple(allowed)
        rule, record = ruling.fit.rule, self.policy.rules.get(ruling.fit.rule.code, RuleRecord())
        tally = record.agreed if ruling.agreed else record.overruled
        before = next((item.p for item in allowed if item.code == ruling.agency), 0.0)
        p = max(before, tally.precision(PRIOR[rule.certainty]) * ruling.fit.p)
        left = (1 - p) / (1 - before) if before < 1 else 0.0
        first = self._suggested(ruling.agency, p)
        return first, *(replace(item, p=min(item.p * left, p)) for item in allowed if item.code != ruling.agency)
