"""Personal data in every writing is found and nothing else, counted by kind on invented complaints.

`data/personal_data_cases.csv` marks what is personal as `[[kind:value]]`. The half `tune` was looked at while the
patterns were written; before its misses were looked at, the first half `report` had 0.97 of all found (names 0.91,
phones 0.94) and 1.00 of the finds right. Of the names that were added later it had 64 of 66, and no find was wrong.
"""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from router_model.cleaning import readable
from router_model.personal_data import KIND_LABELS, find_personal_data

CASES = Path(__file__).with_name("data") / "personal_data_cases.csv"
MARK = re.compile(r"\[\[(\w+):(.*?)\]\]", re.DOTALL)
SLACK = 3
"""Characters by which a find may go beyond what was planted."""
Spans = list[tuple[str, int, int]]


def planted(marked: str) -> tuple[str, Spans]:
    text, spans, position = "", [], 0
    for mark in MARK.finditer(marked):
        text += marked[position : mark.start()]
        value = readable(mark[2])
        spans.append((mark[1], len(text), len(text) + len(value)))
        text, position = text + value, mark.end()
    return text + marked[position:], spans


def cases(half: str) -> list[tuple[str, Spans]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return [planted(row["text"]) for row in csv.DictReader(file) if row["half"] == half]


def test_there_are_five_hundred_cases_and_many_hold_nothing() -> None:
    both = cases("tune") + cases("report")
    assert len(both) >= 500
    assert sum(not spans for _, spans in both) >= 150
    assert {kind for _, spans in both for kind, _, _ in spans} == set(KIND_LABELS)


@pytest.mark.parametrize("half", ["tune", "report"])
def test_of_each_kind_98_of_100_are_found_and_95_of_100_finds_are_right(half: str) -> None:
    there: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    finds: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for text, spans in cases(half):
        found = [(item.kind, item.start, item.end) for item in find_personal_data(text)]
        for kind, start, end in spans:
            there[kind] += 1
            hidden[kind] += any(kind == k and s <= start and end <= e for k, s, e in found)
        for kind, start, end in found:
            finds[kind] += 1
            right[kind] += any(kind == k and s - SLACK <= start < e and end <= e + SLACK for k, s, e in spans)
    assert {kind: hidden[kind] / there[kind] for kind in there if hidden[kind] < 0.98 * there[kind]} == {}
    assert {kind: right[kind] / finds[kind] for kind in finds if right[kind] < 0.95 * finds[kind]} == {}
    assert hidden.total() >= 0.98 * there.total()
    assert right.total() >= 0.95 * finds.total()
