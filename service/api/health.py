"""Alive, ready, and what Prometheus reads."""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from service.access import database_of, in_force_of, lane_of, metrics_of
from service.database.connection import check_revision
from service.database.database import Database
from service.lane import Lane
from service.metrics import Metrics
from service.serving import InForce
from service.wire import Ready, State

_log = logging.getLogger(__name__)
router = APIRouter(tags=["Keadaan"])


@router.get("/livez", summary="Proses hidup")
async def alive() -> State:
    return State(status="ok")


@router.get(
    "/readyz",
    summary="Basis data, model, dan satu prediksi nyata",
    responses={503: {"model": Ready, "description": "Belum dapat melayani"}},
)
async def ready(
    response: Response,
    database: Annotated[Database, Depends(database_of)],
    in_force: Annotated[InForce, Depends(in_force_of)],
    lane: Annotated[Lane, Depends(lane_of)],
) -> Ready:
    """Ready with every portal's release in force. `refused` names releases that could not be taken up; the one
    before goes on answering."""
    refused = {portal: found.release for portal, found in in_force.refused.items()}
    releases = {portal: serving.release.id for portal, serving in in_force.servings.items()}
    try:
        await database.read(check_revision)
        for serving in in_force.servings.values():
            await lane.run(serving.prove)
    except Exception as error:
        _log.error("not ready", extra={"error": type(error).__name__})
        response.status_code = 503
        return Ready(status="tidak siap", releases=releases, refused=refused)
    if not releases:
        response.status_code = 503
    return Ready(status="ok" if releases else "tanpa rilis", releases=releases, refused=refused)


@router.get("/metrics", summary="Ukuran untuk Prometheus", response_class=Response)
async def measured(request: Request, metrics: Annotated[Metrics, Depends(metrics_of)]) -> Response:
    """In the Prometheus text format. Holds counts and codes, no text."""
    state = request.app.state
    releases = {portal: serving.release.id for portal, serving in state.in_force.servings.items()}
    content = await asyncio.to_thread(metrics.render, state.database, releases)
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")
