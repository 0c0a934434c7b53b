"""How often the model was right, as dispositions came in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router_model.policy import Route
from service.admin.health_figures import FEWEST, Share, Tally, pairs, tallied, total, weekly
from service.admin.health_view import View, share_words
from service.charts import Chart, Row, Series, bar_chart, line_chart
from service.database.health import Decided
from service.pages import number, percent
from service.tables import Cell, Column, Table, Unit

MOST_BARS, MOST_PAIRS = 8, 15
_WEEK = Column("Pekan mulai")
_PARTS: tuple[Callable[[Decided], bool], ...] = (
    lambda group: True,
    lambda group: group.route == Route.AUTO.value,
    lambda group: group.audited,
    lambda group: group.route == Route.PREFILL.value,
)


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """How often one agency was rightly suggested: all in all, where the model was sure, where it was sure and a person
    looked at it by chance, and where it was selected before a person saved it."""

    name: str
    every: Tally
    sure: Share
    audited: Share
    prefilled: Share


def accuracy_chart(view: View) -> Chart:
    tallies = weekly(view.decided, view.weeks)
    first, three = [tally.first for tally in tallies], [tally.three for tally in tallies]
    whole = total(view.decided)
    asked = sum(group.n for group in view.asked)
    finding = "Belum ada laporan yang didisposisi pada masa ini."
    if whole.n:
        finding = (
            f"{number(whole.n)} dari {number(asked)} laporan sudah didisposisi: "
            f"{percent(whole.first.value, 1)} ke instansi pertama yang disarankan, "
            f"{percent(whole.three.value, 1)} ke salah satu dari tiga teratas."
        )
    table = _shares_table(view, [("Pertama tepat", first), ("Tiga teratas", three)])
    lines = [_line("Pertama", first), _line("Tiga teratas", three)]
    return line_chart("ketepatan", "Instansi yang disarankan tepat", finding, view.day_names, lines, table=table)


def auto_chart(view: View) -> Chart:
    """Of sure answers: all of them, and those drawn at random that a person looked at."""
    sure = [group for group in view.decided if group.route == Route.AUTO.value]
    audited = [group for group in sure if group.audited]
    every, drawn = ([tally.first for tally in weekly(groups, view.weeks)] for groups in (sure, audited))
    finding = f"Semua: {share_words(total(sure).first)}. Sampel acak: {share_words(total(audited).first)}."
    lines = [Series("Semua", [share.value for share in every]), _line("Sampel acak", drawn)]
    return line_chart(
        "otomatis",
        "Rute otomatis tepat",
        finding,
        view.day_names,
        [line for line in lines if any(value is not None for value in line.values)],
        goals=[("Diminta", view.policy.precision_auto)] if view.policy else (),
        table=_shares_table(view, [("Semua", every), ("Sampel acak", drawn)]),
    )


def prefill_chart(view: View) -> Chart:
    chosen_before = [group for group in view.decided if group.route == Route.PREFILL.value]
    shares = [tally.first for tally in weekly(chosen_before, view.weeks)]
    return line_chart(
        "dipilihkan",
        "Pilihan yang disiapkan tepat",
        f"Rute sudah dipilihkan: {share_words(total(chosen_before).first)}.",
        view.day_names,
        [_line("Tepat", shares)],
        goals=[("Diminta", view.policy.precision_prefill)] if view.policy else (),
        table=_shares_table(view, [("Tepat", shares)]),
    )


def calibration_chart(view: View) -> Chart:
    """What the model expected of its first agency, and what came of it."""
    tallies = weekly(view.decided, view.weeks)
    observed = [tally.first for tally in tallies]
    whole = total(view.decided)
    finding = "Belum ada laporan yang didisposisi pada masa ini."
    if whole.n:
        finding = (
            f"Model memperkirakan {percent(whole.mean_expected, 1)} sarannya tepat; "
            f"nyatanya {percent(whole.first.value, 1)}."
        )
    columns = (
        _WEEK,
        Column("Disposisi", Unit.COUNT),
        Column("Diperkirakan", Unit.SHARE),
        Column("Nyatanya", Unit.SHARE),
    )
    rows = tuple[tuple[Cell, ...], ...](
        (day, tally.n, tally.mean_expected, tally.first.value) for day, tally in zip(view.days, tallies, strict=True)
    )
    lines = [_line("Nyatanya", observed), Series("Diperkirakan", [tally.mean_expected for tally in tallies])]
    return line_chart(
        "kalibrasi", "Perkiraan dan kenyataan", finding, view.day_names, lines, table=Table(columns, rows)
    )


def agency_rows(view: View) -> list[AgencyRow]:
    """Every agency that was suggested for what has been disposed of, most first."""
    every, sure, audited, prefilled = (
        tallied([group for group in view.decided if wanted(group)], lambda group: group.agency) for wanted in _PARTS
    )
    codes = sorted(every, key=lambda code: (-every[code].n, code))
    return [
        AgencyRow(view.name(code), every[code], *(part.get(code, Tally()).first for part in (sure, audited, prefilled)))
        for code in codes
    ]


def agency_sheet(view: View) -> Chart:
    columns = [Column("Instansi yang disarankan"), *_bounded("Pertama tepat"), Column("Tiga teratas", Unit.SHARE)]
    for name in ("Otomatis", "Otomatis, sampel acak", "Sudah dipilihkan"):
        columns += _bounded(name)
    rows = tuple[tuple[Cell, ...], ...](
        (
            row.name,
            *_bounds(row.every.first),
            row.every.three.value,
            *(cell for share in (row.sure, row.audited, row.prefilled) for cell in _bounds(share)),
        )
        for row in agency_rows(view)
    )
    finding = "Ketepatan menurut instansi yang disarankan, dengan rentang 95 % dan banyaknya disposisi."
    return Chart("instansi", "Ketepatan tiap instansi", finding, Table(tuple(columns), rows))


def corrected_chart(view: View) -> Chart:
    """Suggested agencies whose complaints went elsewhere most often."""
    tallies = tallied(filter(_an_office, view.decided), lambda group: group.agency)
    compared = {code: tally for code, tally in tallies.items() if tally.n >= FEWEST or code == view.agency}
    ranked = sorted(compared, key=lambda code: (-(compared[code].corrected.value or 0.0), -compared[code].n, code))
    rows = []
    for code in ranked[:MOST_BARS]:
        share = compared[code].corrected
        note = f"dari {number(share.n)}"
        rows.append(Row(view.short_name(code), share.value or 0.0, note, share.low, share.high))
    table = Table(
        (
            Column("Instansi yang disarankan"),
            Column("Disposisi", Unit.COUNT),
            Column("Instansi diganti", Unit.SHARE),
            Column("Paling rendah", Unit.SHARE),
            Column("Paling tinggi", Unit.SHARE),
            Column("Hanya kategori diganti", Unit.SHARE),
        ),
        tuple(
            (view.name(code), tally.n, share.value, share.low, share.high, tally.recategorised / tally.n)
            for code in ranked
            if (tally := compared[code]) and (share := tally.corrected)
        ),
    )
    finding = f"Bagian yang diganti petugas, pada instansi dengan {FEWEST} disposisi atau lebih. Garis: rentang 95 %."
    return bar_chart("koreksi", "Paling sering dikoreksi", finding, rows, Unit.SHARE, table=table)


def pair_sheet(view: View) -> Chart:
    """Agencies taken for one another; with one agency chosen, as suggested or as right."""
    groups = filter(_an_office, view.stored.decided)
    found = pairs(group for group in groups if view.agency in ("", group.agency) or view.agency == group.chosen)
    rows = tuple((view.short_name(pair.suggested), view.short_name(pair.chosen), pair.n) for pair in found[:MOST_PAIRS])
    columns = (Column("Disarankan"), Column("Dipilih petugas"), Column("Laporan", Unit.COUNT))
    finding = f"{number(sum(pair.n for pair in found))} laporan dikirim ke instansi lain daripada yang disarankan."
    return Chart("tertukar", "Instansi yang tertukar", finding, Table(columns, rows))


def _an_office(group: Decided) -> bool:
    """Of a kind of body alone, its place unknown, nobody was mistaken for another."""
    return not group.agency.startswith("@")


def _line(name: str, shares: Sequence[Share]) -> Series:
    return Series(
        name, [share.value for share in shares], [share.low for share in shares], [share.high for share in shares]
    )


def _bounded(name: str) -> list[Column]:
    return [
        Column(f"{name}, n", Unit.COUNT),
        Column(name, Unit.SHARE),
        Column(f"{name}, paling rendah", Unit.SHARE),
        Column(f"{name}, paling tinggi", Unit.SHARE),
    ]


def _bounds(share: Share) -> tuple[Cell, ...]:
    return share.n, share.value, share.low, share.high


def _shares_table(view: View, named: Sequence[tuple[str, Sequence[Share]]]) -> Table:
    """For each week how many, which share, and its bounds."""
    columns = [_WEEK, *(column for name, _ in named for column in _bounded(name))]
    rows = tuple[tuple[Cell, ...], ...](
        (day, *(cell for _, shares in named for cell in _bounds(shares[week]))) for week, day in enumerate(view.days)
    )
    return Table(tuple(columns), rows)
