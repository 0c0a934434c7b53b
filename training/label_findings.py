"""What is wrong with the labels of a data set: missing, unknown, ended, spelled in several ways, too rare."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from router_model.portal import Portal
from training.charts import number, percent
from training.checked_data import CheckedData, CheckedRow
from training.dataset import FaultKind, LabelFault, LabelMapping, label_mappings
from training.excerpts import excerpt, period_words, places, quoted
from training.findings import MOST_LISTED, Case, Finding, Severity, finding
from training.name_similarity import proposals
from training.reading import LABELS

FEWEST_PER_CLASS = 5
COLUMN_NAMES = {"agency": "instansi", "category": "kategori", "urgency": "urgensi", "report_type": "jenis laporan"}
ANSWER_NAMES = {"unit": "instansi"} | {key: name for key, name in COLUMN_NAMES.items() if key != "agency"}
_RULES = {"alias": "sebutan lain", "succession": "penerusnya", "split": "penerusnya menurut kategori"}
_FAULT_KINDS: tuple[tuple[str, str, Severity, tuple[FaultKind, ...], str], ...] = (
    (
        "unknown_label",
        "Label yang tidak dikenal portal",
        "salah",
        ("unknown",),
        "Bila label ini sebutan lain dari instansi yang ada, tambahkan ke kolom aliases di agencies.csv; bila memang "
        "instansi atau kategori tersendiri, tambahkan ke daftarnya; bila salah ketik, perbaiki datanya.",
    ),
    (
        "branch_label",
        "Kategori induk sebagai label",
        "perlu dilihat",
        ("branch",),
        "Ganti dengan salah satu kategori ujung di bawahnya; kategori induk tidak dipelajari.",
    ),
    (
        "unresolved_label",
        "Instansi lama yang penerusnya belum ditentukan",
        "salah",
        ("retired", "split"),
        "Tulis penerusnya di successions.csv, per kategori bila urusannya terbagi; sebelum itu laporannya tidak "
        "mengajarkan instansi.",
    ),
)


def label_findings(data: CheckedData) -> list[Finding]:
    found = [_no_label(data)]
    if data.portal:
        found += [_faulty(data, *kind) for kind in _FAULT_KINDS]
        found += [_mapped(data, data.portal), _similar(data), _pairs(data, data.portal)]
    else:
        found.append(_similar(data))
    found.append(_small_classes(data))
    if data.portal:
        found.append(_empty_classes(data, data.portal))
    return found


def coverage(data: CheckedData) -> str:
    """How many rows have a label, by answer."""
    counts = {name: sum(column in row.labels for row in data.rows) for column, name in COLUMN_NAMES.items()}
    return "Berlabel: " + ", ".join(f"{name} {percent(count / data.total, 1)}" for name, count in counts.items())


def _no_label(data: CheckedData) -> Finding:
    bare = [row for row in data.rows if not any(map(row.row.get, LABELS))]
    return finding(
        "no_label",
        "Tanpa label apa pun",
        "perlu dilihat",
        [f"{row.where}: {excerpt(row.complaint)}" for row in bare],
        "Isi instansi atau kategorinya dari arsip disposisi, atau biarkan: laporan ini dilewati saat melatih.",
        rows=len(bare),
        total=data.total,
    )


def _faulty(
    data: CheckedData, code: str, title: str, severity: Severity, kinds: Sequence[FaultKind], advice: str
) -> Finding:
    groups: dict[tuple[str, str, str], list[LabelFault]] = defaultdict(list)
    for fault in data.label_faults:
        if fault.kind in kinds:
            groups[fault.column, fault.value, fault.nearest].append(fault)
    days = {row.row.where: row.day for row in data.rows}
    cases = []
    for (column, value, nearest), faults in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        known = sorted(day for fault in faults if (day := days[fault.where]))
        told = (
            f"{COLUMN_NAMES[column]} {quoted(value)}: {number(len(faults))} laporan"
            + (f", {period_words(known[0], known[-1])}" if known else "")
            + (f"; mungkin maksudnya {quoted(nearest)}" if nearest else "")
            + f" ({places([data.place(fault.where) for fault in faults])})"
        )
        cases.append(Case(told, tuple(fault.where for fault in faults), column, value, nearest))
    concerned = {fault.where for faults in groups.values() for fault in faults}
    return finding(
        code, title, severity, [case.told for case in cases], advice,
        rows=len(concerned), total=data.total, unit="label", most=MOST_LISTED, cases=cases,
    )  # fmt: skip


def _mapped(data: CheckedData, portal: Portal) -> Finding:
    mappings = label_mappings([row.row for row in data.rows], portal)
    return finding(
        "mapped_label",
        "Label yang dibaca sebagai instansi lain",
        "keterangan",
        [_mapping_words(mapping, portal) for mapping in sorted(mappings, key=lambda item: item.rule == "alias")],
        "Periksa apakah penyamaan ini benar; yang keliru diperbaiki di agencies.csv (kolom aliases) atau "
        "successions.csv.",
        rows=sum(mapping.count for mapping in mappings),
        total=data.total,
        unit="label",
        most=MOST_LISTED,
    )


def _mapping_words(mapping: LabelMapping, portal: Portal) -> str:
    words = f"{quoted(mapping.label)} menjadi {quoted(portal.agency[mapping.successor].name)}"
    words += f" ({_RULES[mapping.rule]}): {number(mapping.count)} laporan"
    return words + (f", {period_words(mapping.first, mapping.last)}" if mapping.first and mapping.last else "")


def _similar(data: CheckedData) -> Finding:
    rows: dict[str, list[str]] = defaultdict(list)
    for row in data.rows:
        if "agency" in row.labels:
            rows[row.labels["agency"]].append(row.row.where)
    found = proposals({label: len(own) for label, own in rows.items()})
    cases = [
        Case(
            f"{quoted(item.label)} ({number(item.rows)}) dan {quoted(item.agency)} ({number(item.agency_rows)}): "
            f"{item.reason}",
            tuple(rows[item.label]),
            "agency",
            item.label,
            item.agency,
        )
        for item in found
    ]
    return finding(
        "similar_names",
        "Beberapa nama untuk satu instansi",
        "perlu dilihat",
        [case.told for case in cases],
        "Bila memang satu instansi, tulis yang satu di kolom aliases instansi yang lain (agencies.csv); bila yang satu "
        "menggantikan yang lain, tulis di successions.csv.",
        rows=sum(proposal.rows for proposal in found),
        total=data.total,
        unit="pasang nama",
        most=MOST_LISTED,
        cases=cases,
    )


def _pairs(data: CheckedData, portal: Portal) -> Finding:
    """Agencies with a category that `categories.csv` gives to others only."""
    groups: dict[tuple[str, str], list[CheckedRow]] = defaultdict(list)
    for row in data.learned:
        labels = row.example.labels if row.example else {}
        if {"unit", "category"} <= labels.keys() and not portal.may_own(
            portal.category[labels["category"]], labels["unit"]
        ):
            groups[row.labels["agency"], row.labels["category"]].append(row)
    cases = [
        Case(
            f"{quoted(agency)} dengan {quoted(category)}: {number(len(rows))} laporan "
            f"({places([row.where for row in rows])})",
            tuple(row.row.where for row in rows),
            "category",
        )
        for (agency, category), rows in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return finding(
        "impossible_pair",
        "Instansi yang menurut portal tidak mengurus kategorinya",
        "perlu dilihat",
        [case.told for case in cases],
        "Perbaiki labelnya, atau tambahkan instansinya ke kolom agencies kategori itu di categories.csv.",
        rows=sum(map(len, groups.values())),
        total=data.total,
        unit="pasangan",
        most=MOST_LISTED,
        cases=cases,
    )


def _class_counts(rows: Iterable[CheckedRow]) -> dict[str, Counter[str]]:
    """Rows of each class that is learned, by answer."""
    counts: dict[str, Counter[str]] = {answer: Counter() for answer in ANSWER_NAMES}
    for row in rows:
        for answer, own in counts.items():
            if row.example and answer in row.example.labels:
                own[row.example.labels[answer]] += 1
    return counts


def _class_summary(answer: str, few: int, of: int) -> str:
    return f"{ANSWER_NAMES[answer].capitalize()}: {number(few)} dari {number(of)} kelas"


def _small_classes(data: CheckedData) -> Finding:
    counts = _class_counts(data.learned)
    small = {
        answer: sorted(((n, data.class_name(answer, code)) for code, n in own.items() if n < FEWEST_PER_CLASS))
        for answer, own in counts.items()
    }
    return _classes(
        data,
        "small_class",
        f"Kelas dengan kurang dari {FEWEST_PER_CLASS} laporan",
        "perlu dilihat",
        small,
        lambda answer: len(counts[answer]),
        "Kumpulkan lebih banyak contoh, atau gabungkan dengan kelas yang lebih luas; kelas sekecil ini hampir tidak "
        "pernah dijawab dengan benar.",
    )


def _empty_classes(data: CheckedData, portal: Portal) -> Finding:
    counts = _class_counts(data.learned)
    classes = {"unit": portal.units, "category": tuple(leaf.code for leaf in portal.leaves)}
    empty = {
        answer: sorted((0, data.class_name(answer, code)) for code in codes if not counts[answer][code])
        for answer, codes in classes.items()
    }
    return _classes(
        data,
        "empty_class",
        "Kelas portal tanpa satu laporan pun",
        "keterangan",
        empty,
        lambda answer: len(classes[answer]),
        "Kelas ini hanya dikenal dari uraiannya: lengkapi responsibilities di agencies.csv dan description di "
        "categories.csv, atau hapus yang sudah tidak dipakai.",
    )


def _classes(
    data: CheckedData,
    code: str,
    title: str,
    severity: Severity,
    found: Mapping[str, Sequence[tuple[int, str]]],
    of: Callable[[str], int],
    advice: str,
) -> Finding:
    summary = [_class_summary(answer, len(items), of(answer)) for answer, items in found.items() if items]
    named = [
        f"{ANSWER_NAMES[answer]} {quoted(name)}" + (f" ({n})" if n else "")
        for answer, items in found.items()
        for n, name in items
    ]
    return finding(
        code, title, severity, summary + named, advice,
        rows=sum(n for items in found.values() for n, _ in items),
        total=data.total, unit="kelas", count=len(named), most=MOST_LISTED,
    )  # fmt: skip
