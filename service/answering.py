"""What is answered to a complaint, from what the model and the rules say of it."""

from collections.abc import Sequence

from router_model.complaint import Complaint
from router_model.danger import Danger, confidentiality, dangers
from router_model.danger_families import families
from router_model.no_complaint import NotComplaint
from router_model.oversight import kinds
from router_model.phrases import Quote
from router_model.place import FoundPlace
from router_model.policy import ROUTE_LABELS, Route
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, EmergencyContact, Portal
from router_model.prediction import Ranked
from router_model.suggestion import Suggestion, danger_reason
from service.wire import (
    AgencyOut,
    CategoryOut,
    ContactOut,
    DangerOut,
    EvidenceOut,
    ExternalOut,
    FoundPlaceOut,
    LevelOut,
    NoComplaintOut,
    OversightOut,
    PersonalDataOut,
    PlaceOut,
    QuoteOut,
    ReasonOut,
    ReportTypeOut,
    RuleOut,
    SuggestionBody,
)

_UNANSWERED = ReasonOut(code="no_model", message="Model tidak dapat menjawab saat ini; petugas perlu memilih.")


def unanswered(complaint: Complaint, portal: Portal | None) -> SuggestionBody:
    """What is said of a clean complaint when no model answered: a person has to look, and nothing is made up. The
    rules for danger need no model."""
    found = dangers(complaint)
    worst = next((one for one in found if one.level == URGENCY_LEVELS[0]), None)
    route = Route.EMERGENCY if worst else Route.REVIEW
    alarm = [danger_reason(complaint, worst)] if worst else []
    return SuggestionBody(
        agencies=[],
        candidates=0,
        category=[],
        urgency=LevelOut(level=found[0].level, p=None, reasons=[one.message for one in alarm], by_rule=True)
        if found
        else None,
        dangers=_dangers(found),
        emergency_contacts=_contacts(contacts_for(route, found, portal)) if portal else [],
        confidential=confidentiality(found),
        report_type=None,
        route=route.value,
        route_label=ROUTE_LABELS[route],
        reasons=[*(ReasonOut(code=one.code, message=one.message) for one in alarm), _UNANSWERED],
        missing=[],
        place=None,
        explanation=[],
        personal_data=[],
    )


def suggestion_body(suggestion: Suggestion, portal: Portal) -> SuggestionBody:
    """A suggestion as portals see it."""
    place = suggestion.place
    group = suggestion.category_group
    first = portal.agency.get(suggestion.agency.code) if suggestion.agencies else None
    return SuggestionBody(
        agencies=[
            AgencyOut(code=a.code, name=a.name, kind=a.kind, external=a.external, p=a.p) for a in suggestion.agencies
        ],
        candidates=suggestion.candidates,
        category=[_category(item, portal) for item in suggestion.categories],
        category_group=_category(group, portal) if group else None,
        urgency=level_out(suggestion),
        dangers=_dangers(suggestion.dangers),
        emergency_contacts=_contacts(contacts_for(suggestion.route, suggestion.dangers, portal)),
        confidential=suggestion.confidential,
        report_type=report_type_out(suggestion),
        oversight=[
            OversightOut(kind=one.kind, name=kinds()[one.kind].name, words=_quotes(one.words))
            for one in suggestion.matter.oversights
        ],
        no_complaint=_no_complaint(suggestion.matter.none),
        route=suggestion.route.value,
        route_label=ROUTE_LABELS[suggestion.route],
        reasons=[ReasonOut(code=reason.code, message=reason.message) for reason in suggestion.reasons],
        missing=list(suggestion.missing),
        ask=suggestion.ask,
        place=PlaceOut(code=place.place.code, name=place.place.name, kind=place.place.kind, source=place.source)
        if place
        else None,
        places=[found_place(item, place, portal) for item in suggestion.places],
        rules=[RuleOut(code=r.code, reason=r.reason, certainty=r.certainty) for r in suggestion.rules],
        external=ExternalOut(code=first.code, name=first.name, channel=first.channel)
        if first and first.external
        else None,
        explanation=[
            EvidenceOut(term=e.term, weight=e.weight, field=e.field, start=e.start, end=e.end)
            for e in suggestion.evidence
        ],
        personal_data=[
            PersonalDataOut(kind=m.item.kind, field=m.field, start=m.item.start, end=m.item.end)
            for m in suggestion.masked
        ],
    )


def level_out(suggestion: Suggestion) -> LevelOut | None:
    level = suggestion.urgency
    if not level:
        return None
    p, likeliest = suggestion.p("urgency", level), suggestion.best("urgency")
    raised = likeliest is None or likeliest.code != level
    return LevelOut(
        level=level,
        p=None if p is None else min(p, 1.0),
        reasons=[item.message for item in suggestion.reasons if item.code == "danger"],
        by_rule=raised and any(one.level == level for one in suggestion.dangers),
    )


def report_type_out(suggestion: Suggestion) -> ReportTypeOut | None:
    code = suggestion.matter.report_type
    if not code:
        return None
    p = suggestion.p("report_type", code)
    by_rule = bool(suggestion.matter.oversights)
    return ReportTypeOut(code=code, name=REPORT_TYPES[code], p=None if p is None else min(p, 1.0), by_rule=by_rule)


def _no_complaint(found: NotComplaint | None) -> NoComplaintOut | None:
    if found is None:
        return None
    return NoComplaintOut(kind=found.kind, reason=found.reason, matter=found.matter, words=_quotes(found.words))


def _quotes(found: Sequence[Quote]) -> list[QuoteOut]:
    return [QuoteOut(field="title" if q.field == "title" else "text", start=q.start, end=q.end) for q in found]


def _dangers(found: Sequence[Danger]) -> list[DangerOut]:
    return [
        DangerOut(
            family=one.family,
            name=families()[one.family].name,
            level="darurat" if one.level == "darurat" else "tinggi",
            field="title" if one.words.field == "title" else "text",
            start=one.words.start,
            end=one.words.end,
        )
        for one in found
    ]


def contacts_for(route: Route, found: Sequence[Danger], portal: Portal) -> Sequence[EmergencyContact]:
    """Whom to call now; nobody where it is no emergency."""
    if route is not Route.EMERGENCY:
        return ()
    return portal.contacts_for({one.family for one in found if one.level == URGENCY_LEVELS[0]})


def _contacts(found: Sequence[EmergencyContact]) -> list[ContactOut]:
    return [ContactOut(name=one.name, number=one.number, certainty=one.certainty) for one in found]


def found_place(item: FoundPlace, acted_on: FoundPlace | None, portal: Portal) -> FoundPlaceOut:
    district = next((place.name for place in portal.places if place.code == item.place.district_code), "")
    return FoundPlaceOut(
        code=item.place.code,
        name=item.place.name,
        kind=item.place.kind,
        district=district,
        source=item.source,
        matched=item.name,
        start=item.start,
        end=item.end,
        p=min(item.p, 1.0),
        landmark=item.landmark.name if item.landmark else "",
        acted_on=acted_on is not None and item.place == acted_on.place,
    )


def _category(item: Ranked, portal: Portal) -> CategoryOut:
    category = portal.category[item.code]
    return CategoryOut(code=item.code, name=category.name, national_name=category.national_name, p=min(item.p, 1.0))
