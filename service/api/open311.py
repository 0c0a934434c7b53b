"""Open311 GeoReport v2, for clients that speak it already: categories, complaints in, and how far each one is."""

import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Form, HTTPException, Path, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyQuery, HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from pydantic import AwareDatetime, BeforeValidator, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from router_model.errors import AduanError
from router_model.portal import Portal
from service.access import Asker, admitted, answering_of, database_of, in_force_of
from service.api.suggestions import answered
from service.database.database import Database
from service.database.open311 import reported
from service.once import IdempotencyKey
from service.open311 import (
    CreatedOut,
    DefinitionOut,
    Discovery,
    Fault,
    RequestIn,
    RequestOut,
    ServiceOut,
    TokenOut,
    created_of,
    discovery_of,
    period_of,
    requests_of,
    services_of,
)
from service.open311_xml import MEDIA_TYPE, as_xml
from service.problems import BUSY, RETRY_AFTER, described, faults_of, problem_of
from service.serving import InForce
from service.wire import suggestion_of

_log = logging.getLogger(__name__)
_STATUSES = {401: 403, 422: 409}
"""In the specification a missing or wrong key is 403. The one 422 here is an `Idempotency-Key` used before."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt].*([Zz]|[+-]\d\d:\d\d)")
_NO_KEY = "api_key tidak ada atau tidak berlaku."
_UNREADABLE = "Isi formulir tidak dapat dibaca."
_TOLD = (HTTPException, RequestValidationError, AduanError, *BUSY)
_REQUESTS = TypeAdapter(list[RequestOut])


def refusal(status: int, descriptions: Sequence[str], headers: dict[str, str] | None = None) -> Response:
    faults = [Fault(code=status, description=text).model_dump() for text in descriptions]
    return JSONResponse(faults, status, headers)


def _refused(error: Exception) -> Response | None:
    """What may be told of an error; nothing of one that nobody foresaw."""
    if isinstance(error, RequestValidationError):
        return refusal(400, [f"{fault.field.split('.')[-1]}: {fault.message}" for fault in faults_of(error.errors())])
    if isinstance(error, HTTPException):
        told = {401: _NO_KEY, 400: _UNREADABLE}.get(error.status_code, str(error.detail))
        return refusal(_STATUSES.get(error.status_code, error.status_code), [told], dict(error.headers or {}))
    found = problem_of(error)
    if found.status == 503:
        _log.error("request failed", extra={"error": type(error).__name__})
        return refusal(503, [found.title], RETRY_AFTER)
    return refusal(_STATUSES.get(found.status, found.status), [found.detail]) if found.status < 500 else None


class Open311Route(APIRoute):
    """Errors are lists of `code` and `description`, as 311 clients expect, instead of problem details; what is asked
    for as `.xml` is said in XML."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                answer = await handle(request)
            except _TOLD as error:
                refused = _refused(error)
                if refused is None:
                    raise
                answer = refused
            return _in_xml(request, answer) if request.url.path.endswith(".xml") else answer

        return told


def _in_xml(request: Request, answer: Response) -> Response:
    content = as_xml(request.url.path, answer.status_code, orjson.loads(answer.body))
    kept = {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-type")}
    return Response(content, answer.status_code, kept, media_type=MEDIA_TYPE)


FAULTS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "model": list[Fault],
        "description": "400 isi belum benar, 403 kunci salah, 404 tidak ada, 409 bertentangan, 429 terlalu sering",
    },
    **{status: {**told, "model": list[Fault]} for status, told in described(413, 503).items()},
}
router = APIRouter(prefix="/open311/v2", tags=["Open311"], route_class=Open311Route)
_bearer = HTTPBearer(auto_error=False, scheme_name="Open311Bearer", description="Kunci API portal")
_basic = HTTPBasic(
    auto_error=False,
    scheme_name="Open311Basic",
    description="Kunci API sebagai nama pengguna, untuk klien yang hanya mengenal alamat: https://KUNCI:@layanan/open311/v2",
)
_query = APIKeyQuery(name="api_key", auto_error=False, scheme_name="Open311Key", description="Kunci API portal")


async def _asker(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    basic: Annotated[HTTPBasicCredentials | None, Security(_basic)],
    api_key: Annotated[str | None, Security(_query)],
) -> Asker:
    secret = bearer.credentials if bearer else basic.username if basic else api_key
    if not secret and request.method == "POST":
        field = (await request.form()).get("api_key")
        secret = field if isinstance(field, str) else None
    return await admitted(request, secret or "", "suggest")


def _check_jurisdiction(asker: Asker, jurisdiction_id: str) -> None:
    if jurisdiction_id not in ("", asker.portal):
        raise HTTPException(404, "jurisdiction_id ini tidak dilayani kunci Anda.")


Asking = Annotated[Asker, Depends(_asker)]


def _reader(
    asker: Asking,
    jurisdiction_id: Annotated[str, Query(max_length=500, description="Kode portal; boleh tidak diisi")] = "",
) -> Asker:
    _check_jurisdiction(asker, jurisdiction_id)
    return asker


def _moment(value: object) -> object:
    """An empty parameter is none at all. Pydantic alone would take a bare number or a bare day."""
    if isinstance(value, str) and value and not _MOMENT.fullmatch(value):
        raise PydanticCustomError("datetime_parsing", "not a moment")
    return value or None


Reading = Annotated[Asker, Depends(_reader)]
Db = Annotated[Database, Depends(database_of)]
Id = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
Many = Annotated[str, Query(max_length=20_000, pattern=r"^[^\x00-\x1f\x7f]*$", description="Beberapa, dipisah koma")]
Moment = Annotated[
    AwareDatetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"maxLength": 0}]}),
    Query(description="ISO 8601 dengan zona waktu: 2026-01-31T00:00:00Z"),
]
Statuses = Annotated[str, Query(pattern=r"^((open|closed)(,(open|closed))*)?$", description="open, closed")]


def _portal(asker: Asker) -> Portal | None:
    return asker.serving.release.portal if asker.serving else None


def _portal_in_force(asker: Asker) -> Portal:
    portal = _portal(asker)
    if portal is None:
        raise HTTPException(404, "Portal ini belum punya rilis yang berlaku.")
    return portal


@router.get("/discovery.json", summary="Alamat dan bentuk layanan Open311 ini", responses={503: FAULTS[503]})
async def discovery(request: Request, in_force: Annotated[InForce, Depends(in_force_of)]) -> Discovery:
    """Needs no key. `changeset` is when the newest release in force was made: categories change with it."""
    made = max((serving.release.manifest["created_at"] for serving in in_force.servings.values()), default="")
    return discovery_of(f"{request.base_url}open311/v2", made)


@router.get("/services.json", summary="Kategori sebagai layanan Open311", responses=FAULTS)
async def services(asker: Reading) -> list[ServiceOut]:
    return services_of(_portal_in_force(asker))


@router.get("/services/{service_code}.json", summary="Isian tambahan sebuah kategori: tidak ada", responses=FAULTS)
async def definition(service_code: str, asker: Reading) -> DefinitionOut:
    if service_code not in _portal_in_force(asker).leaf:
        raise HTTPException(404, "service_code ini tidak ada.")
    return DefinitionOut(service_code=service_code, attributes=[])


@router.post("/requests.json", summary="Laporan masuk dari klien Open311", responses=FAULTS)
async def report(
    body: Annotated[RequestIn, Form()],
    asker: Asking,
    request: Request,
    idempotency_key: IdempotencyKey = "",
) -> list[CreatedOut]:
    """Stored and answered like `POST /v1/suggestions`; `service_request_id` is the suggestion's `id`. Names, contacts
    and devices are dropped unread."""
    _check_jurisdiction(asker, body.jurisdiction_id)
    portal = _portal(asker)
    if body.service_code and portal and body.service_code not in portal.leaf:
        raise HTTPException(404, "service_code ini tidak ada; lihat services.json.")
    answer = await answered(body.complaint(), asker, answering_of(request), idempotency_key)
    return [created_of(suggestion_of(answer.body), portal)]


@router.get("/requests.json", response_model=list[RequestOut], summary="Laporan dan sampai di mana", responses=FAULTS)
async def requests(
    asker: Reading,
    database: Db,
    service_request_id: Many = "",
    service_code: Many = "",
    start_date: Moment = None,
    end_date: Moment = None,
    status: Statuses = "",
) -> Response:
    """The newest 1,000 of at most 90 days up to `end_date`, which is now if not given; for more, ask again with an
    earlier `end_date`. `service_request_id` overrides all other filters. Confidential complaints are left out."""
    ids = [item for item in service_request_id.split(",") if item]
    categories = [item for item in service_code.split(",") if item]
    period = period_of(start_date, end_date, datetime.now(UTC))
    portal = _portal(asker)

    def read(connection: Connection) -> bytes:
        if ids:
            found = reported(connection, asker.portal, ids=ids)
        elif status and "open" not in status:
            found = []
        else:
            found = reported(connection, asker.portal, categories=categories, period=period)
        return _REQUESTS.dump_json(requests_of(found, portal))

    return Response(await database.read(read), media_type="application/json")


@router.get("/requests/{service_request_id}.json", summary="Satu laporan", responses=FAULTS)
async def one_request(service_request_id: Id, asker: Reading, database: Db) -> list[RequestOut]:
    """A list of one. A confidential complaint is not found."""
    found = await database.read(lambda connection: reported(connection, asker.portal, ids=[service_request_id]))
    if not found:
        raise HTTPException(404, "service_request_id ini tidak ada.")
    return requests_of(found, _portal(asker))


@router.get("/tokens/{token_id}.json", summary="Nomor laporan dari token", responses=FAULTS)
async def token(token_id: Id, asker: Reading, database: Db) -> list[TokenOut]:
    """Every complaint gets its `service_request_id` at once, which is its token too."""
    found = await database.read(lambda connection: reported(connection, asker.portal, ids=[token_id]))
    if not found:
        raise HTTPException(404, "token_id ini tidak ada.")
    return [TokenOut(service_request_id=token_id, token=token_id)]


for route in [route for route in router.routes if isinstance(route, Open311Route)]:
    # Described once: the same answers under names of another ending.
    router.add_api_route(
        route.path.removeprefix(router.prefix).replace(".json", ".xml"),
        route.endpoint,
        methods=list(route.methods or ()),
        response_model=route.response_model,
        include_in_schema=False,
    )
