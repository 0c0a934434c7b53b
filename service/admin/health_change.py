"""Whether what comes in has changed: words, shares of agencies, and how long complaints wait."""

from service.admin.health_figures import Shift, known_words, late_weeks, shifts
from service.admin.health_view import View
from service.admin.health_words import FEWEST_COMPLAINTS
from service.charts import Chart, Row, Series, bar_chart, line_chart
from service.pages import number, percent
from service.tables import Cell, Column, Table, Unit, span

MOST_BARS, MOST_SHIFTS, MOST_WORDS = 8, 10, 30
FEWEST_WAITS = 5


def coverage_means(view: View) -> tuple[float | None, float | None]:
    """The mean share of known words before, and in the last quarter of the weeks."""
    start = view.weeks - late_weeks(view.weeks)
    sums = [[0.0, 0], [0.0, 0]]
    for group in view.asked:
        part = sums[group.week >= start]
        part[0] += group.known
        part[1] += group.read
    before, lately = (known / read if read else None for known, read in sums)
    return before, lately


def coverage_chart(view: View) -> Chart:
    found = known_words(view.asked, view.weeks)
    before, lately = coverage_means(view)
    finding = "Bagian kata dalam laporan yang dikenal model."
    if before is not None and lately is not None:
        finding = (
            f"Rata-rata {percent(lately, 1)} kata laporan dikenal model dalam {late_words(view)} terakhir, "
            f"sebelumnya {percent(before, 1)}."
        )
    rows = tuple[tuple[Cell, ...], ...]((day, n, mean) for day, (mean, n) in zip(view.days, found, strict=True))
    columns = (Column("Pekan mulai"), Column("Laporan", Unit.COUNT), Column("Kata dikenal", Unit.SHARE))
    lines = [Series("Dikenal", [mean for mean, _ in found])]
    return line_chart(
        "kata-dikenal", "Kata yang dikenal model", finding, view.day_names, lines, table=Table(columns, rows)
    )


def agency_shifts(view: View) -> list[Shift]:
    found = shifts(view.stored.asked, view.weeks)
    return [shift for shift in found if view.agency in ("", shift.agency)]


def shift_sheet(view: View) -> Chart:
    rows = tuple[tuple[Cell, ...], ...](
        (
            view.short_name(shift.agency),
            shift.before.value,
            shift.lately.value,
            shift.lately.right,
            "jelas" if shift.clear else "mungkin",
        )
        for shift in agency_shifts(view)[:MOST_SHIFTS]
    )
    columns = (
        Column("Instansi"),
        Column("Sebelumnya", Unit.SHARE),
        Column("Kini", Unit.SHARE),
        Column("Laporan", Unit.COUNT),
        Column("Berubah"),
    )
    finding = f"Bagian saran untuk tiap instansi dalam {late_words(view)} terakhir dibanding sebelumnya."
    return Chart("pergeseran", "Instansi yang bagiannya berubah", finding, Table(columns, rows))


def word_sheet(view: View) -> Chart:
    """Words that the model does not know, and where their complaints are suggested to go."""
    rows = list[tuple[Cell, ...]]()
    for word in view.words:
        n = word.agencies.get(view.agency, 0) if view.agency else word.n
        if n >= FEWEST_COMPLAINTS:
            agency = view.agency or max(word.agencies, key=lambda code: (word.agencies[code], code or ""))
            rows.append((word.word, n, view.short_name(agency)))
    rows.sort(key=lambda row: -int(str(row[1])))
    columns = (Column("Kata"), Column("Laporan", Unit.COUNT), Column("Paling sering disarankan ke"))
    finding = f"Dipakai dalam {FEWEST_COMPLAINTS} laporan atau lebih selama empat pekan terakhir, belum dikenal model."
    return Chart("kata-baru", "Kata baru", finding, Table(columns, tuple(rows[:MOST_WORDS])))


def wait_chart(view: View) -> Chart:
    """Agencies whose complaints waited longest to be disposed of."""
    waits = [wait for wait in view.stored.waits if view.agency in ("", wait.agency)]
    compared = [wait for wait in waits if wait.n >= FEWEST_WAITS or view.agency]
    ranked = sorted(compared, key=lambda wait: (-wait.median, wait.agency))
    rows = [
        Row(view.short_name(wait.agency), wait.median, f"dari {number(wait.n)}", wait.median, wait.ninetieth)
        for wait in ranked[:MOST_BARS]
    ]
    table = Table(
        (
            Column("Instansi yang dipilih"),
            Column("Disposisi", Unit.COUNT),
            Column("Separuh selesai dalam", Unit.SPAN),
            Column("90 % selesai dalam", Unit.SPAN),
        ),
        tuple((view.name(wait.agency), wait.n, wait.median, wait.ninetieth) for wait in ranked),
    )
    finding = "Dari laporan masuk sampai disposisi pertama, tanpa rute otomatis."
    if ranked:
        slowest = ranked[0]
        finding = (
            f"Batang: separuh laporan menunggu tidak lebih lama. Garis: sampai 90 %. Tanpa rute otomatis. Terlama "
            f"{view.short_name(slowest.agency)}, {span(slowest.median)}."
        )
    return bar_chart("lama", "Paling lama menunggu disposisi", finding, rows, Unit.SPAN, table=table)


def late_words(view: View) -> str:
    """How long the time is that is compared with what was before."""
    weeks = late_weeks(view.weeks)
    return f"{weeks} pekan" if weeks > 1 else "pekan"
