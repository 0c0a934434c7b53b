"""What a check finds in a data set, how grave it is, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["salah", "perlu dilihat", "keterangan"]
SEVERITIES: tuple[Severity, ...] = ("salah", "perlu dilihat", "keterangan")
MOST_EXAMPLES = 10
MOST_LISTED = 100
"""Examples of what a person must settle one by one."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a person may settle by itself: the `rows` concerned, by `Row.where`, and what is `told` of them, masked.

    About a label: `label` of `column` as it stands in the rows, and the one `proposed` instead ("" for none). About
    labels that differ: `sides` has the rows of each, most first; `newest` is the one label of the last day.
    """

    told: str
    rows: tuple[str, ...]
    column: str = ""
    label: str = ""
    proposed: str = ""
    sides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    newest: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault, found `count` times (in `unit`s); `share` is the part of all rows it concerns.

    `examples` are masked; `left_out` more are not shown. `cases` are all that can be mended row by row.
    """

    code: str
    title: str
    severity: Severity
    unit: str
    count: int
    share: float
    examples: tuple[str, ...]
    left_out: int
    advice: str
    cases: tuple[Case, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "title": self.title,
            "severity": self.severity,
            "unit": self.unit,
            "count": self.count,
            "share": self.share,
            "examples": list(self.examples),
            "advice": self.advice,
        }


def finding(
    code: str,
    title: str,
    severity: Severity,
    examples: Sequence[str],
    advice: str,
    *,
    rows: int,
    total: int,
    unit: str = "laporan",
    count: int | None = None,
    most: int = MOST_EXAMPLES,
    cases: Sequence[Case] = (),
) -> Finding:
    """`rows` of `total` are concerned; `count` is the number of `examples` unless it is given."""
    return Finding(
        code=code,
        title=title,
        severity=severity,
        unit=unit,
        count=len(examples) if count is None else count,
        share=rows / total if total else 0.0,
        examples=tuple(examples[:most]),
        left_out=max(len(examples) - most, 0),
        advice=advice,
        cases=tuple(cases),
    )
