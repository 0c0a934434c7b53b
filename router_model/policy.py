"""From belief to advice: which route a complaint takes, and why.

The policy reads probabilities and the portal's wishes; it never changes the model, so a wish can change
without training again.
"""

from dataclasses import dataclass
from enum import StrEnum

FEWEST_WORDS = 3
LEAST_COVERAGE = 0.4
AMBIGUOUS_MARGIN = 0.15


class Route(StrEnum):
    AUTO = "auto"
    PREFILL = "prefill"
    REVIEW = "review"
    EMERGENCY = "emergency"
    EXTERNAL = "external"
    INCOMPLETE = "incomplete"


ROUTE_LABELS = {
    Route.AUTO: "Dapat langsung diteruskan",
    Route.PREFILL: "Sudah dipilihkan, petugas tinggal menyimpan",
    Route.REVIEW: "Perlu dilihat petugas",
    Route.EMERGENCY: "Darurat, panggil petugas sekarang",
    Route.EXTERNAL: "Kewenangan instansi di luar pemerintah daerah ini",
    Route.INCOMPLETE: "Belum cukup keterangan",
}

REASONS = {
    "empty_text": "Laporan tidak berisi kata yang dapat dibaca.",
    "too_short": "Laporan terlalu pendek untuk diteruskan.",
    "unknown_words": "Sebagian besar kata laporan ini belum pernah dilihat model.",
    "place_missing": "Urusan ini ditangani kantor wilayah, tetapi tempatnya belum disebut.",
    "danger": "Isi laporan menunjukkan bahaya bagi jiwa atau keselamatan.",
    "external_agency": "Urusan ini bukan kewenangan pemerintah daerah ini.",
    "sure": "Model sangat yakin dengan instansi dan kategorinya.",
    "fairly_sure": "Model cukup yakin dengan instansinya.",
    "low_confidence": "Model belum cukup yakin instansi mana yang berwenang.",
    "ambiguous": "Dua instansi hampir sama kuat.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a route was taken: a code for programs and a sentence for people."""

    code: str
    message: str


def reason(code: str) -> Reason:
    return Reason(code, REASONS[code])


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds on calibrated probabilities.

    `auto` and `prefill` are the smallest agency probability at which later complaints were right as often as the
    portal wants, above 1 where no threshold reached it. `place_precision` is how often the office found from
    the place was the right one, given that its kind was.
    """

    auto: float = 1.01
    prefill: float = 1.01
    category_auto: float = 1.01
    emergency: float = 0.12
    place_precision: float = 0.95
