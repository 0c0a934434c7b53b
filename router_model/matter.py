"""What kind of matter a complaint is: its report type, raised where it calls for oversight, and whether it is one."""

from typing import NamedTuple

from router_model.no_complaint import NotComplaint, no_complaint
from router_model.oversight import OVERSIGHT, Oversight, oversights
from router_model.policy import FEWEST_WORDS
from router_model.prediction import Prediction

OVERSIGHT_FROM = 0.25
"""The probability of `pengawasan` that is enough: what is confidential for nothing harms less than what the accused
reads. With the rules it finds 8 of the 10 in the sample's gold.csv and raises about eight others there (python -m
benchmarks.danger)."""


class Matter(NamedTuple):
    """`report_type` is empty where neither model nor rules have an opinion. `oversights` is what the rules found;
    `certain` if the citizen or a rule says that it calls for oversight: only then the portal's rules for that report
    type hold whatever the model believes. `none` tells why it is no complaint, or which abusive words stand in one."""

    report_type: str = ""
    certain: bool = False
    oversights: tuple[Oversight, ...] = ()
    none: NotComplaint | None = None


ORDINARY = Matter()


def matter_of(prediction: Prediction, given: str = "") -> Matter:
    """`given` is the report type that the citizen chose, empty for none."""
    found = oversights(prediction.complaint)
    ranked = prediction.answers.get("report_type", ())
    report_type = ranked[0].code if ranked else ""
    p = next((item.p for item in ranked if item.code == OVERSIGHT), 0.0)
    # Of a word or two a model repeats how often each type came.
    believed = p >= OVERSIGHT_FROM and prediction.known_words >= FEWEST_WORDS
    certain = bool(found) or given == OVERSIGHT
    if certain or believed:
        report_type = OVERSIGHT
    return Matter(report_type, certain, found, no_complaint(prediction.complaint, report_type))
