"""Training as a job: begun, watched, cancelled."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from service.access import Asker, Scope, database_of, secret_of
from service.choices import masked
from service.database import datasets, jobs
from service.database.database import Database
from service.database.datasets import NoDatasetError
from service.database.jobs import TRAINING, Job, JobState, NoJobError
from service.once import IdempotencyKey, done_once
from service.problems import described
from service.wire import Body

router = APIRouter(prefix="/v1/trainings", tags=["Pelatihan"])
Administering = Annotated[Asker, Depends(Scope("admin"))]
Db = Annotated[Database, Depends(database_of)]
Secret = Annotated[bytes, Depends(secret_of)]
TrainingId = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class TrainingIn(Body):
    datasets: Annotated[
        tuple[Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")], ...],
        Field(max_length=1_000, description="Nomor kumpulan data; kosong berarti semua. Disposisi selalu ikut."),
    ] = ()
    reason: Annotated[str, Field(max_length=500, description="Untuk catatan")] = ""


class ProgressOut(BaseModel):
    stage: str
    done: int
    total: int
    seconds_left: Annotated[int | None, Field(description="Perkiraan; kosong bila belum pernah melatih")]


class GateOut(BaseModel):
    agrees: bool
    against: Annotated[str | None, Field(description="Rilis pembanding")]
    reasons: list[str]
    compared: Annotated[dict[str, Any], Field(description="Angka keduanya pada laporan yang sama")] = {}


class ResultOut(BaseModel):
    release: str
    in_force: Annotated[bool, Field(description="Apakah rilis ini diberlakukan ketika pelatihan selesai")]
    rows: Annotated[int, Field(ge=0, description="Banyaknya laporan yang dipelajari")]
    gate: Annotated[GateOut | None, Field(description="Hasil uji banding")]
    scores: Annotated[dict[str, Any], Field(description="Angka ujian maju menurut waktu")]


class TrainingOut(BaseModel):
    id: str
    state: Annotated[
        JobState,
        Field(description="menunggu, berjalan, selesai, gagal, dibatalkan"),
    ]
    datasets: list[str]
    reason: str
    progress: ProgressOut | None
    result: ResultOut | None
    error: Annotated[str, Field(description="Mengapa gagal dan apa yang perlu dilakukan")]
    attempts: int
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None


class TrainingsOut(BaseModel):
    trainings: list[TrainingOut]


def training_out(job: Job) -> TrainingOut:
    return TrainingOut(
        id=job.id,
        state=job.state,
        datasets=job.request["datasets"],
        reason=job.request["reason"],
        progress=ProgressOut(**job.progress) if job.progress and job.state == jobs.RUNNING else None,
        result=_result(job.result) if job.result else None,
        error=job.error,
        attempts=job.attempts,
        created_at=job.created_at,
        created_by=job.created_by,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _result(result: Mapping[str, Any]) -> ResultOut:
    return ResultOut.model_validate({**result, "gate": result["gate"] or None})


def _training(connection: Connection, portal: str, job_id: str) -> Job:
    job = jobs.one(connection, portal, job_id)
    if job.kind != TRAINING:
        raise NoJobError
    return job


@router.post("", status_code=202, response_model=TrainingOut, summary="Latih ulang", responses=described(404, 409, 422))
async def begin(
    body: TrainingIn,
    request: Request,
    asker: Administering,
    database: Db,
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Learns from the data sets and from all dispositions, in the background. The new release is put in force if it
    is not worse than the one in force on complaints that neither has learned. `Location` says where to watch."""

    def act(connection: Connection) -> tuple[int, TrainingOut]:
        known = {dataset.id for dataset in datasets.every(connection, asker.portal)}
        if unknown := sorted(set(body.datasets) - known):
            raise NoDatasetError(unknown)
        wanted = {"datasets": list(body.datasets), "reason": masked(body.reason)}
        return 202, training_out(jobs.enqueue(connection, asker.portal, TRAINING, wanted, asker.who))

    answer = await done_once(request, asker, database, secret, idempotency_key, act)
    answer.headers["Location"] = f"{router.prefix}/{orjson.loads(answer.body)['id']}"
    return answer


@router.get("", summary="Pelatihan terakhir")
async def newest(asker: Administering, database: Db) -> TrainingsOut:
    """The last hundred, newest first."""
    found = await database.read(lambda connection: jobs.newest(connection, asker.portal, TRAINING))
    return TrainingsOut(trainings=[training_out(job) for job in found])


@router.get("/{training_id}", summary="Sebuah pelatihan", responses=described(404, 422))
async def one(training_id: TrainingId, asker: Administering, database: Db) -> TrainingOut:
    """Its state, how far it is, and what came of it."""
    return training_out(await database.read(lambda connection: _training(connection, asker.portal, training_id)))


@router.post(
    "/{training_id}/cancel",
    response_model=TrainingOut,
    summary="Batalkan pelatihan",
    responses=described(404, 409, 422),
)
async def cancel(
    training_id: TrainingId,
    request: Request,
    asker: Administering,
    database: Db,
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """A waiting one ends at once, a running one within seconds; what was in force stays."""

    def act(connection: Connection) -> tuple[int, TrainingOut]:
        _training(connection, asker.portal, training_id)
        return 200, training_out(jobs.cancel(connection, asker.portal, training_id, asker.who))

    return await done_once(request, asker, database, secret, idempotency_key, act)
