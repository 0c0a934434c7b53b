"""Complaints and suggestions in the words of Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2).

A request stays `open`, and `status_notes` tells which agency it went to: `closed` means resolved, and this service
learns which agency was chosen, never when that agency was done.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, Field, WithJsonSchema

from router_model.policy import ROUTE_LABELS, Route
from router_model.portal import Category, Portal, folded
from service.database.open311 import Reported
from service.wire import LONGEST_TEXT, ComplaintIn, ExternalId, Line, Location, SuggestionOut

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANNEL = "open311"
FORMATS = ["application/json", "text/xml"]
LONGEST_SPAN = timedelta(days=90)
LONGEST_DESCRIPTION = 4_000
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class Fault(BaseModel):
    """Never holds the complaint's text."""

    code: int
    description: str


class Endpoint(BaseModel):
    specification: str
    url: str
    changeset: str
    type: Literal["production", "test"]
    formats: list[str]


class Discovery(BaseModel):
    changeset: str
    contact: str
    key_service: str
    endpoints: list[Endpoint]


class ServiceOut(BaseModel):
    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime", "batch", "blackbox"]
    keywords: str
    group: str


class DefinitionOut(BaseModel):
    service_code: str
    attributes: Annotated[list[dict[str, str]], Field(max_length=0, description="Tidak ada isian tambahan")]


def _degrees(most: int) -> WithJsonSchema:
    """A form has no null."""
    return WithJsonSchema({"type": "number", "minimum": -most, "maximum": most})


class RequestIn(BaseModel):
    """A complaint as 311 clients send it. Whatever else the specification lets them send (`first_name`, `last_name`,
    `email`, `phone`, `account_id`, `device_id`, `media_url`, `attribute[...]`) is dropped unread."""

    description: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    service_code: Annotated[
        Line, Field(description="Kategori pilihan pelapor; harus terdaftar, saran tidak terikat")
    ] = ""
    address_string: Line = ""
    address_id: Annotated[str, Field(max_length=20, description="Kode wilayah Kemendagri")] = ""
    lat: Annotated[float | None, Field(ge=-90, le=90), _degrees(90)] = None
    long: Annotated[float | None, Field(ge=-180, le=180), _degrees(180)] = None
    external_id: Annotated[
        ExternalId, Field(description="Nomor laporan di portal (tambahan, bukan bagian GeoReport)")
    ] = ""
    jurisdiction_id: Line = ""
    api_key: Annotated[Line, Field(description="Kunci API, bila tidak dikirim sebagai kepala Authorization")] = ""

    def complaint(self) -> ComplaintIn:
        location = Location(address=self.address_string, lat=self.lat, lon=self.long, area_code=self.address_id)
        return ComplaintIn(external_id=self.external_id, text=self.description, channel=CHANNEL, location=location)


class CreatedOut(BaseModel):
    service_request_id: str
    service_notice: str
    account_id: None


class TokenOut(BaseModel):
    service_request_id: str
    token: str


class RequestOut(BaseModel):
    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str
    service_name: str | None
    service_code: Annotated[str, Field(description="Kosong bila belum ada kategori")]
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION, description="Data pribadi sudah ditutup")]
    agency_responsible: Annotated[str | None, Field(description="Instansi pilihan petugas, atau yang disarankan")]
    service_notice: None
    requested_datetime: datetime
    updated_datetime: datetime
    expected_datetime: Annotated[datetime | None, Field(description="Tenggat menurut batas waktu portal")]
    address: str | None
    address_id: str | None
    zipcode: None
    lat: float | None
    long: float | None
    media_url: None


def discovery_of(url: str, changeset: str) -> Discovery:
    endpoint = Endpoint(specification=SPECIFICATION, url=url, changeset=changeset, type="production", formats=FORMATS)
    ask = "Hubungi pengelola layanan ini."
    return Discovery(changeset=changeset, contact=ask, key_service=ask, endpoints=[endpoint])


def services_of(portal: Portal) -> list[ServiceOut]:
    return [_service(leaf, portal) for leaf in portal.leaves]


def _service(leaf: Category, portal: Portal) -> ServiceOut:
    national = leaf.national_name if folded(leaf.national_name) != folded(leaf.name) else ""
    return ServiceOut(
        service_code=leaf.code,
        service_name=leaf.name,
        description=leaf.description or leaf.name,
        metadata=False,
        type="realtime",
        keywords=national.lower(),
        group=portal.category[leaf.parent].name if leaf.parent else "",
    )


def period_of(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """At most `LONGEST_SPAN` up to `end`. Without one it is up to now, and what is dated ahead is in it too."""
    last = _within(end or _LATEST)
    return max(_within(start or _EARLIEST), min(last, now) - LONGEST_SPAN), last


def _within(moment: datetime) -> datetime:
    """Years that no complaint has may be too far off to be put into another time zone."""
    return min(max(moment, _EARLIEST), _LATEST)


def created_of(suggestion: SuggestionOut, portal: Portal | None) -> CreatedOut:
    notice = [f"Saran instansi: {suggestion.agencies[0].name}."] if suggestion.agencies else []
    notice.append(f"{suggestion.route_label}.")
    if suggestion.external and portal and suggestion.route == Route.EXTERNAL.value:
        notice.append(_outside(suggestion.external.code, portal))
    if suggestion.ask:
        notice.append(suggestion.ask)
    if suggestion.route == Route.EMERGENCY.value and portal and portal.emergency_contacts:
        notice.append(f"Bila nyawa terancam, hubungi {portal.emergency_contacts[0].number}.")
    return CreatedOut(service_request_id=suggestion.id, service_notice=" ".join(notice), account_id=None)


def requests_of(found: Iterable[Reported], portal: Portal | None) -> list[RequestOut]:
    """A code that the portal no longer has stands for its name."""
    return [_request(item, portal) for item in found]


def _request(item: Reported, portal: Portal | None) -> RequestOut:
    complaint = orjson.loads(item.complaint)
    agency = _agency_name(item.agency, portal)
    category = portal.category.get(item.category or "") if portal else None
    text = "\n".join(part for part in (complaint["title"], complaint["text"]) if part)
    place = (complaint[name] for name in ("address", "village", "district"))
    label = ROUTE_LABELS[Route(item.route)]
    outside = _outside(item.agency, portal) if item.disposed or item.route == Route.EXTERNAL.value else ""
    status = f"Diteruskan ke {agency}." if item.disposed else f"Menunggu disposisi. {label}."
    return RequestOut(
        service_request_id=item.id,
        status="open",
        status_notes=f"{status} {outside}".rstrip(),
        service_name=category.name if category else item.category,
        service_code=item.category or "",
        description=text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…",
        agency_responsible=agency,
        service_notice=None,
        requested_datetime=item.requested_at,
        updated_datetime=item.updated_at,
        expected_datetime=item.due_at,
        address=", ".join(part for part in place if part) or None,
        address_id=complaint["area_code"] or None,
        zipcode=None,
        lat=complaint["lat"],
        long=complaint["lon"],
        media_url=None,
    )


def _outside(code: str | None, portal: Portal | None) -> str:
    """Where to turn with what belongs to a body outside this government; "" for all others."""
    agency = portal.agency.get(code or "") if portal else None
    if agency is None or portal is None or not agency.external:
        return ""
    where = f"Hubungi {agency.channel.rstrip('.')}." if agency.channel else "Kontaknya belum tercatat."
    return f"{agency.name} di luar {portal.government}. {where}"


def _agency_name(code: str | None, portal: Portal | None) -> str | None:
    if code is None or portal is None:
        return code
    return portal.agency[code].name if code in portal.agency else portal.unit_name(code)
