"""The evaluation of a release as one page for people: the answer in five sentences, then everything behind it.

The page needs nothing beside itself, holds no complaint, and the same report gives the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from router_model.policy import ROUTE_LABELS
from training.charts import (
    FEWEST_DRAWN,
    MONTHS,
    bar_chart,
    month_chart,
    number,
    percent,
    reliability_chart,
    risk_coverage_chart,
)

ANSWER_NAMES = {
    "agency": "Instansi",
    "agency_kind": "Instansi, kantor wilayah digabung",
    "category": "Kategori",
    "urgency": "Urgensi",
    "report_type": "Jenis laporan",
}
CHANNEL_NAMES = {"app": "Aplikasi", "email": "Surel", "sms": "SMS", "whatsapp": "WhatsApp", "x": "X (Twitter)"}
MOST_BARS = 12
FEW_ROWS = 200
CLEARLY = 0.02

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A figure in large letters, the sentence it belongs to, and how far to trust it."""

    figure: str
    sentence: str
    note: str = ""
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    finding: str
    svg: Markup


SHIPPED_ONLY = (
    "Portal ini belum punya cukup laporan berlabel untuk diuji. Semua angka di sini dari laporan contoh bawaan, yang "
    "lebih mudah: di dua kota yang labelnya tidak pernah dilihat, 65 % (Surabaya) dan 51 % (Kab. Bandung) langsung "
    "ke jenis instansi yang tepat. Latih ulang begitu ada disposisi."
)
"""Measured by python -m benchmarks.dayone."""


def report_page(report: Report, heading: Mapping[str, Any]) -> str:
    """The page of a `full_report`.

    `heading` says what was measured: `release`, `portal`, `created_at`, `rows`, `from`, `until` (what the
    release learned from), `held_back_from`, `held_back_until`; moments in ISO 8601 or `None`. It may hold
    `mappings` (`label, agency, count, rule`), `gate` (`agrees, against, reasons`) and `forward` (whether the
    rows asked came later than all that was learned; without it, whether the report has `baselines`).
    `report["candidates"]` (`wanted, holding, mean_size`) is shown if it is there.
    """
    environment = Environment(
        loader=PackageLoader("training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "percent": percent, "range": _range}
    return environment.get_template("report.html").render(
        heading=heading,
        created=_date(heading.get("created_at")),
        learned=_period(heading.get("from"), heading.get("until")),
        asked="contoh bawaan, bukan dari portal ini"
        if report.get("shipped")
        else _period(heading.get("held_back_from"), heading.get("held_back_until")),
        forward=heading.get("forward", "baselines" in report),
        gate=heading.get("gate"),
        mappings=heading.get("mappings") or (),
        report=report,
        statements=statements(report),
        cautions=cautions(report),
        answers=_answers(report),
        routes=[(ROUTE_LABELS[route], row) for route, row in _routes(report)],
        pictures=pictures(report),
        fewest=FEWEST_DRAWN,
    )


def _routes(report: Report) -> list[tuple[Any, Mapping[str, Any]]]:
    return [(route, report["routes"][route.value]) for route in ROUTE_LABELS if route.value in report["routes"]]


def _answers(report: Report) -> dict[str, str]:
    """Names of the answers that have figures; the merged agencies only where they differ from the exact ones."""
    figures = report["answers"]
    same = figures.get("agency") == figures.get("agency_kind")
    return {key: name for key, name in ANSWER_NAMES.items() if key in figures and not (same and key == "agency_kind")}


def _date(moment: object) -> str:
    try:
        day = datetime.fromisoformat(str(moment))
    except ValueError:
        return "tanpa tanggal"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _period(start: object, end: object) -> str:
    first, last = _date(start), _date(end)
    return first if first == last else f"{first} sampai {last}"


def _range(interval: Sequence[float], decimals: int = 1) -> str:
    """Two shares as 77,8–81,3 %."""
    return f"{number(100 * interval[0], decimals)}–{percent(interval[1], decimals)}"


def _out_of(share: float, n: int) -> tuple[int, int]:
    """A share as so many of 100, or of the rows themselves where there are fewer."""
    base = min(100, n)
    return round(share * base), base


def statements(report: Report) -> list[Statement]:
    """What a head of office should know, most important first."""
    agency = "agency" if "agency" in report["answers"] else "agency_kind"
    found = [
        _answer(report, agency, "langsung ke instansi yang tepat", "instansi yang tepat"),
        _automatic(report),
        _answer(report, "category", "langsung mendapat kategori yang tepat", "kategori yang tepat"),
        _danger(report),
        _comparison(report),
    ]
    return [statement for statement in found if statement]


def _answer(report: Report, answer: str, done: str, thing: str) -> Statement | None:
    figures = report["answers"].get(answer)
    if not figures:
        return None
    hit, base = _out_of(figures["accuracy"], figures["n"])
    listed, _ = _out_of(figures["top3"], figures["n"])
    interval = report["intervals"][answer]["accuracy"]
    return Statement(
        f"{hit} dari {base}",
        f"Dari {base} laporan {'contoh bawaan' if report.get('shipped') else 'baru'}, {hit} {done}; "
        f"{listed} kali {thing} ada di tiga teratas.",
        f"Tepat {percent(figures['accuracy'], 1)} dari {number(figures['n'])} laporan uji "
        f"(rentang 95\u00a0%: {_range(interval)}).",
    )


def _automatic(report: Report) -> Statement | None:
    auto, prefill = report["routes"]["auto"], report["routes"]["prefill"]
    if not report["rows"]:
        return None
    many, base = _out_of(auto["share"], report["rows"])
    chosen, _ = _out_of(prefill["share"], report["rows"])
    note = f"{chosen} dari {base} sudah dipilihkan instansinya"
    if "precision" in prefill:
        note += f", {percent(prefill['precision'], 1)} tepat"
    note += "; petugas tinggal memeriksa dan menyimpan."
    if not auto["n"]:
        return Statement(
            f"0 dari {base}",
            "Belum ada laporan yang dapat diteruskan otomatis: ketepatan yang diminta portal belum terbukti tercapai.",
            note,
        )
    right = f"; dari itu {percent(auto['precision'], 1)} tepat" if "precision" in auto else ""
    return Statement(f"{many} dari {base}", f"{many} dari {base} laporan dapat diteruskan otomatis{right}.", note)


def _danger(report: Report) -> Statement:
    danger = report.get("danger")
    if not danger or not danger["emergencies"]["n"]:
        lacking = "laporan darurat" if danger else "label urgensi"
        return Statement(
            "–", f"Kesigapan pada bahaya belum dapat dinilai: data uji tidak memuat {lacking}.", tone="warn"
        )
    emergencies, alarms, urgent = danger["emergencies"], danger["alarms"], danger["urgent"]
    raised, n = round(emergencies["share"] * emergencies["n"]), emergencies["n"]
    vain, base = _out_of(alarms.get("share", 0.0), alarms["n"])
    return Statement(
        f"{raised} dari {n}",
        f"{raised} dari {n} laporan darurat langsung diangkat ke petugas jaga"
        + (f"; dari {base} laporan lain, {vain} ikut terangkat." if base else "."),
        f"Darurat dan tinggi bersama: {round(urgent['share'] * urgent['n'])} dari {urgent['n']} dikenali sebagai "
        "darurat atau tinggi.",
        "good" if raised == n else "danger",
    )


def _comparison(report: Report) -> Statement | None:
    """How far ahead of the plain model, on the first answer it has."""
    for answer, models in report.get("baselines", {}).items():
        plain, ours = models["plain"], report["answers"][answer]
        theirs, base = _out_of(plain["accuracy"], ours["n"])
        mine, _ = _out_of(ours["accuracy"], ours["n"])
        low, high = plain["lead"]["accuracy"]["interval"]
        verdict = "keunggulan yang nyata" if low > 0 else "Aduan kalah" if high < 0 else "belum dapat disebut berbeda"
        return Statement(
            f"{mine} lawan {theirs}",
            f"Pada {base} laporan yang sama, Aduan benar {mine} kali dan model pembanding yang sederhana {theirs} kali "
            f"({ANSWER_NAMES[answer].lower()}).",
            f"{_lead(plain)}: {verdict}. Selalu menebak pilihan tersering hanya benar "
            f"{percent(models['majority']['accuracy'])}.",
            "good" if low > 0 else "warn",
        )
    return None


def _lead(plain: Mapping[str, Any]) -> str:
    lead = plain["lead"]["accuracy"]
    low, high = (number(100 * value, 1) for value in lead["interval"])
    return f"Selisih {number(100 * lead['value'], 1)} poin (rentang 95\u00a0%: {low} sampai {high})"


def cautions(report: Report) -> list[str]:
    """Where not to rely on the release, in whole sentences."""
    found = [SHIPPED_ONLY] if report.get("shipped") else []
    if 0 < report["rows"] < FEW_ROWS:
        found.append(f"Hanya {report['rows']} laporan yang diuji; semua angka masih kasar, perhatikan rentangnya.")
    answer = "agency_kind" if "agency_kind" in report["answers"] else "agency"
    for row in _weakest(report, answer)[:3]:
        hit = round(row["recall"] * row["support"])
        found.append(
            f"{row['name']}: {hit} dari {row['support']} laporannya langsung tepat ({percent(row['recall'])}; "
            f"rata-rata {percent(report['answers'][answer]['accuracy'])})."
        )
    for pair in [pair for pair in report["confusion"].get(answer, ()) if pair["count"] > 1][:3]:
        found.append(
            f"Laporan untuk {pair['wanted_name']} kadang diberikan kepada {pair['given_name']}: "
            f"{pair['count']} dari {pair['support']} laporan."
        )
    for name, models in report.get("baselines", {}).items():
        lead = models["plain"]["lead"]["accuracy"]
        if lead["value"] < 0:
            doubt = ", tetapi belum tentu lebih baik" if lead["interval"][1] >= 0 else ""
            found.append(
                f"{ANSWER_NAMES[name]}: model pembanding yang sederhana lebih sering benar{doubt}. "
                f"{_lead(models['plain'])}."
            )
    return found


def _weakest(report: Report, answer: str) -> list[Mapping[str, Any]]:
    """Classes of enough rows that are found clearly less often than the average, worst first."""
    average = report["answers"].get(answer, {}).get("accuracy", 0.0)
    known = [row for row in report["classes"].get(answer, ()) if row["support"] >= FEWEST_DRAWN]
    return sorted(
        (row for row in known if row["recall"] < average - CLEARLY), key=lambda row: (row["recall"], row["name"])
    )


def pictures(report: Report) -> dict[str, Picture]:
    """Charts by what they show; one that has nothing to show is missing."""
    found = {
        "risk_coverage": _risk_coverage(report),
        "reliability": _reliability(report),
        "classes": _class_bars(report),
        "months": _months(report),
        "lengths": _group_bars(report, "by_length", "Menurut panjang laporan", _length),
        "channels": _group_bars(report, "by_channel", "Menurut kanal", _channel),
    }
    return {name: picture for name, picture in found.items() if picture}


def _main_lines(report: Report, section: str) -> dict[str, Any]:
    """A section of agency and category, by the name people read."""
    return {
        ANSWER_NAMES[answer]: report[section][answer]
        for answer in ("agency", "category")
        if report[section].get(answer)
    }


def _risk_coverage(report: Report) -> Picture | None:
    lines = _main_lines(report, "risk_coverage")
    if not lines:
        return None
    name, points = next(iter(lines.items()))
    half = min(points, key=lambda point: abs(point["share"] - 0.5))
    finding = (
        f"{name}: bila hanya {percent(half['share'])} laporan yang paling yakin yang dijawab, "
        f"{percent(half['precision'])} tepat; bila semua dijawab, {percent(points[-1]['precision'])}. "
        "Garis titik-titik: ketepatan 95\u00a0%."
    )
    title = "Makin yakin, makin tepat"
    return Picture(title, finding, Markup(risk_coverage_chart(lines, title, finding)))  # noqa: S704


def _reliability(report: Report) -> Picture | None:
    lines = _main_lines(report, "reliability")
    if not lines:
        return None
    name, bins = next(iter(lines.items()))
    surest = bins[-1]
    finding = (
        f"{name}: pada laporan yang paling yakin, model berkata {percent(surest['confidence'])} dan nyatanya tepat "
        f"{percent(surest['right'])}. Titik pada garis putus-putus berarti peluangnya jujur; "
        f"tiap titik mewakili sekitar {number(surest['n'])} laporan."
    )
    title = "Apakah peluangnya jujur?"
    return Picture(title, finding, Markup(reliability_chart(bins, title, finding)))  # noqa: S704


def _class_bars(report: Report) -> Picture | None:
    answer = "agency_kind" if "agency_kind" in report["answers"] else "agency"
    rows = [row for row in report["classes"].get(answer, ()) if row["support"]][:MOST_BARS]
    if not rows:
        return None
    average = report["answers"][answer]["accuracy"]
    enough = [row for row in rows if row["support"] >= FEWEST_DRAWN] or rows
    weakest = min(enough, key=lambda row: (row["recall"], -row["support"]))
    finding = (
        f"Rata-rata {percent(average)} (garis tegak). Di antara {len(enough)} instansi dengan laporan uji terbanyak, "
        f"yang paling sering keliru {weakest['name']}: {percent(weakest['recall'])} dari {weakest['support']} laporan."
    )
    title = "Laporan yang langsung tepat, menurut instansi"
    bars = [(row["name"], row["recall"], row["support"]) for row in rows]
    return Picture(title, finding, Markup(bar_chart(bars, title, finding, average)))  # noqa: S704


def _months(report: Report) -> Picture | None:
    lines = _main_lines(report, "by_month")
    name, groups = next(iter(lines.items()), ("", []))
    if len(groups) < 2:
        return None
    shares = [group["accuracy"] for group in groups if group["n"] >= FEWEST_DRAWN]
    finding = (
        f"{name}: antara {percent(min(shares))} dan {percent(max(shares))} pada bulan dengan sedikitnya "
        f"{FEWEST_DRAWN} laporan."
        if shares
        else f"{name}: laporan tiap bulan terlalu sedikit untuk dibandingkan."
    )
    title = "Dari bulan ke bulan"
    return Picture(title, finding, Markup(month_chart(lines, title, finding)))  # noqa: S704


def _length(least: int) -> str:
    return {1: "1–9 kata", 10: "10–19 kata", 20: "20–44 kata", 45: "45–89 kata"}.get(least, f"{least} kata atau lebih")


def _channel(name: str) -> str:
    return CHANNEL_NAMES.get(name, name.capitalize())


def _group_bars(report: Report, section: str, title: str, named: Callable[[Any], str]) -> Picture | None:
    name, groups = next(iter(_main_lines(report, section).items()), ("", []))
    if len(groups) < 2:
        return None
    if section == "by_channel":
        groups = sorted(groups, key=lambda group: -group["n"])
    enough = sorted((group for group in groups if group["n"] >= FEWEST_DRAWN), key=lambda group: group["accuracy"])
    finding = (
        f"{name}: paling tepat pada {named(enough[-1]['group'])} ({percent(enough[-1]['accuracy'])}), "
        f"paling sering keliru pada {named(enough[0]['group'])} ({percent(enough[0]['accuracy'])})."
        if len(enough) > 1
        else f"{name}: laporan tiap kelompok terlalu sedikit untuk dibandingkan."
    )
    bars = [(named(group["group"]), group["accuracy"], group["n"]) for group in groups]
    average = next(iter(_main_lines(report, "answers").values()))["accuracy"]
    return Picture(title, finding, Markup(bar_chart(bars, title, finding, average)))  # noqa: S704
