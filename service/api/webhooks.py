"""Where a portal wants to be told of what happened, and what could not be told."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from service.access import Asker, Scope, database_of, secret_of, settings_of
from service.database import webhooks
from service.database.database import Database
from service.database.webhooks import EVENTS, EventType
from service.once import IdempotencyKey, done_once
from service.problems import described
from service.settings import Settings
from service.webhook_address import LONGEST_URL, receiver_of
from service.wire import Body

router = APIRouter(prefix="/v1/webhooks", tags=["Webhook"])
Administering = Annotated[Asker, Depends(Scope("admin"))]
Db = Annotated[Database, Depends(database_of)]
Secret = Annotated[bytes, Depends(secret_of)]
Id = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class WebhookIn(Body):
    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_URL,
            description="Alamat https yang menerima POST; jaringan sendiri hanya bila pengelola mengizinkannya",
            examples=["https://portal.example.go.id/aduan"],
        ),
    ]
    events: Annotated[list[EventType], Field(min_length=1, max_length=len(EVENTS))]


class WebhookOut(BaseModel):
    id: str
    url: str
    events: list[EventType]
    created_at: datetime


class NewWebhookOut(WebhookOut):
    secret: Annotated[str, Field(description="Untuk memeriksa tanda tangan pesan; hanya ditampilkan sekali")]


class WebhooksOut(BaseModel):
    webhooks: list[WebhookOut]


class DeliveryOut(BaseModel):
    id: str
    message_id: Annotated[str, Field(description="Sama dengan kepala webhook-id; tetap sama bila dikirim ulang")]
    endpoint_id: str
    type: EventType
    subject: Annotated[str, Field(description="Nomor saran, disposisi, atau rilis yang dikabarkan")]
    url: str
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_attempt_at: datetime
    last_status: Annotated[int | None, Field(description="Kosong bila penerima tidak menjawab")]
    last_error: str
    updated_at: datetime


class DeliveriesOut(BaseModel):
    deliveries: list[DeliveryOut]


@router.post(
    "", status_code=201, response_model=NewWebhookOut, summary="Tambah penerima pesan", responses=described(409, 422)
)
async def add(
    body: WebhookIn,
    request: Request,
    asker: Administering,
    database: Db,
    settings: Annotated[Settings, Depends(settings_of)],
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Messages are signed by the Standard Webhooks convention, with the secret that is given here once. A message that
    is not answered with 2xx within 15 seconds is sent again, eight times in all over about 28 hours. It may arrive
    twice: its `webhook-id` tells."""
    receiver = await asyncio.to_thread(receiver_of, body.url, settings.webhook_private)

    def act(connection: Connection) -> tuple[int, NewWebhookOut]:
        made, shown_once = webhooks.add_endpoint(connection, asker.portal, str(receiver.url), body.events, by=asker.who)
        return 201, NewWebhookOut(**asdict(made), secret=shown_once)

    return await done_once(request, asker, database, secret, idempotency_key, act)


@router.get("", summary="Penerima pesan yang terdaftar")
async def every(asker: Administering, database: Db) -> WebhooksOut:
    found = await database.read(lambda connection: webhooks.endpoints(connection, asker.portal))
    return WebhooksOut(webhooks=[WebhookOut(**asdict(endpoint)) for endpoint in found])


@router.get("/dead", summary="Pesan yang tidak sampai")
async def dead(asker: Administering, database: Db) -> DeliveriesOut:
    """Those that were tried as often as the schedule says, newest first, at most 500."""
    found = await database.read(lambda connection: webhooks.dead(connection, asker.portal))
    return DeliveriesOut(deliveries=[DeliveryOut(**asdict(delivery)) for delivery in found])


@router.delete("/{webhook_id}", status_code=204, summary="Hapus penerima pesan", responses=described(404, 422))
async def remove(webhook_id: Id, asker: Administering, database: Db) -> None:
    """What was still to be sent there is not sent any more."""
    await database.write(
        lambda connection: webhooks.remove_endpoint(connection, asker.portal, webhook_id, by=asker.who)
    )


@router.post(
    "/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=DeliveriesOut,
    summary="Kirim ulang",
    responses=described(404, 409, 422),
)
async def replay(
    delivery_id: Annotated[Id, Path(description="Nomor pengiriman, pesan, atau penerima")],
    request: Request,
    asker: Administering,
    database: Db,
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Begins again with one delivery, or with all that failed of a message or a receiver."""

    def act(connection: Connection) -> tuple[int, DeliveriesOut]:
        again = webhooks.replay(connection, asker.portal, delivery_id, by=asker.who)
        return 202, DeliveriesOut(deliveries=[DeliveryOut(**asdict(delivery)) for delivery in again])

    return await done_once(request, asker, database, secret, idempotency_key, act)
