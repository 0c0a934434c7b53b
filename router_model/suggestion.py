"""What we advise for one complaint: ranked agencies, category, urgency, the route and its reasons."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from router_model.agency_ranking import AgencyRanker, Ranking
from router_model.agency_ranking import SuggestedAgency as SuggestedAgency
from router_model.asking import CONTENT, EVENT, PLACE, office_place, question
from router_model.cleaning import Masking, cleaned
from router_model.complaint import Complaint
from router_model.danger import Danger, confidentiality, raised
from router_model.danger_families import families
from router_model.decoding import DANGER
from router_model.matter import ORDINARY, Matter, matter_of
from router_model.oversight import OVERSIGHT
from router_model.oversight import confidentiality as oversight_confidentiality
from router_model.place import FoundPlace, PlaceFinder, acted_on
from router_model.policy import (
    AMBIGUOUS_MARGIN,
    FEWEST_WORDS,
    LEAST_COVERAGE,
    Policy,
    Reason,
    Route,
    external_reason,
    reason,
)
from router_model.portal import Portal
from router_model.prediction import Evidence, Prediction, Ranked
from router_model.rules import AppliedRule
from router_model.scorer import Scorer
from router_model.tokens import tokens

PLAUSIBLE = 0.2
"""Of villages that are less sure nobody is asked whether they are meant."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Advice and its grounds. The first of `categories` is the one that goes with the first agency.

    The first `candidates` agencies are the smallest list that held the right one in 95 of 100 complaints.
    `category_group` is the parent category, where no single one is sure enough but its children together are.
    `missing` names what the citizen should add, in Indonesian, where the route is `incomplete`, and `ask` asks for it
    in a sentence; the place only where an office depends on it. `place` is the one
    acted on, `places` are all that were found, surest first. `rules` are the portal's rules that were applied.
    `dangers` is what the rules for danger found, worst first, `matter` what kind of matter it is; `confidential` says
    in Indonesian who must not see the complaint because of them (empty if nobody is kept out).
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
    places: tuple[FoundPlace, ...] = ()
    rules: tuple[AppliedRule, ...] = ()
    dangers: tuple[Danger, ...] = ()
    matter: Matter = ORDINARY
    confidential: str = ""

    @property
    def ask(self) -> str:
        return question(self.missing)

    @property
    def agency(self) -> SuggestedAgency:
        """The first one; nobody is left only where every agency refused."""
        return self.agencies[0]

    def best(self, answer: str) -> Ranked | None:
        ranked = self.prediction.answers.get(answer)
        return ranked[0] if ranked else None

    @property
    def urgency(self) -> str:
        """The level: `darurat` for an emergency and for nothing else; otherwise the model's likeliest of the others, or
        the higher one that the rules found. Empty where neither has an opinion."""
        if self.route is Route.EMERGENCY:
            return DANGER
        likeliest = next((item.code for item in self.prediction.answers.get("urgency", ()) if item.code != DANGER), "")
        return raised(likeliest, self.dangers) if likeliest else next((one.level for one in self.dangers), "")

    def p(self, answer: str, code: str) -> float | None:
        """What the model gives a code; None where it has no opinion."""
        if (answer, code) == ("urgency", DANGER) and self.best(answer):
            return self.prediction.danger
        return next((item.p for item in self.prediction.answers.get(answer, ()) if item.code == code), None)


@dataclass(frozen=True)
class Router:
    """A scorer, a portal and a policy, ready to answer. Safe to share between threads."""

    scorer: Scorer
    portal: Portal
    policy: Policy
    places: PlaceFinder

    @cached_property
    def _ranker(self) -> AgencyRanker:
        return AgencyRanker(self.portal, self.places, self.policy)

    def suggest(self, complaint: Complaint, refused: Collection[str] = (), report_type: str = "") -> Suggestion:
        """Advice for a complaint as it came in, with its evidence; never fails on any text.

        `refused` are codes of agencies that said it is not their matter: none of them is suggested, and a person has
        to look. `report_type` is what the citizen chose.
        """
        clean, masked = cleaned(complaint, self.portal.official_numbers)
        prediction, evidence = self.scorer.predict_explained(clean)
        return replace(self.advise(prediction, tuple(masked), refused, report_type), evidence=evidence)

    def suggest_many(self, complaints: list[Complaint]) -> list[Suggestion]:
        """The same advice as one by one, faster and without evidence."""
        clean = [cleaned(complaint, self.portal.official_numbers) for complaint in complaints]
        predictions = self.scorer.predict_many([complaint for complaint, _ in clean])
        return [
            self.advise(prediction, tuple(masked)) for prediction, (_, masked) in zip(predictions, clean, strict=True)
        ]

    def advise(
        self,
        prediction: Prediction,
        masked: tuple[Masking, ...] = (),
        refused: Collection[str] = (),
        report_type: str = "",
    ) -> Suggestion:
        places = self.places.find_all(prediction.complaint)
        place = acted_on(places)
        matter = matter_of(prediction, report_type)
        ranking = self._ranker.rank(prediction, place, refused, oversight=matter.certain)
        agencies = ranking.agencies
        categories = self._category_first(prediction, agencies[0]) if agencies else ()
        group = self._category_group(categories)
        found = prediction.dangers
        route, reasons, missing = self._route(prediction, ranking, place, places, found)
        if route in (Route.AUTO, Route.PREFILL) and categories and categories[0].p < self.policy.category:
            reasons += (reason("category_group" if group else "category_unsure"),)
        if ranking.stand_in and route is not Route.EMERGENCY:
            reasons += (reason("district_office"),)
        rule = ranking.ruling.fit.rule if ranking.ruling else None
        if rule:
            reasons += (reason("rule", rule.reason),)
        if names := [self.portal.agency[code].name for code in refused if code in self.portal.agency]:
            route, reasons = _after_refusal(route, reasons, names)
        route, reasons, missing = _by_matter(matter, route, reasons, missing)
        return Suggestion(
            prediction=prediction,
            agencies=agencies,
            categories=categories,
            route=route,
            reasons=reasons,
            place=place,
            masked=masked,
            candidates=min(len(agencies), max(1, sum(agency.p >= self.policy.candidate for agency in agencies))),
            category_group=group,
            missing=missing,
            places=places,
            rules=(AppliedRule(rule.code, rule.reason, rule.certainty),) if rule else (),
            dangers=found,
            matter=matter,
            confidential=_confidential(found, matter),
        )

    def rank(self, prediction: Prediction, place: FoundPlace | None) -> Ranking:
        """Agencies as place and rules leave them, and what the rules said."""
        return self._ranker.rank(prediction, place, (), oversight=matter_of(prediction).certain)

    def agencies(self, prediction: Prediction, place: FoundPlace | None) -> tuple[SuggestedAgency, ...]:
        """Agencies by falling probability, territorial ones as the office of the place."""
        return self.rank(prediction, place).agencies

    def _route(
        self,
        prediction: Prediction,
        ranking: Ranking,
        place: FoundPlace | None,
        places: tuple[FoundPlace, ...],
        found: tuple[Danger, ...],
    ) -> tuple[Route, tuple[Reason, ...], tuple[str, ...]]:
        """`place` is the one of `places` that is sure enough."""
        policy, unsure = self.policy, () if place else places
        if prediction.words == 0 and not tokens(prediction.complaint.words):
            return Route.INCOMPLETE, (reason("empty_text"),), (CONTENT,)
        if worst := next((item for item in found if item.level == "darurat"), None):
            return Route.EMERGENCY, (danger_reason(prediction.complaint, worst),), ()
        danger = prediction.danger
        # One or two words, such as "tolong", tell of danger only where danger is the likeliest level.
        least = policy.emergency if prediction.words >= FEWEST_WORDS else 0.5
        if danger >= least and prediction.known_words:
            return Route.EMERGENCY, (reason("danger"),), ()
        if prediction.coverage < LEAST_COVERAGE:
            if prediction.words < FEWEST_WORDS:
                return Route.INCOMPLETE, (reason("too_short"),), self._unsaid(place)
            return Route.REVIEW, (reason("unknown_words"),), ()
        if not ranking.agencies:
            return Route.REVIEW, (), ()
        top = ranking.agencies[0]
        if top.p < policy.prefill.of(self._ranker.unit(top.code)):
            if prediction.words < FEWEST_WORDS:
                return Route.INCOMPLETE, (reason("too_short"),), self._unsaid(place)
            return Route.REVIEW, self._doubts(ranking), ()
        if top.code.startswith("@"):
            villages = [found.place.name for found in unsure if found.place.district_code and found.p >= PLAUSIBLE]
            if len(villages) > 1:
                names = " atau ".join(villages)
                return Route.INCOMPLETE, (reason("places_differ"),), (f"tempat yang dimaksud: {names}",)
            return Route.INCOMPLETE, (reason("place_missing"),), (office_place(top.code, top.name, self.portal.units),)
        if top.external:
            return Route.EXTERNAL, (external_reason(self.portal.agency[top.code], self.portal.government),), ()
        # A rule that overrules the model speaks for itself; an office that only stands in needs a person.
        led = ranking.ruling is not None and ranking.ruling.leads
        if top.p >= policy.auto.of(self._ranker.unit(top.code)) and not ranking.stand_in:
            return Route.AUTO, () if led else (reason("sure"),), ()
        return Route.PREFILL, () if led else (reason("fairly_sure"),), ()

    def _unsaid(self, place: FoundPlace | None) -> tuple[str, ...]:
        """What a text of a word or two leaves open. Its matter may be that of an office that the place tells."""
        offices = any(unit.startswith("@") for unit in self.portal.units)
        return (EVENT, PLACE) if offices and place is None else (EVENT,)

    def _doubts(self, ranking: Ranking) -> tuple[Reason, ...]:
        top, others = ranking.agencies[0], ranking.agencies[1:]
        if top.p >= self.policy.prefill.shared:
            doubts = [reason("agency_unproven")]
        else:
            led = ranking.ruling is not None and ranking.ruling.leads
            doubts = [reason("rule_unsure" if led else "low_confidence")]
        if others and top.p - others[0].p < AMBIGUOUS_MARGIN:
            doubts.append(reason("ambiguous"))
        return tuple(doubts)

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
        unit = self._ranker.unit(agency.code)
        owned = [item for item in ranked if self.portal.may_own(self.portal.category[item.code], unit)]
        fitting = [item for item in owned if item.code == prediction.category] or owned
        if not fitting:
            return ()
        return fitting[0], *(item for item in ranked if item is not fitting[0])


def danger_reason(complaint: Complaint, danger: Danger) -> Reason:
    """What made a cleaned complaint an emergency, in the citizen's words."""
    name = families()[danger.family].name
    return reason("danger", f"Laporan ini menyebut {name}: “{danger.words.of(complaint)}”.")


def _confidential(found: Sequence[Danger], matter: Matter) -> str:
    said = [confidentiality(found)]
    if matter.report_type == OVERSIGHT:
        said.append(oversight_confidentiality(matter.oversights))
    return " ".join(filter(None, said))


def _by_matter(
    matter: Matter, route: Route, reasons: tuple[Reason, ...], missing: tuple[str, ...]
) -> tuple[Route, tuple[Reason, ...], tuple[str, ...]]:
    """Nothing is put aside without a person, and nothing that is an emergency is put aside at all."""
    if matter.report_type == OVERSIGHT:
        said = [reason("oversight", found.reason) for found in matter.oversights] or [reason("oversight")]
        reasons += tuple(said)
        # The accused may sit where it would go without a person's look.
        route = Route.PREFILL if route is Route.AUTO else route
    none = matter.none
    if none is None or route is Route.EMERGENCY:
        return route, reasons, missing
    told = reason("abusive_words" if none.matter else none.kind, none.reason)
    if none.matter or none.kind == "thanks":
        return route, (*reasons, told), missing
    return Route.REVIEW, (told,), ()


def _after_refusal(route: Route, reasons: tuple[Reason, ...], names: list[str]) -> tuple[Route, tuple[Reason, ...]]:
    """A person looks, whatever the model is sure of; what keeps it from an agency stays as it was."""
    refusal = reason("refused", f"{', '.join(names)} sudah menyatakan ini bukan wewenangnya; tidak disarankan lagi.")
    if route in (Route.AUTO, Route.PREFILL, Route.EXTERNAL):
        route = Route.REVIEW
        reasons = tuple(item for item in reasons if item.code not in ("sure", "fairly_sure"))
    return route, (refusal, *reasons)
