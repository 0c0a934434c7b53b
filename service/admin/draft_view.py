"""The findings of a check as a page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.admin.draft_fixes import COLUMN_NAMES, LABELS_TO_MAP, WHOLE, Way, ways, ways_for_all, words
from service.database.drafts import Fix, rows_of
from service.pages import MONTHS

SEVERITIES = {
    "salah": ("Perlu dibetulkan", "Laporannya tidak dipelajari, atau mengajarkan yang keliru."),
    "perlu dilihat": ("Perlu dilihat", "Belum tentu salah; nilailah bila Anda mengenal datanya."),
    "keterangan": ("Keterangan", "Tidak perlu tindakan."),
}
MEANINGS = {
    "unknown_label": "Nama ini tidak ada pada daftar portal, jadi tidak mengajarkan apa pun. Pilih nama yang dimaksud, "
    "atau abaikan labelnya: kolom lain pada laporan itu tetap dipelajari.",
    "branch_label": "Kategori induk terlalu luas untuk dipelajari. Pilih salah satu kategori di bawahnya.",
    "unresolved_label": "Instansi ini sudah tidak ada dan penerusnya belum tercatat. Pilih instansi yang kini "
    "menangani urusannya, atau catat penerusnya di halaman Portal lalu periksa lagi.",
    "mapped_label": "Nama lain dan nama lama ini dipelajari sebagai instansi yang berlaku sekarang. Bila ada yang "
    "keliru, perbaiki di halaman Portal lalu periksa lagi.",
    "similar_names": "Dua nama ini mungkin satu instansi. Samakan hanya bila memang begitu.",
    "impossible_pair": "Menurut portal, instansi ini tidak mengurus kategori tersebut. Salah satu labelnya mungkin "
    "keliru.",
    "conflicting": "Teks yang sama persis pernah diteruskan ke instansi berbeda. Pertahankan yang benar; bila "
    "keduanya wajar, biarkan.",
    "conflicting_category": "Teks yang sama persis pernah diberi kategori berbeda. Pertahankan yang benar; bila "
    "keduanya wajar, biarkan.",
    "near_conflicting": "Teks yang hampir sama pernah diteruskan ke instansi berbeda. Pertahankan yang benar; bila "
    "keduanya wajar, biarkan.",
    "repeated": "Teks dan labelnya sama dengan laporan sebelumnya. Boleh dibiarkan: salinan tidak ikut dihitung saat "
    "model diuji.",
    "no_text": "Laporan ini hanya punya judul. Dari isinya tidak ada yang dapat dipelajari.",
    "no_date": "Model diuji menurut urutan waktu; laporan tanpa tanggal dianggap yang terbaru.",
    "odd_date": "Tanggalnya di masa depan atau terlalu lama: mungkin hari dan bulan tertukar. Laporan bertanggal masa "
    "depan dikira yang terbaru.",
    "empty_class": "Instansi dan kategori ini hanya dikenal dari uraiannya. Lengkapi uraiannya di halaman Portal.",
    "label_span": "Bila sebuah instansi berganti nama atau urusannya pindah, catat penerusnya di halaman Portal supaya "
    "laporan lama mengajarkan instansi yang sekarang.",
}
"""What a finding means to somebody who mends it on a page; for the others what the check advises fits."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case: what is told of it, what can be done, and what was done (""). Of a `label` to map, `near` are the
    names most like it, and `others` all that there are."""

    key: str
    told: str
    label: str
    samples: Sequence[str]
    rows: int
    ways: Sequence[Way]
    column: str
    near: Sequence[str]
    others: Sequence[str]
    done: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """`cases` are some of those `listed`; `ways` settle all that are open; `done` tells of what settled all at once.

    `settled` cases of all that there are.
    """

    code: str
    title: str
    severity: str
    meaning: str
    count: int
    unit: str
    examples: Sequence[str]
    left_out: int
    cases: Sequence[CaseView]
    listed: int
    ways: Sequence[Way]
    done: str
    settled: bool
    settled_cases: int
    changed_rows: int


def finding_view(
    finding: Mapping[str, Any],
    fixes: Sequence[Fix],
    choices: Mapping[str, Sequence[str]],
    start: int = 0,
    most: int = 25,
) -> FindingView:
    """`choices` are the labels of the portal by column."""
    code = finding["code"]
    own = {fix.case: fix for fix in fixes if fix.finding == code}
    shown = [case for case in finding["cases"] if case["told"]]
    return FindingView(
        code=code,
        title=finding["title"],
        severity=finding["severity"],
        meaning=MEANINGS.get(code, finding["advice"]),
        count=finding["count"],
        unit=finding["unit"],
        examples=[] if shown else finding["examples"],
        left_out=0 if shown else finding["left_out"],
        cases=[_case_view(finding, case, own.get(case["key"]), choices) for case in shown[start : start + most]],
        listed=len(shown),
        ways=ways_for_all(finding, fixes),
        done=words(own[WHOLE]) if WHOLE in own else "",
        settled=WHOLE in own or (bool(finding["cases"]) and len(own) >= len(finding["cases"])),
        settled_cases=len(own) if finding["cases"] else 0,
        changed_rows=rows_of(own.values()),
    )


def _case_view(
    finding: Mapping[str, Any], case: Mapping[str, Any], fix: Fix | None, choices: Mapping[str, Sequence[str]]
) -> CaseView:
    to_map = finding["code"] in LABELS_TO_MAP
    names = choices.get(case["column"], ()) if to_map else ()
    return CaseView(
        key=case["key"],
        told=case["told"],
        label=case["label"] if to_map else "",
        samples=case["samples"],
        rows=len(case["rows"]),
        ways=ways(finding, case),
        column=COLUMN_NAMES.get(case["column"], ""),
        near=[name for name in case["near"] if name in names],
        others=[name for name in names if name not in case["near"]],
        done=words(fix) if fix else "",
    )


def period_words(first: date, last: date) -> str:
    """2 Jan 2026 sampai 4 Mar 2026"""
    days = dict.fromkeys(f"{day.day} {MONTHS[day.month - 1]} {day.year}" for day in (first, last))
    return " sampai ".join(days)


def grouped(findings: Sequence[FindingView]) -> list[tuple[str, str, str, list[FindingView]]]:
    """By severity, gravest first: its code, its title, what it means, and the findings."""
    return [
        (severity, title, meaning, own)
        for severity, (title, meaning) in SEVERITIES.items()
        if (own := [finding for finding in findings if finding.severity == severity])
    ]
