"""What models that knew only earlier complaints said of later ones: the ground of every honest figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from router_model.danger import dangers
from router_model.decoding import Belief
from router_model.portal import Portal
from router_model.suggestion import Router, SuggestedAgency
from training.complaint_keys import seen_key
from training.dataset import Example

FORWARD_FILE = "forward.parquet"
ANSWERS = ("agency", "unit", "category", "urgency", "report_type")


@dataclass(frozen=True, slots=True)
class Answered:
    """One complaint's answers before it was learned from, beside its labels; holds no word of the text.

    `given` maps each answer to its first code and probability, `wanted` to the label where there is one.
    `agency_p` is the probability that was given to the right agency, 0 if it was not listed. `danger` is the
    probability of `darurat`, 1 where the rules for danger raised it. `held_back` rows took no part in calibration and
    thresholds of the figures reported.
    """

    key: int
    received_at: datetime | None
    held_back: bool
    given: Mapping[str, tuple[str, float]]
    wanted: Mapping[str, str]
    agency_p: float
    danger: float

    def right(self, answer: str) -> bool:
        return self.given[answer][0] == self.wanted[answer]

    def judged(self, answer: str) -> bool:
        """Whether it has both a label and an opinion."""
        return answer in self.wanted and answer in self.given


def answered(
    row: Example, key: int, belief: Belief, agencies: Sequence[SuggestedAgency], portal: Portal, *, held_back: bool
) -> Answered:
    """`agencies` are the ranked suggested agencies, offices resolved from the place."""
    first = agencies[0]
    unit = portal.agency[first.code].unit if first.code in portal.agency else first.code
    given = {answer: (ranked[0].code, float(ranked[0].p)) for answer, ranked in belief.answers.items()}
    unit_p = next((float(item.p) for item in belief.answers["unit"] if item.code == unit), 0.0)
    given |= {"agency": (first.code, float(first.p)), "unit": (unit, unit_p)}
    if belief.category:
        p = next((item.p for item in belief.answers["category"] if item.code == belief.category), 0.0)
        given["category"] = (belief.category, float(p))
    return Answered(
        key=key,
        received_at=row.received_at,
        held_back=held_back,
        given=given,
        wanted=dict(row.labels),
        agency_p=next((float(item.p) for item in agencies if item.code == row.labels.get("agency")), 0.0),
        danger=_danger(row, belief),
    )


def _danger(row: Example, belief: Belief) -> float:
    if any(found.level == "darurat" for found in dangers(row.complaint)):
        return 1.0
    return belief.danger


def answered_live(router: Router, rows: Sequence[Example]) -> list[Answered]:
    """What a router says now of complaints that it has not learned."""
    suggestions = router.suggest_many([row.complaint for row in rows])
    return [
        answered(
            row,
            seen_key(row.complaint),
            Belief(suggestion.prediction.answers, suggestion.prediction.category, suggestion.prediction.danger),
            suggestion.agencies,
            router.portal,
            held_back=True,
        )
        for row, suggestion in zip(rows, suggestions, strict=True)
    ]


def write_answered(rows: Sequence[Answered], path: Path) -> None:
    """As Parquet, one column a value; the same rows give the same bytes."""
    columns: dict[str, list[Any]] = {
        "key": [row.key for row in rows],
        "received_at": [row.received_at for row in rows],
        "held_back": [row.held_back for row in rows],
        "agency_wanted_p": [row.agency_p for row in rows],
        "danger": [row.danger for row in rows],
    }
    for answer in ANSWERS:
        columns[f"{answer}_wanted"] = [row.wanted.get(answer, "") for row in rows]
        columns[answer] = [row.given.get(answer, ("", 0.0))[0] for row in rows]
        columns[f"{answer}_p"] = [row.given.get(answer, ("", 0.0))[1] for row in rows]
    types = {"key": pyarrow.uint64(), "received_at": pyarrow.timestamp("s"), "held_back": pyarrow.bool_()}
    types |= {name: pyarrow.float32() for name in columns if name.endswith("_p") or name == "danger"}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in columns])
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), path)


def read_answered(path: Path) -> list[Answered]:
    return [
        Answered(
            key=row["key"],
            received_at=row["received_at"],
            held_back=row["held_back"],
            given={answer: (row[answer], row[f"{answer}_p"]) for answer in ANSWERS if row[answer]},
            wanted={answer: row[f"{answer}_wanted"] for answer in ANSWERS if row[f"{answer}_wanted"]},
            agency_p=row["agency_wanted_p"],
            danger=row["danger"],
        )
        for row in pyarrow.parquet.read_table(path).to_pylist()
    ]
