"""What travels over HTTP: field names in English, labels in Indonesian."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, TypeAdapter
from pydantic_core import PydanticCustomError

from router_model.complaint import Complaint
from router_model.personal_data import find_personal_data
from router_model.portal import REPORT_TYPES, Portal

LONGEST_TEXT = 10_000
LONGEST_LINE = 500
MOST_IN_BATCH = 500
Line = Annotated[str, Field(max_length=LONGEST_LINE)]
ExternalId = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
ID_PATTERN = r"^[A-Za-z0-9_-]*$"
SENDER_PATTERN = r"^[A-Za-z0-9_.:+/=-]*$"
SuggestionId = Annotated[str, Path(min_length=1, max_length=100, pattern=ID_PATTERN)]
Probability = Annotated[float, Field(ge=0, le=1)]


def _written(value: object) -> object:
    """Pydantic alone would take a number for seconds since 1970."""
    if value is not None and not (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value)):
        raise PydanticCustomError("datetime_parsing", "bukan tanggal ISO 8601")
    return value


Moment = Annotated[datetime | None, BeforeValidator(_written)]


def _opaque(value: str) -> str:
    """Raises for what may tell who somebody is: a name, an address, a number of a person."""
    if not re.fullmatch(SENDER_PATTERN, value) or find_personal_data(value):
        raise PydanticCustomError("sender_not_opaque", "bukan acuan acak")
    return value


Sender = Annotated[str, Field(max_length=100, json_schema_extra={"pattern": SENDER_PATTERN}), AfterValidator(_opaque)]


class Body(BaseModel):
    """Unknown fields are refused: names and identity numbers have no place here."""

    model_config = ConfigDict(extra="forbid")


class Location(Body):
    address: Line = ""
    village: Line = ""
    district: Line = ""
    lat: Annotated[
        Annotated[float, Field(ge=-90, le=90, strict=True)] | None,
        Field(description="Letak masalahnya, bersama lon; dipakai mengenali laporan tentang hal yang sama"),
    ] = None
    lon: Annotated[float, Field(ge=-180, le=180, strict=True)] | None = None
    area_code: Annotated[str, Field(max_length=20, description="Kode wilayah Kemendagri, misalnya 51.71.01.1003")] = ""


class ComplaintIn(Body):
    """A complaint before disposition. Send no name, identity number or phone number as a field."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "external_id": "PRO-2026-000123",
                    "title": "Lampu jalan padam",
                    "text": "Lampu jalan di depan balai banjar mati sejak Senin, gelap, anak-anak pulang jalan kaki.",
                    "channel": "web",
                    "location": {"village": "Sidakarya", "address": "Jl. Kerta Petasikan"},
                }
            ]
        },
    )

    external_id: Annotated[ExternalId, Field(description="Nomor laporan di portal")] = ""
    title: Line = ""
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    channel: Annotated[str, Field(max_length=40)] = ""
    received_at: Moment = None
    location: Location = Location()
    report_type: Literal["", "pengawasan", "pengaduan", "informasi", "aspirasi"] = ""
    chosen_agency: Annotated[Line, Field(description="Instansi pilihan pelapor; hanya petunjuk")] = ""
    sender: Annotated[
        Sender,
        Field(
            description="Acuan acak akun pengirim pada portal, tanpa data pribadi; hanya untuk mengenali laporan yang "
            "dikirim ulang dan kampanye, disimpan sebagai hash berkunci"
        ),
    ] = ""
    anonymous: StrictBool = False
    confidential: StrictBool = False

    def complaint(self) -> Complaint:
        return Complaint(
            text=self.text,
            title=self.title,
            address=self.location.address,
            village=self.location.village,
            district=self.location.district,
        )


@dataclass(slots=True, kw_only=True)
class AgencyOut:
    code: str
    name: str
    kind: str
    external: bool
    p: Probability


@dataclass(slots=True, kw_only=True)
class CategoryOut:
    code: str
    name: str
    national_name: str
    p: Probability


@dataclass(slots=True, kw_only=True)
class LevelOut:
    level: str
    p: Annotated[Probability | None, Field(description="Peluang menurut model; kosong bila model tidak menjawab")]
    reasons: list[str]
    by_rule: Annotated[bool, Field(description="Tingkat dinaikkan aturan bahaya, bukan oleh model")] = False


@dataclass(slots=True, kw_only=True)
class DangerOut:
    """Danger that rules found in the complaint's own words: characters `start` to `end` of `field`."""

    family: str
    name: str
    level: Literal["darurat", "tinggi"]
    field: Literal["title", "text"]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


@dataclass(slots=True, kw_only=True)
class ContactOut:
    name: str
    number: str
    certainty: Annotated[str, Field(description="A (sumber resmi) sampai D (belum diperiksa)")]


@dataclass(slots=True, kw_only=True)
class ReportTypeOut:
    code: str
    name: str
    p: Annotated[Probability | None, Field(description="Peluang menurut model; kosong bila model tidak menjawab")]
    by_rule: Annotated[bool, Field(description="Aturan menemukan hal yang berkadar pengawasan")] = False


@dataclass(slots=True, kw_only=True)
class QuoteOut:
    """Characters `start` to `end` of a field of the complaint."""

    field: Literal["title", "text"]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


@dataclass(slots=True, kw_only=True)
class OversightOut:
    """What calls for oversight, and the words that tell of it."""

    kind: str
    name: str
    words: list[QuoteOut]


@dataclass(slots=True, kw_only=True)
class NoComplaintOut:
    """Why it is no complaint for the government. With `matter` it is one all the same: only its words are abusive."""

    kind: Annotated[str, Field(description="thanks, spam, test, abuse, atau out_of_scope")]
    reason: str
    matter: bool
    words: list[QuoteOut]


@dataclass(slots=True, kw_only=True)
class ReasonOut:
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class EvidenceOut:
    """A word of the citizen's own text that spoke for the first agency; positions count characters of the
    masked field."""

    term: str
    weight: float
    field: str
    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class PersonalDataOut:
    kind: str
    field: str
    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class PlaceOut:
    code: str
    name: str
    kind: str
    source: str


@dataclass(slots=True, kw_only=True)
class FoundPlaceOut:
    """A place that the complaint names; positions count characters of the masked field, 0 for fields of the form."""

    code: str
    name: str
    kind: str
    district: Annotated[str, Field(description="Nama kecamatannya; kosong bila tempat ini kecamatan")]
    source: Annotated[str, Field(description="Kolom tempat ia ditemukan: village, district, address, title, text")]
    matched: Annotated[str, Field(description="Kata-kata yang menyebutnya")]
    start: int
    end: int
    p: Probability
    landmark: Annotated[str, Field(description="Patokan yang menunjuknya, misalnya pasar; kosong bila bukan patokan")]
    acted_on: Annotated[bool, Field(description="Tempat inilah yang dipakai mencari kantornya")]


@dataclass(slots=True, kw_only=True)
class RuleOut:
    """A rule of the portal that fitted the complaint."""

    code: str
    reason: str
    certainty: Annotated[str, Field(description="A (dasar hukum) sampai D (belum pasti)")]


@dataclass(slots=True, kw_only=True)
class ExternalOut:
    """The body outside this government that the complaint belongs to, and where to turn."""

    code: str
    name: str
    channel: Annotated[str, Field(description="Kosong bila portal belum mencatatnya")]


@dataclass(slots=True, kw_only=True)
class RefusedOut:
    """An agency that said the complaint is not its matter. It is not among `agencies` any more."""

    code: str
    name: str
    reason: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class DeadlineOut:
    """Until when the complaint should be answered, in working days of the portal after the day it came."""

    working_days: int
    due: datetime
    verify_by: Annotated[datetime | None, Field(description="Sampai saat ini laporan perlu diperiksa dan diteruskan")]
    source: str
    certainty: Annotated[str, Field(description="A (dasar hukum) sampai D (belum pasti)")]


@dataclass(slots=True, kw_only=True)
class DuplicateOut:
    """An earlier complaint of the same portal that this one resembles. It changes no route."""

    id: str
    external_id: str
    similarity: Annotated[Probability, Field(description="Kemiripan teks; 1 berarti sama, selain salam dan permohonan")]
    kind: Annotated[
        Literal["resent", "campaign", "same_object"],
        Field(description="dikirim ulang, kampanye (teks sama, banyak pengirim), atau hal yang sama"),
    ]
    label: str
    at: Annotated[datetime, Field(description="Kapan laporan itu masuk")]
    agency: Annotated[str, Field(description="Kode instansi tujuannya; kosong bila belum diputuskan")]
    agency_name: str


@dataclass(kw_only=True)
class SuggestionBody:
    """Advice without what storing adds."""

    agencies: list[AgencyOut]
    candidates: Annotated[
        int,
        Field(
            ge=0,
            description="Sekian instansi teratas memuat yang tepat pada 95 dari 100 laporan terdahulu, "
            "atau semua yang terdaftar bila daftarnya tidak mencapainya; 0 bila model tidak menjawab",
        ),
    ]
    category: list[CategoryOut]
    category_group: Annotated[
        CategoryOut | None, Field(description="Kelompok kategori, bila satu subkategori saja belum cukup pasti")
    ] = None
    urgency: LevelOut | None
    dangers: Annotated[list[DangerOut], Field(description="Bahaya yang disebut laporan, yang terberat dahulu")] = field(
        default_factory=list
    )
    emergency_contacts: Annotated[list[ContactOut], Field(description="Yang dihubungi sekarang juga bila darurat")] = (
        field(default_factory=list)
    )
    confidential: Annotated[
        str,
        Field(description="Siapa yang tidak boleh melihat laporan ini; kosong bila isinya tidak menuntut kerahasiaan"),
    ] = ""
    report_type: ReportTypeOut | None
    oversight: Annotated[list[OversightOut], Field(description="Hal yang membuatnya berkadar pengawasan")] = field(
        default_factory=list
    )
    no_complaint: Annotated[
        NoComplaintOut | None, Field(description="Diisi bila isinya bukan aduan, atau aduan yang memuat makian")
    ] = None
    route: Literal["auto", "prefill", "review", "emergency", "external", "incomplete"]
    route_label: str
    reasons: list[ReasonOut]
    missing: list[str]
    ask: Annotated[str, Field(description="Kalimat yang dapat ditampilkan kepada pelapor bila ada yang kurang")] = ""
    place: PlaceOut | None
    places: Annotated[list[FoundPlaceOut], Field(description="Semua tempat yang disebut, yang paling pasti dahulu")] = (
        field(default_factory=list)
    )
    rules: Annotated[list[RuleOut], Field(description="Aturan portal yang berlaku pada laporan ini")] = field(
        default_factory=list
    )
    external: Annotated[
        ExternalOut | None, Field(description="Diisi bila instansi pertama di luar pemerintah daerah ini")
    ] = None
    refused: Annotated[
        list[RefusedOut], Field(description="Instansi yang sudah menolak laporan ini (bukan wewenangnya)")
    ] = field(default_factory=list)
    deadline: Annotated[
        DeadlineOut | None, Field(description="Kosong bila portal tidak menetapkan batas waktu untuk jenis laporan ini")
    ] = None
    duplicates: Annotated[
        list[DuplicateOut], Field(description="Paling banyak 10 laporan terdahulu yang mirip, lihat `kind`")
    ] = field(default_factory=list)
    explanation: list[EvidenceOut]
    personal_data: list[PersonalDataOut]


@dataclass(kw_only=True)
class SuggestionOut(SuggestionBody):
    id: str
    external_id: str
    release: Annotated[str | None, Field(description="Rilis yang menjawab; kosong bila model tidak menjawab")]
    portal: str
    created_at: datetime


_SUGGESTION = TypeAdapter(SuggestionOut)
_DEADLINE: TypeAdapter[DeadlineOut | None] = TypeAdapter(DeadlineOut | None)


def suggestion_text(suggestion: SuggestionOut) -> str:
    """As it is answered and kept."""
    return orjson.dumps(suggestion, option=orjson.OPT_UTC_Z).decode()


def suggestion_of(text: str) -> SuggestionOut:
    return _SUGGESTION.validate_json(text)


def deadline_in(text: str) -> DeadlineOut | None:
    return _DEADLINE.validate_json(text)


class BatchIn(Body):
    complaints: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_IN_BATCH)]


class BatchItem(BaseModel):
    """One complaint of a batch: its suggestion, or why it was refused. Items stand in the order they came."""

    status: Annotated[int, Field(description="201 baru, 200 sudah pernah dijawab, selain itu ditolak")]
    suggestion: SuggestionOut | None = None
    problem: "Problem | None" = None


class BatchOut(BaseModel):
    items: list[BatchItem]


class FaultOut(BaseModel):
    where: Annotated[str, Field(description="Berkas, lembar, dan baris")]
    column: Annotated[str, Field(description="Kosong bila menyangkut seluruh baris")]
    message: str


class TaxonomyAgency(BaseModel):
    code: str
    name: str
    short_name: str
    kind: str
    external: bool
    aliases: list[str]
    responsibilities: str
    channel: str
    certainty: str


class TaxonomyCategory(BaseModel):
    code: str
    name: str
    parent: str
    national_name: str
    description: str


class TaxonomyLevel(BaseModel):
    code: str
    name: str
    criteria: str


class Taxonomy(BaseModel):
    portal: str
    name: str
    agencies: list[TaxonomyAgency]
    categories: list[TaxonomyCategory]
    urgency: list[TaxonomyLevel]
    report_types: dict[str, str]


class ProblemError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. Never holds the complaint's text."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[ProblemError] = []


class State(BaseModel):
    status: str


class Ready(BaseModel):
    status: str
    releases: Annotated[dict[str, str], Field(description="Rilis yang menjawab, menurut portal")]
    refused: Annotated[dict[str, str], Field(description="Rilis yang berlaku tetapi tidak dapat dipakai")]


def taxonomy_of(portal: Portal) -> Taxonomy:
    return Taxonomy(
        portal=portal.code,
        name=portal.name,
        agencies=[
            TaxonomyAgency(
                **{name: getattr(agency, name) for name in TaxonomyAgency.model_fields if name != "aliases"},
                aliases=list(agency.aliases),
            )
            for agency in portal.living_agencies
        ],
        categories=[
            TaxonomyCategory(**{name: getattr(category, name) for name in TaxonomyCategory.model_fields})
            for category in portal.categories
        ],
        urgency=[TaxonomyLevel(code=u.code, name=u.name, criteria=u.criteria) for u in portal.urgency],
        report_types=REPORT_TYPES,
    )
