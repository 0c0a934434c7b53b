"""What an admin should see first: the figures of the whole period, and what stands out."""

from collections.abc import Iterator
from dataclasses import dataclass

from router_model.policy import Route
from service.admin.health_change import agency_shifts, coverage_means, late_words
from service.admin.health_emergency import middle, of_period, waiting
from service.admin.health_figures import Share, seen_after, total
from service.admin.health_view import View, range_words, share_words
from service.pages import number, percent
from service.tables import NOTHING, span

OFF = 0.05
"""A mean expectation this far from what came of it is told."""
FEWER = 0.03
"""A share of known words that fell by this much is told."""
TONES = ("danger", "warn", "brand")


@dataclass(frozen=True, slots=True)
class Tile:
    """`anchor` is the chart that tells more."""

    label: str
    value: str
    note: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone` is one of `TONES`; `address` leads to the figures or to what can be done."""

    tone: str
    text: str
    address: str
    where: str


def tiles(view: View) -> list[Tile]:
    n = sum(group.n for group in view.asked)
    whole, audited = total(view.decided), _audited(view)
    _, known = coverage_means(view)
    found = of_period(view)
    seen = middle(found, seen_after)
    return [
        Tile("Laporan masuk", number(n), f"sekitar {number(n / view.weeks)} tiap pekan", "kanal"),
        _tile("Instansi pertama tepat", whole.first, "ketepatan"),
        _tile("Di antara tiga teratas", whole.three, "ketepatan"),
        _tile("Otomatis tepat, sampel acak", audited, "otomatis"),
        Tile("Kata yang dikenal model", percent(known, 1), f"dalam {late_words(view)} terakhir", "kata-dikenal"),
        Tile(
            "Darurat dilihat dalam",
            NOTHING if seen is None else span(seen),
            f"median {number(len(found))} laporan darurat",
            "kecepatan-darurat",
        ),
    ]


def _tile(label: str, share: Share, anchor: str) -> Tile:
    note = f"dari {number(share.n)}, rentang {range_words(share)}" if share.n else "belum ada disposisi"
    return Tile(label, percent(share.value, 1), note, anchor)


def notices(view: View) -> list[Notice]:
    """Gravest first."""
    found = [*_emergencies(view), *_precision(view), *_calibration(view), *_words(view), *_shifts(view)]
    return sorted(found, key=lambda notice: TONES.index(notice.tone))


def _audited(view: View) -> Share:
    return total(group for group in view.decided if group.audited).first


def _emergencies(view: View) -> Iterator[Notice]:
    open_now = waiting(view)
    unseen = [found for found in open_now if not found.seen]
    if unseen:
        words = f"{number(len(unseen))} laporan darurat belum dilihat siapa pun"
        yield Notice("danger", f"{words}; yang tertua sudah {span(unseen[0].seconds)}.", "#menunggu", "Lihat daftarnya")
    elif open_now:
        words = f"{number(len(open_now))} laporan darurat sudah dilihat tetapi belum diputuskan."
        yield Notice("warn", words, "#menunggu", "Lihat daftarnya")


def _precision(view: View) -> Iterator[Notice]:
    if view.policy is None:
        return
    prefilled = total(group for group in view.decided if group.route == Route.PREFILL.value).first
    for share, wanted, name, tone in (
        (_audited(view), view.policy.precision_auto, "Rute otomatis pada sampel acak", "danger"),
        (prefilled, view.policy.precision_prefill, "Pilihan yang disiapkan", "warn"),
    ):
        if share.high is not None and share.high < wanted:
            words = f"{name} tepat {share_words(share)}, padahal yang diminta {percent(wanted)}."
            yield Notice(tone, words, "/admin/kebijakan", "Buka kebijakan")


def _calibration(view: View) -> Iterator[Notice]:
    whole = total(view.decided)
    expected, share = whole.mean_expected, whole.first
    if expected is None or share.value is None or share.low is None or share.high is None:
        return
    if abs(expected - share.value) > OFF and not share.low <= expected <= share.high:
        told = "terlalu yakin" if expected > share.value else "terlalu ragu"
        words = f"Model {told}: memperkirakan {percent(expected, 1)} tepat, nyatanya {percent(share.value, 1)}."
        yield Notice("warn", words, "#kalibrasi", "Lihat perkiraannya")


def _words(view: View) -> Iterator[Notice]:
    before, lately = coverage_means(view)
    if before is not None and lately is not None and before - lately > FEWER:
        words = f"Kata yang dikenal model turun dari {percent(before, 1)} menjadi {percent(lately, 1)}."
        yield Notice("warn", f"{words} Latih dengan data yang lebih baru.", "/admin/pelatihan", "Buka pelatihan")


def _shifts(view: View) -> Iterator[Notice]:
    clear = [shift for shift in agency_shifts(view) if shift.clear]
    if clear:
        most = clear[0]
        words = f"Bagian {number(len(clear))} instansi jelas berubah, paling jelas {view.short_name(most.agency)}: "
        words += f"{percent(most.before.value, 1)} menjadi {percent(most.lately.value, 1)}."
        yield Notice("brand", words, "#pergeseran", "Lihat perubahannya")
