"""What stands in the way of learning from a data set, with the share of each and masked examples."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from router_model.cleaning import cleaned
from router_model.portal import Portal
from router_model.tokens import disposition_leaks
from training.dataset import examples
from training.forward import seen_key
from training.reading import LABELS, Row, parse_moment

FEWEST_PER_CLASS = 5
MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault; `share` is of all rows, `examples` name rows or values, masked."""

    code: str
    title: str
    count: int
    share: float
    examples: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "title": self.title,
            "count": self.count,
            "share": self.share,
            "examples": list(self.examples),
        }


def check_rows(rows: Sequence[Row], portal: Portal | None = None) -> list[Finding]:
    """Every finding, also those with count 0, in a fixed order."""
    total = len(rows)

    def finding(code: str, title: str, found: Sequence[str]) -> Finding:
        return Finding(code, title, len(found), len(found) / total, tuple(found[:MOST_EXAMPLES]))

    copies: dict[int, list[Row]] = defaultdict(list)
    personal, leaked = [], []
    for row in rows:
        copies[seen_key(row.complaint)].append(row)
        clean, masked = cleaned(row.complaint)
        if masked:
            personal.append(row.where)
        if disposition_leaks(clean.text):
            leaked.append(row.where)
    repeated = [group for group in copies.values() if len(group) > 1]
    conflicting = [
        f"{group[0].where}: {' / '.join(sorted({row.get('agency') for row in group if row.get('agency')}))}"
        for group in repeated
        if len({row.get("agency") for row in group if row.get("agency")}) > 1
    ]
    unknown = [str(fault) for fault in examples(rows, portal)[1]] if portal else []
    counts = Counter((column, row.get(column)) for row in rows for column in LABELS if row.get(column))
    moments = sorted(moment for row in rows if (moment := parse_moment(row.get("received_at"))))
    period = [f"{moments[0]:%Y-%m-%d} sampai {moments[-1]:%Y-%m-%d}"] if moments else []
    return [
        Finding("rows", "Laporan", total, 1.0, tuple(period)),
        finding("no_text", "Tanpa isi", [row.where for row in rows if not row.get("text")]),
        finding("no_label", "Tanpa label apa pun", [row.where for row in rows if not any(map(row.get, LABELS))]),
        finding("unknown_label", "Label tidak dikenal portal", unknown),
        finding(
            "repeated",
            "Teks yang dikirim lebih dari sekali",
            [group[1].where for group in repeated for _ in group[1:]],
        ),
        finding("conflicting", "Teks sama, instansi berbeda", conflicting),
        finding("leaked", "Memuat bocoran disposisi", leaked),
        finding("personal_data", "Memuat data pribadi (akan disamarkan)", personal),
        finding(
            "small_class",
            f"Kelas dengan kurang dari {FEWEST_PER_CLASS} contoh",
            [
                f"{column} {value!r}: {count}"
                for (column, value), count in sorted(counts.items(), key=lambda i: i[1])
                if count < FEWEST_PER_CLASS
            ],
        ),
        finding(
            "no_date",
            "Tanpa tanggal yang terbaca",
            [row.where for row in rows if not parse_moment(row.get("received_at"))],
        ),
    ]
