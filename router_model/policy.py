"""From belief to advice: which route a complaint takes, and why.

The policy reads probabilities and the portal's wishes; it never changes the model, so a wish can change
without training again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from router_model.portal import Agency
from router_model.rules import RuleRecord, Tally

FEWEST_WORDS = 3
LEAST_COVERAGE = 0.4
AMBIGUOUS_MARGIN = 0.15
NEVER = 1.01
"""A probability that is never reached."""


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
    "sure": "Model sangat yakin dengan instansinya.",
    "fairly_sure": "Model cukup yakin dengan instansinya.",
    "agency_unproven": "Untuk instansi ini ketepatan yang diminta belum terbukti pada laporan terdahulu.",
    "category_group": "Subkategorinya belum pasti; kelompok kategorinya sudah.",
    "category_unsure": "Kategorinya belum pasti; yang disarankan hanya instansinya.",
    "low_confidence": "Model belum cukup yakin instansi mana yang berwenang.",
    "ambiguous": "Dua instansi hampir sama kuat.",
    "rule": "Sebuah aturan portal menentukan instansinya.",
    "rule_unsure": "Aturan portal ini belum cukup terbukti untuk diikuti tanpa dilihat petugas.",
    "district_office": "Desa atau kelurahannya belum diketahui; yang disarankan kantor kecamatannya.",
    "places_differ": "Lebih dari satu tempat disebut dan belum jelas mana yang dimaksud.",
    "oversight": "Laporan ini berkadar pengawasan: menyangkut perilaku aparatur atau uang negara.",
    "thanks": "Isinya ucapan terima kasih atau pujian.",
    "spam": "Isinya iklan, tawaran, atau pesan berantai.",
    "test": "Isinya percobaan kirim atau ketikan tanpa arti.",
    "abuse": "Isinya hanya makian.",
    "abusive_words": "Ada makian, tetapi juga ada hal yang diadukan.",
    "out_of_scope": "Isinya sengketa pribadi atau perkara di pengadilan.",
    "refused": "Instansi yang menyatakan ini bukan wewenangnya tidak disarankan lagi.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a route was taken: a code for programs and a sentence for people."""

    code: str
    message: str


def reason(code: str, message: str = "") -> Reason:
    """The reason in its usual words, or in those that tell more."""
    return Reason(code, message or REASONS[code])


def external_reason(agency: Agency, government: str) -> Reason:
    """No wrong door: whose matter it is, and where that body can be reached."""
    where = f"sampaikan lewat {agency.channel}" if agency.channel else "salurannya belum tercatat di portal ini"
    return reason("external_agency", f"Ini urusan {agency.name}, di luar {government}; {where}.")


@dataclass(frozen=True, slots=True)
class Threshold:
    """The smallest probability that is sure enough: `own` for units with data enough to tell, `shared` for all
    others. `NEVER` where none was."""

    shared: float = NEVER
    own: Mapping[str, float] = field(default_factory=dict)

    def of(self, unit: str) -> float:
        return self.own.get(unit, self.shared)


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds on calibrated probabilities, and the wishes they were chosen for.

    Above `auto` and `prefill` the agency of later complaints was right at least as often as `precision_auto` and
    `precision_prefill` ask; above `category` the category was, as often as `precision_prefill` asks. Agencies of
    probability `candidate` and more held the right one in 95 of 100 complaints. `emergency` is the probability
    of danger that raises a complaint. `place_precision` is how often the office found from the place was the
    right one, given that its kind was. `rules` has by its code how each rule of the portal did on forward answers.
    """

    auto: Threshold = Threshold()
    prefill: Threshold = Threshold()
    category: float = NEVER
    candidate: float = 0.0
    emergency: float = 0.2
    place_precision: float = 0.95
    precision_auto: float = 0.97
    precision_prefill: float = 0.90
    rules: Mapping[str, RuleRecord] = field(default_factory=dict)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """The policy that `dataclasses.asdict` made these values of."""
        thresholds = {name: Threshold(**values[name]) for name in ("auto", "prefill")}
        rules = {
            code: RuleRecord(**{part: Tally(**tally) for part, tally in record.items()})
            for code, record in values.get("rules", {}).items()
        }
        return cls(**dict(values) | thresholds | {"rules": rules})
