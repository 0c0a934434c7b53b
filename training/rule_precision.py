"""How often each rule of a portal was right on complaints that the model had not learned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from router_model.agency_ranking import Ruling
from router_model.portal import Portal
from router_model.prediction import Prediction
from router_model.rules import RuleRecord, Tally
from router_model.suggestion import Router
from training.dataset import Example

FEWEST_TO_CONTRADICT = 10
LEAST_PRECISION = 0.5


def rule_records(router: Router, rows: Sequence[Example], predictions: Sequence[Prediction]) -> dict[str, RuleRecord]:
    """By its code the record of each rule that was applied to a row with an agency label; a rule is only applied
    within its dates."""
    if not router.portal.rules:
        return {}
    ruled = [
        (ruling, row.labels)
        for row, prediction in zip(rows, predictions, strict=True)
        if "agency" in row.labels
        and (ruling := router.rank(prediction, router.places.find(prediction.complaint)).ruling)
    ]
    return records(ruled, router.portal)


def records(ruled: Iterable[tuple[Ruling, Mapping[str, str]]], portal: Portal) -> dict[str, RuleRecord]:
    """Counts what rules said of complaints against their labels, which hold `agency` and `unit`."""
    found: dict[str, RuleRecord] = {}
    for ruling, labels in ruled:
        record = found.get(ruling.fit.rule.code, RuleRecord())
        side = "agreed" if ruling.agreed else "overruled"
        tally: Tally = getattr(record, side)
        right = is_right(ruling, labels)
        counted = Tally(tally.fired + 1, tally.right + right, tally.expected + ruling.fit.p)
        found[ruling.fit.rule.code] = replace(record, **{side: counted})
    return {rule.code: found[rule.code] for rule in portal.rules if rule.code in found}


def is_right(ruling: Ruling, labels: Mapping[str, str]) -> bool:
    """Whether the complaint went where the rule says; where the place did not tell the office, to one of its kind. A
    rule that only forbids is right where nobody it forbids had the matter."""
    if ruling.agency:
        return ruling.agency in (labels["agency"], labels["unit"])
    return not ruling.forbids(labels["agency"], labels["unit"])


def contradicted(fired: int, right: int) -> bool:
    """Whether history says that a rule is wrong more often than not."""
    return fired >= FEWEST_TO_CONTRADICT and right < LEAST_PRECISION * fired
