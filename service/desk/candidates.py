"""What a reviewer can choose from: the ranked candidates, what is filled in beforehand, and the lists to search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from router_model.portal import Agency, Portal
from service.try_page import kind_label, percent
from service.wire import SuggestionOut

MOST_SHOWN = 9
"""One for each digit key."""
USUALLY_SHOWN, FEWEST_SHOWN = 5, 3
LIKELIER = 0.5
LEAST_P = 0.01
"""Less likely agencies are listed only up to `FEWEST_SHOWN`."""
CATEGORIES_TRIED = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agency that the model ranked. `likely` tells whether it is in the set that held the right one in 95 of 100
    complaints. Without an `office` it is a kind of office, of which one is still to be chosen. `category` is the
    likeliest one that the agency can own."""

    code: str
    name: str
    kind: str
    p: float
    likely: bool
    office: bool
    external: bool = False
    duties: str = ""
    channel: str = ""
    category: str = ""

    @property
    def percent(self) -> str:
        return percent(self.p)


@dataclass(frozen=True, slots=True)
class Labels:
    """What stands in the form: codes, empty where nothing is chosen."""

    agency: str = ""
    category: str = ""
    urgency: str = ""
    report_type: str = ""


def candidates(answer: SuggestionOut, portal: Portal, views: Sequence[Labels] = ()) -> list[Candidate]:
    """What others chose, if that is to be settled; then the sure set, then some of the others, at most `MOST_SHOWN`.

    Bodies that the portal no longer has are left out: the answer may be older than the release in force.
    """
    p = {item.code: item.p for item in answer.agencies}
    found = [_viewed(view, p.get(view.agency, 0.0), answer, portal) for view in views if view.agency in portal.agency]
    found = list({item.code: item for item in found}.values())
    for rank, item in enumerate(answer.agencies):
        likely = rank < answer.candidates
        if item.code in {other.code for other in found}:
            continue
        if len(found) >= _room(item.p, likely):
            break
        agency = portal.agency.get(item.code)
        if agency and agency.code not in portal.retired:
            found.append(_office(agency, item.p, likely, answer, portal))
        elif item.code.startswith("@"):
            found.append(Candidate(item.code, item.name, item.name, item.p, likely, office=False))
    return found


def _room(p: float, likely: bool) -> int:
    """How many candidates there may be with one like this."""
    if p < LEAST_P:
        return FEWEST_SHOWN
    return MOST_SHOWN if likely else USUALLY_SHOWN


def _office(agency: Agency, p: float, likely: bool, answer: SuggestionOut, portal: Portal) -> Candidate:
    return Candidate(
        code=agency.code,
        name=agency.name,
        kind=kind_label(agency.kind),
        p=p,
        likely=likely,
        office=True,
        external=agency.external,
        duties=agency.responsibilities,
        channel=agency.channel,
        category=_category_for(agency, answer, portal),
    )


def _viewed(view: Labels, p: float, answer: SuggestionOut, portal: Portal) -> Candidate:
    return replace(_office(portal.agency[view.agency], p, True, answer, portal), category=view.category)


def _category_for(agency: Agency, answer: SuggestionOut, portal: Portal) -> str:
    """The first of the model's categories that the agency can own."""
    ranked = (portal.leaf.get(item.code) for item in answer.category[:CATEGORIES_TRIED])
    return next((found.code for found in ranked if found and portal.may_own(found, agency.unit)), "")


def beforehand(
    answer: SuggestionOut,
    shown: Sequence[Candidate],
    portal: Portal,
    report_type: str = "",
    views: Sequence[Labels] = (),
) -> Labels:
    """What the model would choose, so that a right suggestion takes one key. `report_type` is what the citizen
    chose, for a model that says nothing of it. Of `views` to be settled, no agency and what they have in common."""
    first = shown[0] if shown else None
    if first and answer.refused and first.p < LIKELIER:
        # What is left after a refusal may be a poor guess; nobody should send it on with one key.
        first = None
    category = answer.category[0].code if answer.category else ""
    model = Labels(
        agency=first.code if first and first.office else "",
        category=category if category in portal.leaf else "",
        urgency=answer.urgency.level if answer.urgency else "",
        report_type=answer.report_type.code if answer.report_type else report_type,
    )
    if not views:
        return model
    return Labels(
        category=_shared([view.category for view in views]),
        urgency=_shared([view.urgency for view in views]) or model.urgency,
        report_type=_shared([view.report_type for view in views]) or model.report_type,
    )


def _shared(said: Sequence[str]) -> str:
    return said[0] if len(set(said)) == 1 else ""


def search_lists(answer: SuggestionOut, portal: Portal) -> dict[str, list[dict[str, Any]]]:
    """All agencies and categories as the page's script searches them, those that the model ranked first in front and
    agencies that refused at the end."""
    agency_rank = {item.code: rank for rank, item in enumerate(answer.agencies)}
    category_rank = {item.code: rank for rank, item in enumerate(answer.category)}
    refused = {item.code for item in answer.refused}
    agencies = sorted(
        portal.living_agencies, key=lambda item: (item.code in refused, agency_rank.get(item.code, len(agency_rank)))
    )
    leaves = sorted(portal.leaves, key=lambda item: category_rank.get(item.code, len(category_rank)))
    return {
        "agency": [
            {
                "code": agency.code,
                "name": agency.name,
                "also": list(dict.fromkeys(name for name in (agency.short_name, *agency.aliases) if name)),
                "does": agency.responsibilities,
                "kind": kind_label(agency.kind),
                "outside": agency.external,
                "refused": agency.code in refused,
                "category": _category_for(agency, answer, portal),
            }
            for agency in agencies
        ],
        "category": [
            {
                "code": leaf.code,
                "name": leaf.name,
                "also": [leaf.national_name] if leaf.national_name else [],
                "does": leaf.description,
                "kind": portal.category[leaf.parent].name if leaf.parent else "",
            }
            for leaf in leaves
        ],
    }


def agency_groups(portal: Portal) -> list[tuple[str, list[Agency]]]:
    """All agencies that complaints are sent to, by kind, as a list to choose from without a script."""
    groups: dict[str, list[Agency]] = {}
    for agency in sorted(portal.living_agencies, key=lambda item: item.name):
        groups.setdefault(kind_label(agency.kind), []).append(agency)
    return sorted(groups.items())


def category_groups(portal: Portal) -> list[tuple[str, list[tuple[str, str]]]]:
    """Codes and names of all categories by their parent."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for leaf in portal.leaves:
        groups.setdefault(portal.category[leaf.parent].name if leaf.parent else "", []).append((leaf.code, leaf.name))
    return list(groups.items())
