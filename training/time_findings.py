"""What is wrong with the dates of a data set: missing, impossible, weeks without a complaint, sudden heaps."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import median

from training.charts import number, percent
from training.checked_data import EARLIEST, CheckedData, CheckedRow
from training.excerpts import day_words, period_words, places, quoted
from training.findings import Case, Finding, finding

WEEK = timedelta(days=7)
JUMP_TIMES = 3
JUMP_ROWS = 20
"""A week is a jump with more than so many times the median, and so many rows above it."""
USUAL_ROWS = 3
"""With fewer rows in the usual week, an empty week is no sign of anything."""


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def weekly(dated: Sequence[CheckedRow]) -> dict[date, int]:
    """Rows of every week of the period by its Monday, empty weeks included, in order."""
    counts = Counter(monday(row.day) for row in dated if row.day)
    if not counts:
        return {}
    first, last = min(counts), max(counts)
    return {week: counts[week] for week in (first + n * WEEK for n in range((last - first) // WEEK + 1))}


def usual_week(weeks: Mapping[date, int]) -> int:
    return math.ceil(median(weeks.values())) if weeks else 0


def is_jump(rows: int, usual: int) -> bool:
    return rows > JUMP_TIMES * usual and rows - usual >= JUMP_ROWS


def time_findings(data: CheckedData) -> list[Finding]:
    weeks = weekly(data.dated)
    return [_no_date(data), _odd_dates(data), _gaps(data, weeks), _jumps(data, weeks)]


def _no_date(data: CheckedData) -> Finding:
    missing = [row for row in data.rows if not row.moment]
    blank = [row.where for row in missing if not row.row.get("received_at")]
    unread: dict[str, list[str]] = defaultdict(list)
    for row in missing:
        if row.row.get("received_at"):
            unread[row.row.get("received_at")].append(row.where)
    told = [f"tanggal tidak terbaca {quoted(value)}: {places(wheres)}" for value, wheres in unread.items()]
    return finding(
        "no_date",
        "Tanpa tanggal yang terbaca",
        "perlu dilihat",
        told + ([f"tanggal kosong: {places(blank)}"] if blank else []),
        "Isi tanggal masuknya, hari lebih dulu (31/12/2025) atau ISO (2025-12-31); model diuji menurut urutan waktu.",
        rows=len(missing),
        total=data.total,
        count=len(missing),
        cases=_case(missing),
    )


def _odd_dates(data: CheckedData) -> Finding:
    odd = [row for row in data.rows if row.moment and not row.day]
    return finding(
        "odd_date",
        f"Tanggal di masa depan atau sebelum {EARLIEST.year}",
        "salah",
        [f"{row.where}: {quoted(row.row.get('received_at'))}" for row in odd],
        "Perbaiki tanggalnya: hari dan bulan mungkin tertukar, atau tahunnya salah ketik. Laporan bertanggal masa "
        "depan akan dikira yang terbaru.",
        rows=len(odd),
        total=data.total,
        cases=_case(odd),
    )


def _case(rows: Sequence[CheckedRow]) -> list[Case]:
    return [Case(places([row.where for row in rows]), tuple(row.row.where for row in rows))] if rows else []


def _gaps(data: CheckedData, weeks: Mapping[date, int]) -> Finding:
    empty = [week for week, rows in weeks.items() if not rows]
    runs: list[list[date]] = []
    for week in empty:
        if runs and runs[-1][-1] + WEEK == week:
            runs[-1].append(week)
        else:
            runs.append([week])
    return finding(
        "gap",
        "Minggu tanpa satu laporan pun",
        "perlu dilihat" if usual_week(weeks) >= USUAL_ROWS else "keterangan",
        [
            f"{period_words(run[0], run[-1] + timedelta(days=6))} ({len(run)} minggu)"
            for run in sorted(runs, key=lambda run: (-len(run), run))
        ],
        "Pastikan ekspornya lengkap; bila portal memang berhenti saat itu, biarkan.",
        rows=0,
        total=data.total,
        unit="minggu",
        count=len(empty),
    )


def _jumps(data: CheckedData, weeks: Mapping[date, int]) -> Finding:
    usual = usual_week(weeks)
    high = {week: rows for week, rows in weeks.items() if is_jump(rows, usual)}
    most: dict[date, Counter[str]] = {week: Counter() for week in high}
    for row in data.dated:
        if row.day and monday(row.day) in most:
            most[monday(row.day)].update(
                {row.labels[column] for column in ("agency", "category") if column in row.labels}
            )
    told = []
    for week, rows in sorted(high.items(), key=lambda item: (-item[1], item[0])):
        words = f"minggu {day_words(week)}: {number(rows)} laporan, biasanya {number(usual)}"
        for label, count in sorted(most[week].items(), key=lambda item: (-item[1], item[0]))[:1]:
            words += f"; terbanyak {quoted(label)} ({percent(count / rows)})"
        told.append(words)
    return finding(
        "jump",
        "Minggu dengan laporan jauh lebih banyak dari biasanya",
        "perlu dilihat",
        told,
        "Cari sebabnya: kejadian besar, kampanye, atau data yang dimasukkan sekaligus dengan satu tanggal.",
        rows=sum(high.values()),
        total=data.total,
        unit="minggu",
    )
