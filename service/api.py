"""The calls of a portal: complaint in, suggestion out."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, HTTPException, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from router_model.cleaning import readable
from router_model.personal_data import mask_personal_data
from service.serving import Serving
from service.store import ApiKey, Store, StoredSuggestion
from service.wire import ComplaintIn, Problem, State, SuggestionOut, Taxonomy, suggestion_body, taxonomy_of

_bearer = HTTPBearer(auto_error=False, description="Kunci API portal, dari `aduan key create`")
_problems: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}} for status in (401, 403, 404, 409, 422)
}
router = APIRouter(responses={status: _problems[status] for status in (401, 403)})
health = APIRouter()


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def serving_of(request: Request) -> Serving:
    serving: Serving = request.app.state.serving
    return serving


class Scope:
    """Asks for a key with a scope, for the portal in force."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __call__(
        self,
        store: Annotated[Store, Depends(store_of)],
        serving: Annotated[Serving, Depends(serving_of)],
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> ApiKey:
        key = store.find_key(credentials.credentials) if credentials else None
        if key is None:
            raise HTTPException(401, "Sertakan Authorization: Bearer <kunci>.", {"WWW-Authenticate": "Bearer"})
        if self.scope not in key.scopes or key.portal != serving.release.portal.code:
            raise HTTPException(403, f"Perlu lingkup {self.scope} untuk portal ini.")
        return key


def _stored(stored: StoredSuggestion) -> SuggestionOut:
    return SuggestionOut(
        id=stored.id,
        external_id=stored.external_id,
        release=stored.release,
        portal=stored.portal,
        created_at=stored.created_at,
        **stored.body,
    )


@router.post(
    "/v1/suggestions",
    status_code=201,
    summary="Laporan masuk, saran keluar",
    responses={
        200: {"model": SuggestionOut, "description": "Sudah pernah dijawab"},
        **{s: _problems[s] for s in (409, 422)},
    },
)
def suggest(
    body: ComplaintIn,
    response: Response,
    key: Annotated[ApiKey, Depends(Scope("suggest"))],
    store: Annotated[Store, Depends(store_of)],
    serving: Annotated[Serving, Depends(serving_of)],
) -> SuggestionOut:
    """Predicts agency, category, urgency and report type, stores the answer with the masked text, and gives it
    back. The same complaint under the same `external_id` gets the same answer."""
    request = orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    if body.external_id and (before := store.suggestion_of(key.portal, body.external_id, request)):
        response.status_code = 200
        return _stored(before)
    suggestion = serving.router.suggest(body.complaint())
    clean = suggestion.prediction.complaint
    complaint = {
        "title": clean.title,
        "text": clean.text,
        "address": clean.address,
        "village": clean.village,
        "district": clean.district,
        "channel": mask_personal_data(readable(body.channel))[0],
        "received_at": body.received_at.isoformat() if body.received_at else None,
        "anonymous": body.anonymous,
        "confidential": body.confidential,
    }
    answer = suggestion_body(suggestion, serving.release.portal).model_dump(mode="json")
    stored = store.add_suggestion(key.portal, body.external_id, request, serving.release.id, complaint, answer)
    if stored.body is not answer:  # the same complaint came twice at once, and the other one was first
        response.status_code = 200
    return _stored(stored)


@router.get("/v1/suggestions/{suggestion_id}", summary="Saran yang tersimpan", responses={404: _problems[404]})
def stored_suggestion(
    suggestion_id: str,
    key: Annotated[ApiKey, Depends(Scope("suggest"))],
    store: Annotated[Store, Depends(store_of)],
) -> SuggestionOut:
    stored = store.suggestion(key.portal, suggestion_id)
    if stored is None:
        raise HTTPException(404, "Saran ini tidak ada pada portal Anda.")
    return _stored(stored)


@router.get("/v1/taxonomy", summary="Instansi, kategori, dan tingkat urgensi yang berlaku")
def taxonomy(
    _: Annotated[ApiKey, Depends(Scope("suggest"))], serving: Annotated[Serving, Depends(serving_of)]
) -> Taxonomy:
    return taxonomy_of(serving.release.portal)


@health.get("/livez", summary="Proses hidup")
async def alive() -> State:
    return State(status="ok")


@health.get("/readyz", summary="Basis data, model, dan satu prediksi nyata", responses={503: {"model": State}})
def ready(
    response: Response,
    store: Annotated[Store, Depends(store_of)],
    serving: Annotated[Serving, Depends(serving_of)],
) -> State:
    try:
        store.ping()
        serving.prove()
    except Exception:
        response.status_code = 503
        return State(status="tidak siap")
    return State(status="ok", release=serving.release.id)
