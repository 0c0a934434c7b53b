"""What a check finds in a data set, how grave it is, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["salah", "perlu dilihat", "keterangan"]
SEVERITIES: tuple[Severity, ...] = ("salah", "perlu dilihat", "keterangan")
MOST_EXAMPLES = 10
MOST_LISTED = 100
"""Examples of what a person must settle one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault, found `count` times (in `unit`s); `share` is the part of all rows it concerns.

    `examples` are masked; `left_out` more are not shown.
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
    )
