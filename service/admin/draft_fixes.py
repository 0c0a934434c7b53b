"""How the findings of a check can be settled: what is offered for each, and what it changes in the rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router_model.errors import AduanError
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal
from service.database.drafts import Fix
from service.pages import number

RELABEL, BLANK, DROP, KEEP = "ganti", "kosongkan", "buang", "pertahankan"
MOST, NEWEST, SLIPS = "terbanyak", "terbaru", "ejaan"
"""Ways to settle all cases at once."""
MOST_SIDES = 4
WHOLE = ""
"""The case of a fix that settles all rows of a finding at once."""
LABELS_TO_MAP = ("unknown_label", "branch_label", "unresolved_label")
CONFLICTS = ("conflicting", "conflicting_category", "near_conflicting")
_DROPPED_AT_ONCE = {
    "no_text": "Buang laporan tanpa isi",
    "no_date": "Buang laporan tanpa tanggal",
    "odd_date": "Buang laporan ini",
    "repeated": "Sisakan satu dari tiap teks",
    "leaked": "Buang laporan ini",
}
COLUMN_NAMES = {
    "agency": "instansi",
    "category": "kategori",
    "urgency": "urgensi",
    "report_type": "jenis laporan",
    "received_at": "tanggal",
}


class FixRefusedError(AduanError):
    """What was asked is not offered for this finding, or not any more."""


@dataclass(frozen=True, slots=True)
class Way:
    """One thing to do about a case, as a button that says so; `value` is a label that the act needs."""

    act: str
    words: str
    value: str = ""


def case_of(finding: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Raises `FixRefusedError`."""
    for case in finding["cases"]:
        if case["key"] == key:
            return dict(case)
    raise FixRefusedError("Temuan ini sudah berubah sejak halaman dibuka. Muat ulang halamannya.")


def finding_of(findings: Mapping[str, Any] | None, code: str) -> Mapping[str, Any]:
    """Raises `FixRefusedError`."""
    for finding in (findings or {"findings": ()})["findings"]:
        if finding["code"] == code:
            return dict(finding)
    raise FixRefusedError("Temuan ini tidak ada lagi. Muat ulang halamannya.")


def choices(portal: Portal | None) -> dict[str, list[str]]:
    """Labels that teach something, by column, as they are to be chosen."""
    if portal is None:
        return {}
    return {
        "agency": sorted(agency.name for agency in portal.living_agencies),
        "category": sorted(leaf.name for leaf in portal.leaves),
        "urgency": list(URGENCY_LEVELS),
        "report_type": list(REPORT_TYPES.values()),
    }


def _majority(case: Mapping[str, Any]) -> str:
    """The label that more rows bear than any other; "" if there is none."""
    sides = case["sides"]
    return str(sides[0][0]) if len(sides) > 1 and len(sides[0][1]) > len(sides[1][1]) else ""


def _count(rows: int) -> str:
    return f"{number(rows)} laporan"


def ways(finding: Mapping[str, Any], case: Mapping[str, Any]) -> list[Way]:
    """What is offered for one case; the first is the most likely."""
    code, rows = finding["code"], len(case["rows"])
    if code in CONFLICTS:
        kept = [Way(KEEP, _kept_words(case, name), name) for name, _ in case["sides"][:MOST_SIDES]]
        return [*kept, Way(DROP, f"Buang semuanya ({_count(rows)})")]
    found = []
    if case["proposed"]:
        found.append(Way(RELABEL, f"Ganti menjadi {case['proposed']}"))
    if code == "impossible_pair":
        found.append(Way(BLANK, "Kosongkan kategorinya"))
    if code not in LABELS_TO_MAP and code != "similar_names":
        found.append(Way(DROP, f"Buang {_count(rows)}"))
    return found


def _kept_words(case: Mapping[str, Any], name: str) -> str:
    marks = [mark for mark, best in ((MOST, _majority(case)), (NEWEST, case["newest"])) if name == best]
    return f"Pertahankan {name}" + (f" ({', '.join(marks)})" if marks else "")


def ways_for_all(finding: Mapping[str, Any], fixes: Iterable[Fix]) -> list[Way]:
    """What is offered for all cases that are not settled yet."""
    code = finding["code"]
    if finding["rows"]:
        settled = any(fix.finding == code for fix in fixes)
        dropped = [Way(DROP, f"{_DROPPED_AT_ONCE[code]} ({_count(len(finding['rows']))})")]
        blanked = [Way(BLANK, "Kosongkan tanggalnya, pertahankan laporannya")] if code == "odd_date" else []
        return [] if settled else [*blanked, *dropped]
    open_cases = _open(finding, fixes)
    if len(open_cases) < 2:
        return []
    if code in CONFLICTS:
        found = [Way(NEWEST, "Pertahankan yang terbaru")] if any(case["newest"] for case in open_cases) else []
        most = [Way(MOST, "Pertahankan yang terbanyak")] if any(map(_majority, open_cases)) else []
        return [*most, *found, Way(DROP, "Buang semuanya")]
    if code in LABELS_TO_MAP:
        slips = sum(case["slip"] for case in open_cases)
        found = [Way(SLIPS, f"Betulkan {number(slips)} salah ejaan")] if slips else []
        return [*found, Way(BLANK, f"Abaikan {number(len(open_cases))} label ini")]
    return []


def _open(finding: Mapping[str, Any], fixes: Iterable[Fix]) -> list[Mapping[str, Any]]:
    settled = {fix.case for fix in fixes if fix.finding == finding["code"]}
    return [case for case in finding["cases"] if case["key"] not in settled]


def fix_one(finding: Mapping[str, Any], key: str, act: str, value: str, known: Mapping[str, Sequence[str]]) -> Fix:
    """What settles one case. `value` is the label to give or to keep, `known` the labels of the portal by column.

    Raises:
        FixRefusedError: it is not offered.
    """
    case, code = case_of(finding, key), finding["code"]
    if code in LABELS_TO_MAP and act == RELABEL:
        if value not in known.get(case["column"], ()):
            raise FixRefusedError("Pilih label dari daftar portal ini.")
        return Fix(code, key, act, case["rows"], case["column"], value)
    if code in LABELS_TO_MAP and act == BLANK:
        return Fix(code, key, act, case["rows"], case["column"], "")
    if code in LABELS_TO_MAP and act == DROP:
        return Fix(code, key, act, case["rows"])
    if act not in {way.act for way in ways(finding, case)} or (act == KEEP and value not in dict(case["sides"])):
        raise FixRefusedError("Perbaikan ini tidak tersedia untuk temuan tersebut.")
    return _settled(code, case, act, value)


def _settled(code: str, case: Mapping[str, Any], act: str, kept: str = "") -> Fix:
    if act == KEEP:
        return Fix(code, case["key"], act, [row for side, own in case["sides"] if side != kept for row in own])
    if act == DROP:
        return Fix(code, case["key"], act, case["rows"])
    return Fix(code, case["key"], act, case["rows"], case["column"], case["proposed"] if act == RELABEL else "")


def fix_all(finding: Mapping[str, Any], act: str, fixes: Sequence[Fix]) -> list[Fix]:
    """What settles, in one way, all cases that are not settled yet and that it can settle.

    Raises:
        FixRefusedError: it is not offered.
    """
    code = finding["code"]
    if act not in {way.act for way in ways_for_all(finding, fixes)}:
        raise FixRefusedError("Perbaikan ini tidak tersedia untuk temuan tersebut.")
    if finding["rows"]:
        return [Fix(code, WHOLE, act, finding["rows"], "received_at" if act == BLANK else "")]
    open_cases = _open(finding, fixes)
    if act == SLIPS:
        return [_settled(code, case, RELABEL) for case in open_cases if case["slip"]]
    if act in (MOST, NEWEST):
        best = [(case, _majority(case) if act == MOST else case["newest"]) for case in open_cases]
        return [_settled(code, case, KEEP, name) for case, name in best if name]
    return [_settled(code, case, act) for case in open_cases]


def put(fixes: Iterable[Fix], new: Sequence[Fix]) -> list[Fix]:
    """The new ones take the place of others for the same cases."""
    replaced = {(fix.finding, fix.case) for fix in new}
    return [*(fix for fix in fixes if (fix.finding, fix.case) not in replaced), *new]


def taken_back(fixes: Iterable[Fix], code: str, key: str | None) -> list[Fix]:
    """Without that of one case, or without those of a whole finding where no case is named."""
    return [fix for fix in fixes if fix.finding != code or (key is not None and fix.case != key)]


def words(fix: Fix) -> str:
    """What a fix does, in the past tense."""
    rows = _count(len(fix.rows))
    if not fix.column:
        return f"{rows} dibuang"
    if fix.value:
        return f"{COLUMN_NAMES[fix.column].capitalize()} diganti menjadi {fix.value} pada {rows}"
    return f"{COLUMN_NAMES[fix.column].capitalize()} dikosongkan pada {rows}"
