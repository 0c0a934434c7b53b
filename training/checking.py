"""What stands in the way of learning from a data set: every finding, how grave it is, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from router_model.errors import DatasetError
from router_model.portal import Portal, folded
from training.checked_data import CheckedData, checked_data
from training.column_mapping import MappingProposal, propose_mapping
from training.doubtful_labels import doubtful_label_findings, reason_not_searched
from training.drift import drift_findings
from training.excerpts import period_words, quoted
from training.findings import SEVERITIES, Finding, finding
from training.headers import find_header
from training.history import Progress
from training.knowledge import known_complaints
from training.label_findings import coverage, label_findings
from training.reading import KNOWN_HEADERS, Table, read_table
from training.rule_findings import rule_findings
from training.sheets import read_sheets
from training.text_findings import text_findings
from training.time_findings import time_findings, weekly
from training.trainer import check_enough

NEEDS_PORTAL = "Label dicocokkan dengan daftar instansi dan kategori: perlu folder portal (--portal DIR)"
NOT_SEARCHED = "Label yang mungkin keliru tidak dicari"
MAPPING_ADVICE = "Simpan usulan pemetaan sebagai berkas, periksa, lalu pakai dengan --columns BERKAS."


@dataclass(frozen=True)
class Checkup:
    """What a check found in the file `source`, in a fixed order, also what was not found (`count` 0).

    `total` rows, `learned` of them teach something; `weeks` has the rows of each week by its Monday. `obstacle`
    says why nothing can be trained, "" if something can. `mapping` is a proposed mapping file where the header
    was not recognised; then nothing else was checked.
    """

    source: str
    portal: str
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...] = ()
    total: int = 0
    learned: int = 0
    period: tuple[date, date] | None = None
    weeks: Mapping[date, int] | None = None
    obstacle: str = ""
    mapping: str = ""

    @property
    def found(self) -> list[Finding]:
        """Findings that are there, gravest first, of equals those of most rows."""
        there = [item for item in self.findings if item.count]
        return sorted(there, key=lambda item: (SEVERITIES.index(item.severity), -item.share))

    @property
    def to_do(self) -> list[Finding]:
        return [item for item in self.found if item.severity != "keterangan"]

    @property
    def wrong(self) -> int:
        return sum(item.severity == "salah" for item in self.found)

    @property
    def verdict(self) -> str:
        if self.obstacle:
            return f"Data ini belum dapat dilatih. {self.obstacle}"
        if self.wrong:
            return f"Data ini dapat dilatih, tetapi ada {self.wrong} hal yang sebaiknya dibetulkan dulu."
        if self.to_do:
            return f"Data ini siap dilatih; ada {len(self.to_do)} hal yang perlu dilihat."
        return "Data ini siap dilatih."


def check_file(
    path: Path,
    portal: Portal | None,
    today: date,
    columns: Mapping[str, str] | None = None,
    progress: Progress = lambda *_: None,
) -> Checkup:
    """Checks a labelled file; without a portal, what needs one is left out. `columns` maps headers, see `read_table`.

    Raises:
        DatasetError: the file cannot be read, for another reason than headers that are not known.
    """
    progress("membaca berkas", 0, 1)
    try:
        table = read_table(path, columns)
    except DatasetError:
        if columns or not _lacks_text_column(path):
            raise
        return _unknown_headers(path, portal, propose_mapping(path))
    proposal = None if columns else propose_mapping(path)
    progress("membaca berkas", 1, 1)
    return check_table(table, path.name, portal, today, proposal, progress)


def check_table(
    table: Table,
    source: str,
    portal: Portal | None,
    today: date,
    proposal: MappingProposal | None = None,
    progress: Progress = lambda *_: None,
) -> Checkup:
    """Checks rows read from the file `source`; `proposal` is what its headers seem to mean."""
    data = checked_data(table, source, portal, today, progress)
    findings = [_overview(data), *([_headers(proposal, data.total)] if proposal else []), _unreadable(data, table)]
    findings += label_findings(data)
    progress("mencari salinan", 0, 1)
    findings += text_findings(data)
    progress("mencari salinan", 1, 1)
    findings += [*time_findings(data), *drift_findings(data)]
    findings += rule_findings(data)
    reason = reason_not_searched(data)
    if not reason:
        findings += doubtful_label_findings(data, progress)
    return Checkup(
        source=source,
        portal=portal.name if portal else "",
        findings=tuple(findings),
        not_checked=(*([] if portal else [NEEDS_PORTAL]), *([f"{NOT_SEARCHED}: {reason}"] if reason else [])),
        total=data.total,
        learned=len(data.learned),
        period=_period(data),
        weeks=weekly(data.dated),
        obstacle=_obstacle(data),
    )


def _lacks_text_column(path: Path) -> bool:
    """Whether a file has headers, but none that is known to hold the complaints."""
    headers = [header for sheet in read_sheets(path) if (header := find_header(sheet.lines, KNOWN_HEADERS))]
    return bool(headers) and not any("text" in header.columns for header in headers)


def _unknown_headers(path: Path, portal: Portal | None, proposal: MappingProposal) -> Checkup:
    names = [*(item.header for item in proposal.columns), *proposal.left_over]
    return Checkup(
        source=path.name,
        portal=portal.name if portal else "",
        findings=(
            finding(
                "header",
                "Judul kolom yang tidak dikenal; kolom isi laporan tidak ditemukan",
                "salah",
                [*_proposed(proposal), f"Kolom yang ada: {', '.join(map(quoted, names))}"],
                MAPPING_ADVICE,
                rows=1,
                total=1,
                unit="berkas",
                count=1,
            ),
        ),
        obstacle="Kolom isi laporan tidak ditemukan; petakan judul kolomnya dulu.",
        mapping=proposal.toml,
    )


def _proposed(proposal: MappingProposal) -> list[str]:
    """Headers that are not read now but probably mean a column."""
    return [
        f"{quoted(item.header)} mungkin {item.column}: {item.reason}"
        for item in proposal.columns
        if folded(item.header) not in KNOWN_HEADERS
    ]


def _headers(proposal: MappingProposal, total: int) -> Finding:
    proposed = _proposed(proposal)
    return finding(
        "header",
        "Kolom yang tidak dibaca tetapi mungkin berguna",
        "perlu dilihat",
        proposed,
        'Tulis berkas pemetaan dengan tabel [columns], misalnya "Nama Dinas" = "agency", lalu pakai dengan '
        "--columns BERKAS.",
        rows=total if proposed else 0,
        total=total,
        unit="kolom",
    )


def _overview(data: CheckedData) -> Finding:
    period = _period(data)
    return finding(
        "rows",
        "Laporan",
        "keterangan",
        [*([period_words(*period)] if period else []), coverage(data)],
        "",
        rows=data.total,
        total=data.total,
        count=data.total,
    )


def _unreadable(data: CheckedData, table: Table) -> Finding:
    return finding(
        "unreadable",
        "Baris yang tidak terbaca",
        "salah",
        [f"{data.place(fault.where)}: {fault.message}" for fault in table.faults],
        "Perbaiki baris ini di berkas asalnya, lalu periksa lagi; baris lain tetap dipakai.",
        rows=len(table.faults),
        total=data.total,
    )


def _period(data: CheckedData) -> tuple[date, date] | None:
    days = [row.day for row in data.dated if row.day]
    return (days[0], days[-1]) if days else None


def _obstacle(data: CheckedData) -> str:
    known = known_complaints(data.portal) if data.portal else ()
    try:
        check_enough([row.example for row in data.learned if row.example], known)
    except DatasetError as error:
        return str(error)
    return ""
