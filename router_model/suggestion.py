"""What we advise for one complaint: ranked agencies, category, urgency, the route and its reasons."""

from dataclasses import dataclass, replace

from router_model.cleaning import Masking, cleaned
from router_model.complaint import Complaint
from router_model.place import FoundPlace, PlaceFinder
from router_model.policy import (
    AMBIGUOUS_MARGIN,
    FEWEST_WORDS,
    LEAST_COVERAGE,
    Policy,
    Reason,
    Route,
    reason,
)
from router_model.portal import Portal
from router_model.prediction import Evidence, Prediction, Ranked
from router_model.scorer import Scorer


@dataclass(frozen=True, slots=True)
class SuggestedAgency:
    """An agency with its probability. Where the place of a territorial body is not known, `code` is `@kind`."""

    code: str
    name: str
    kind: str
    external: bool
    p: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Advice and its grounds. The first of `categories` is the one that goes with the first agency.

    The first `candidates` agencies are the smallest list that held the right one in 95 of 100 complaints.
    `category_group` is the parent category, where no single one is sure enough but its children together are.
    `missing` names what the citizen should add, in Indonesian, where the route is `incomplete`.
    """

    prediction: Prediction
    agencies: tuple[SuggestedAgency, ...]
    categories: tuple[Ranked, ...]
    route: Route
    reasons: tuple[Reason, ...]
    place: FoundPlace | None
    masked: tuple[Masking, ...]
    candidates: int
    category_group: Ranked | None = None
    missing: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def agency(self) -> SuggestedAgency:
        return self.agencies[0]

    def best(self, answer: str) -> Ranked | None:
        ranked = self.prediction.answers.get(answer)
        return ranked[0] if ranked else None


@dataclass(frozen=True)
class Router:
    """A scorer, a portal and a policy, ready to answer. Safe to share between threads."""

    scorer: Scorer
    portal: Portal
    policy: Policy
    places: PlaceFinder

    def suggest(self, complaint: Complaint) -> Suggestion:
        """Advice for a complaint as it came in, with its evidence; never fails on any text."""
        clean, masked = cleaned(complaint)
        prediction, evidence = self.scorer.predict_explained(clean)
        return replace(self.advise(prediction, tuple(masked)), evidence=evidence)

    def suggest_many(self, complaints: list[Complaint]) -> list[Suggestion]:
        """The same advice as one by one, faster and without evidence."""
        clean = [cleaned(complaint) for complaint in complaints]
        predictions = self.scorer.predict_many([complaint for complaint, _ in clean])
        return [
            self.advise(prediction, tuple(masked)) for prediction, (_, masked) in zip(predictions, clean, strict=True)
        ]

    def advise(self, prediction: Prediction, masked: tuple[Masking, ...] = ()) -> Suggestion:
        place = self.places.find(prediction.complaint)
        agencies = self.agencies(prediction, place)
        categories = self._category_first(prediction, agencies[0])
        group = self._category_group(categories)
        route, reasons, missing = self._route(prediction, agencies)
        if route in (Route.AUTO, Route.PREFILL) and categories and categories[0].p < self.policy.category:
            reasons += (reason("category_group" if group else "category_unsure"),)
        return Suggestion(
            prediction=prediction,
            agencies=agencies,
            categories=categories,
            route=route,
            reasons=reasons,
            place=place,
            masked=masked,
            candidates=max(1, sum(agency.p >= self.policy.candidate for agency in agencies)),
            category_group=group,
            missing=missing,
        )

    def agencies(self, prediction: Prediction, place: FoundPlace | None) -> tuple[SuggestedAgency, ...]:
        """Agencies by falling probability, territorial ones as the office of the place."""
        found: dict[str, SuggestedAgency] = {}
        for ranked in prediction.answers["unit"]:
            unit, p = ranked.code, ranked.p
            if unit.startswith("@"):
                agency = self.places.office(unit, prediction.complaint, place)
                p *= self.policy.place_precision if agency else 1.0
            else:
                agency = self.portal.agency[unit]
            code = agency.code if agency else unit
            p += found[code].p if code in found else 0.0
            found[code] = SuggestedAgency(
                code=code,
                name=agency.name if agency else self.portal.unit_name(unit),
                kind=agency.kind if agency else unit[1:],
                external=bool(agency and agency.external),
                p=min(p, 1.0),
            )
        return tuple(sorted(found.values(), key=lambda item: -item.p))

    def _route(
        self, prediction: Prediction, agencies: tuple[SuggestedAgency, ...]
    ) -> tuple[Route, tuple[Reason, ...], tuple[str, ...]]:
        policy, top = self.policy, agencies[0]
        if prediction.words == 0:
            return Route.INCOMPLETE, (reason("empty_text"),), ("isi laporan",)
        danger = next((r.p for r in prediction.answers.get("urgency", ()) if r.code == "darurat"), 0.0)
        # One or two words, such as "tolong", tell of danger only where danger is the likeliest level.
        least = policy.emergency if prediction.words >= FEWEST_WORDS else 0.5
        if danger >= least and prediction.known_words:
            return Route.EMERGENCY, (reason("danger"),), ()
        if prediction.known_words == 0 or prediction.coverage < LEAST_COVERAGE:
            if prediction.words < FEWEST_WORDS:
                return Route.INCOMPLETE, (reason("too_short"),), ("apa yang terjadi", "tempat kejadian")
            return Route.REVIEW, (reason("unknown_words"),), ()
        unit = self._unit(top.code)
        if top.p < policy.prefill.of(unit):
            if prediction.words < FEWEST_WORDS:
                return Route.INCOMPLETE, (reason("too_short"),), ("apa yang terjadi", "tempat kejadian")
            reasons = [reason("agency_unproven" if top.p >= policy.prefill.shared else "low_confidence")]
            if len(agencies) > 1 and top.p - agencies[1].p < AMBIGUOUS_MARGIN:
                reasons.append(reason("ambiguous"))
            return Route.REVIEW, tuple(reasons), ()
        if top.code.startswith("@"):
            return Route.INCOMPLETE, (reason("place_missing"),), (f"nama {top.name.lower()}",)
        if top.external:
            return Route.EXTERNAL, (reason("external_agency"),), ()
        if top.p >= policy.auto.of(unit):
            return Route.AUTO, (reason("sure"),), ()
        return Route.PREFILL, (reason("fairly_sure"),), ()

    def _unit(self, code: str) -> str:
        return self.portal.agency[code].unit if code in self.portal.agency else code

    def _category_group(self, categories: tuple[Ranked, ...]) -> Ranked | None:
        """The first category's parent with the probability of its listed children, where that is needed and
        enough."""
        if not categories or categories[0].p >= self.policy.category:
            return None
        parent = self.portal.category[categories[0].code].parent
        p = sum(item.p for item in categories if self.portal.category[item.code].parent == parent)
        return Ranked(parent, min(p, 1.0)) if parent and p >= self.policy.category else None

    def _category_first(self, prediction: Prediction, agency: SuggestedAgency) -> tuple[Ranked, ...]:
        """Categories with the one that goes with the first agency in front; none if it can own none of them.

        The place may have put another agency in front than the model's first.
        """
        ranked = prediction.answers.get("category", ())
        unit = self._unit(agency.code)
        owned = [item for item in ranked if self.portal.may_own(self.portal.category[item.code], unit)]
        fitting = [item for item in owned if item.code == prediction.category] or owned
        if not fitting:
            return ()
        return fitting[0], *(item for item in ranked if item is not fitting[0])
