"""What is wrong with the texts of a data set: missing, sent twice, sent in waves, with answers or personal data."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from router_model.personal_data import KIND_LABELS
from router_model.tokens import disposition_leaks
from training.charts import number
from training.checked_data import CheckedData, CheckedRow
from training.excerpts import LONGEST_EXCERPT, excerpt, masked, period_words, places, quoted, shortened
from training.findings import MOST_LISTED, Case, Finding, finding

CAMPAIGN_ROWS = 5
CAMPAIGN_DAYS = 14
"""So many near copies within so many days are a campaign: many people send in one text."""

Groups = list[list[CheckedRow]]


def text_findings(data: CheckedData) -> list[Finding]:
    same, near = _same(data.rows), _near(data)
    varied = [group for group in near if len({row.words for row in group}) > 1]
    return [
        _no_text(data),
        _conflicting(data, same, "agency", "conflicting", "Teks sama, instansi berbeda"),
        _conflicting(data, same, "category", "conflicting_category", "Teks sama, kategori berbeda"),
        _conflicting(data, varied, "agency", "near_conflicting", "Teks hampir sama, instansi berbeda"),
        _repeated(data, same),
        _near_copies(data, varied),
        _campaigns(data, near),
        _leaked(data),
        _personal(data),
    ]


def _several(groups: Iterable[list[CheckedRow]]) -> Groups:
    """Groups of more than one row, largest first."""
    return sorted((group for group in groups if len(group) > 1), key=lambda group: -len(group))


def _same(rows: Sequence[CheckedRow]) -> Groups:
    groups: dict[tuple[str, ...], list[CheckedRow]] = defaultdict(list)
    for row in rows:
        if row.words:
            groups[row.words].append(row)
    return _several(groups.values())


def _near(data: CheckedData) -> Groups:
    groups: dict[int, list[CheckedRow]] = defaultdict(list)
    for row, group in zip(data.rows, data.copies.tolist(), strict=True):
        if row.words:
            groups[group].append(row)
    return _several(groups.values())


def _wheres(rows: Iterable[CheckedRow]) -> str:
    return places([row.where for row in rows])


def _places(rows: Iterable[CheckedRow]) -> tuple[str, ...]:
    return tuple(row.row.where for row in rows)


def _no_text(data: CheckedData) -> Finding:
    empty = [row for row in data.rows if not row.row.get("text")]
    return finding(
        "no_text",
        "Tanpa isi",
        "salah",
        [_wheres(empty)] if empty else [],
        "Isi teks pengaduannya atau hapus barisnya; tanpa isi tidak ada yang dapat dipelajari selain judulnya.",
        rows=len(empty),
        total=data.total,
        count=len(empty),
        cases=[Case(_wheres(empty), _places(empty))] if empty else [],
    )


def _conflicting(data: CheckedData, same: Groups, column: str, code: str, title: str) -> Finding:
    cases = []
    for group in same:
        sides: dict[str, list[CheckedRow]] = defaultdict(list)
        for row in group:
            if column in row.labels:
                sides[row.labels[column]].append(row)
        if len(sides) > 1:
            cases.append(_conflict(group, column, dict(sorted(sides.items(), key=lambda i: (-len(i[1]), i[0])))))
    return finding(
        code,
        title,
        "perlu dilihat",
        [case.told for case in cases],
        "Tentukan jawaban yang benar dan samakan labelnya; bila keduanya wajar, biarkan: ini batas ketepatan yang "
        "dapat dicapai siapa pun.",
        rows=sum(len(case.rows) for case in cases),
        total=data.total,
        unit="teks",
        most=MOST_LISTED,
        cases=cases,
    )


def _conflict(group: Sequence[CheckedRow], column: str, sides: Mapping[str, Sequence[CheckedRow]]) -> Case:
    """Rows of one text under the labels of a column, the label of most rows first."""
    named = ", ".join(f"{quoted(name)} ({len(rows)})" for name, rows in sides.items())
    labelled = [row for rows in sides.values() for row in rows]
    last = max((row.day for row in labelled if row.day), default=None)
    newest = {row.labels[column] for row in labelled if last and row.day == last}
    return Case(
        f"{_wheres(group)}: {named} – {excerpt(group[0].complaint)}",
        _places(labelled),
        column,
        sides={name: _places(rows) for name, rows in sides.items()},
        newest=newest.pop() if len(newest) == 1 else "",
    )


def _repeated(data: CheckedData, same: Groups) -> Finding:
    again = sum(len(group) - 1 for group in same)
    return finding(
        "repeated",
        "Teks yang dikirim lebih dari sekali",
        "keterangan",
        [f"{_wheres(group)}: {excerpt(group[0].complaint)}" for group in same],
        "Tidak perlu dihapus: salinan tidak ikut dihitung saat model diuji.",
        rows=again,
        total=data.total,
        count=again,
        cases=[Case("", tuple(where for group in same for where in _places(_surplus(group))))] if same else [],
    )


def _surplus(group: Iterable[CheckedRow]) -> Iterator[CheckedRow]:
    """Rows that teach nothing which an earlier one of the same text does not; other labels are no copies."""
    seen: set[frozenset[tuple[str, str]]] = set()
    for row in group:
        labels = frozenset(row.labels.items())
        if labels in seen:
            yield row
        seen.add(labels)


def _near_copies(data: CheckedData, groups: Groups) -> Finding:
    return finding(
        "near_copies",
        "Teks yang hampir sama",
        "keterangan",
        [f"{len(group)} laporan, {_wheres(group)}: {excerpt(group[0].complaint)}" for group in groups],
        "Tidak perlu dihapus: laporan yang hampir sama tidak ikut dihitung saat model diuji.",
        rows=sum(map(len, groups)),
        total=data.total,
        unit="kelompok",
    )


def _campaigns(data: CheckedData, near: Groups) -> Finding:
    waves = [wave for group in near if len(wave := _densest(group)) >= CAMPAIGN_ROWS]
    told = []
    for wave in sorted(waves, key=lambda wave: -len(wave)):
        days = [row.day for row in wave if row.day]
        told.append(
            f"{number(len(wave))} laporan, {period_words(days[0], days[-1])}, {_wheres(wave)}: "
            f"{excerpt(wave[0].complaint)}"
        )
    return finding(
        "campaign",
        f"Kampanye: sedikitnya {CAMPAIGN_ROWS} laporan yang hampir sama dalam {CAMPAIGN_DAYS} hari",
        "perlu dilihat",
        told,
        "Pastikan semuanya berlabel sama; bila satu kampanye menguasai sebuah kelas, kumpulkan juga laporan lain untuk "
        "kelas itu.",
        rows=sum(map(len, waves)),
        total=data.total,
        unit="kampanye",
    )


def _densest(group: Sequence[CheckedRow]) -> list[CheckedRow]:
    """The most rows of a group that came in within `CAMPAIGN_DAYS` days, oldest first."""
    dated = sorted(((row.day, number) for number, row in enumerate(group) if row.day))
    best: list[tuple[date, int]] = []
    start = 0
    for end, (day, _) in enumerate(dated, 1):
        while dated[start][0] <= day - timedelta(days=CAMPAIGN_DAYS):
            start += 1
        if end - start > len(best):
            best = dated[start:end]
    return [group[number] for _, number in best]


def _leaked(data: CheckedData) -> Finding:
    found = [(row, leaks[0]) for row in data.rows if (leaks := disposition_leaks(row.complaint.text))]
    return finding(
        "leaked",
        "Memuat bocoran disposisi",
        "keterangan",
        [
            f"{row.where}: “{shortened(masked(row.complaint.text[start:end]), LONGEST_EXCERPT)}”"
            for row, (start, end) in found
        ],
        "Tidak perlu diubah: bagian yang ditambahkan saat meneruskan laporan tidak ikut dipelajari.",
        rows=len(found),
        total=data.total,
        cases=[Case("", _places(row for row, _ in found))] if found else [],
    )


def _personal(data: CheckedData) -> Finding:
    kinds: dict[str, list[CheckedRow]] = defaultdict(list)
    for row in data.rows:
        for kind in row.personal:
            kinds[kind].append(row)
    rows = sum(bool(row.personal) for row in data.rows)
    return finding(
        "personal_data",
        "Memuat data pribadi",
        "keterangan",
        [
            f"{label}: {number(len(kinds[kind]))} laporan ({_wheres(kinds[kind])})"
            for kind, label in KIND_LABELS.items()
            if kinds[kind]
        ],
        "Disamarkan sebelum disimpan dan dipelajari; berkas asalnya tetap memuatnya, jadi batasi siapa yang dapat "
        "membukanya.",
        rows=rows,
        total=data.total,
        count=rows,
    )
