"""Messages to portals: who wants which, what is still to be sent, and what could not be."""

import base64
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from router_model.errors import AduanError
from service.database import audit
from service.database.schema import webhook_deliveries, webhook_endpoints, webhook_messages

EventType = Literal[
    "suggestion.emergency", "suggestion.created", "disposition.recorded", "disposition.refused", "release.promoted"
]
EVENTS: tuple[EventType, ...] = get_args(EventType)
MOST_ENDPOINTS = 20
MOST_DEAD = 500
GONE = 410


class WebhookRefusedError(AduanError):
    """An endpoint or a replay that cannot be."""


class NoWebhookError(AduanError):
    """No such endpoint, message or delivery at this portal."""


@dataclass(frozen=True, slots=True)
class Event:
    """`subject` is the id of what it is about. `data` travels as it is: ids, codes and flags, never the complaint's
    text."""

    portal: str
    type: EventType
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    portal: str
    url: str
    events: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one endpoint. `state` is "pending", "delivered" or "dead"; `last_status` is None when the
    receiver gave no answer."""

    id: str
    message_id: str
    endpoint_id: str
    type: str
    subject: str
    url: str
    state: str
    attempts: int
    next_attempt_at: datetime
    last_status: int | None
    last_error: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that its holder alone may send until `leased_until`. `attempts` counts this one."""

    id: str
    message_id: str
    endpoint_id: str
    portal: str
    url: str
    secret: str
    payload: str
    attempts: int
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of sending: without an `error` it was delivered; with one it is tried again at `retry_at`, or not."""

    due: Due
    status: int | None
    error: str
    retry_at: datetime | None


def add_endpoint(
    connection: Connection, portal: str, url: str, events: Iterable[str], by: str = ""
) -> tuple[Endpoint, str]:
    """A new endpoint and the secret its messages are signed with, which is shown once. The caller has checked the
    address.

    Raises:
        WebhookRefusedError: an event that does not exist, or none, or too many endpoints.
    """
    wanted = sorted(set(events))
    if unknown := sorted(set(wanted) - set(EVENTS)):
        raise WebhookRefusedError(f"Peristiwa tidak dikenal: {', '.join(unknown)}; pilih dari {', '.join(EVENTS)}.")
    if not wanted:
        raise WebhookRefusedError(f"Webhook perlu sedikitnya satu peristiwa dari {', '.join(EVENTS)}.")
    if len(endpoints(connection, portal)) >= MOST_ENDPOINTS:
        raise WebhookRefusedError(f"Sebuah portal paling banyak punya {MOST_ENDPOINTS} webhook. Hapus satu dahulu.")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    endpoint = Endpoint(_new_id("ep"), portal, url, tuple(wanted), datetime.now(UTC))
    connection.execute(insert(webhook_endpoints).values(**asdict(endpoint), secret=secret))
    audit.record(
        connection, portal=portal, who=by, action="webhook.add", subject=endpoint.id, detail={"events": wanted}
    )
    return endpoint, secret


def endpoints(connection: Connection, portal: str) -> list[Endpoint]:
    """Those in use, oldest first."""
    query = (
        select(webhook_endpoints)
        .where(webhook_endpoints.c.portal == portal, webhook_endpoints.c.removed_at.is_(None))
        .order_by(webhook_endpoints.c.created_at, webhook_endpoints.c.id)
    )
    return [
        Endpoint(row.id, row.portal, row.url, tuple(row.events), row.created_at) for row in connection.execute(query)
    ]


def remove_endpoint(connection: Connection, portal: str, endpoint_id: str, by: str = "") -> None:
    """Ends an endpoint; what was still to be sent there is dead.

    Raises:
        NoWebhookError: the portal has no such endpoint in use.
    """
    now = datetime.now(UTC)
    ended = connection.execute(
        update(webhook_endpoints)
        .where(
            webhook_endpoints.c.id == endpoint_id,
            webhook_endpoints.c.portal == portal,
            webhook_endpoints.c.removed_at.is_(None),
        )
        .values(removed_at=now)
    )
    if not ended.rowcount:
        raise NoWebhookError(f"Webhook {endpoint_id} tidak ada pada portal ini.")
    _bury(connection, webhook_deliveries.c.endpoint_id == endpoint_id, now)
    audit.record(connection, portal=portal, who=by, action="webhook.remove", subject=endpoint_id)


def enqueue(connection: Connection, events: Sequence[Event]) -> None:
    """Keeps a message for each event that an endpoint wants, to be sent once the caller's transaction is kept."""
    if not events:
        return
    wanting = _wanting(connection, {event.portal for event in events})
    now = datetime.now(UTC)
    messages, deliveries = [], []
    for event in events:
        wanted_at = wanting.get((event.portal, event.type))
        if not wanted_at:
            continue
        message_id = _new_id("msg")
        payload = {"type": event.type, "timestamp": now, "data": dict(event.data)}
        messages.append(
            {
                "id": message_id,
                "portal": event.portal,
                "type": event.type,
                "subject": event.subject,
                "payload": orjson.dumps(payload).decode(),
                "created_at": now,
            }
        )
        deliveries += [
            {
                "id": _new_id("dlv"),
                "portal": event.portal,
                "message_id": message_id,
                "endpoint_id": endpoint_id,
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": now,
                "last_status": None,
                "last_error": "",
                "updated_at": now,
            }
            for endpoint_id in wanted_at
        ]
    if messages:
        connection.execute(insert(webhook_messages), messages)
        connection.execute(insert(webhook_deliveries), deliveries)


def _wanting(connection: Connection, portals: Collection[str]) -> Mapping[tuple[str, str], list[str]]:
    """The endpoints of each portal and event."""
    query = select(webhook_endpoints.c.id, webhook_endpoints.c.portal, webhook_endpoints.c.events).where(
        webhook_endpoints.c.portal.in_(portals), webhook_endpoints.c.removed_at.is_(None)
    )
    found = defaultdict(list)
    for endpoint_id, portal, events in connection.execute(query):
        for event in events:
            found[portal, event].append(endpoint_id)
    return found


def claim(
    connection: Connection,
    now: datetime,
    until: datetime,
    most: int,
    most_per_endpoint: int,
    busy: Collection[str] = (),
) -> list[Due]:
    """Takes deliveries whose time has come, longest waiting first, none of the endpoints in `busy`. Nobody else gets
    them before `until`; when they are not settled by then, they are due again."""
    # An endpoint that was removed while an event for it was being kept.
    _bury(connection, and_(webhook_deliveries.c.endpoint_id.not_in(_in_use()), _is_due(now)), now)
    waiting = (
        select(
            webhook_deliveries.c.id,
            webhook_deliveries.c.next_attempt_at,
            func.row_number()
            .over(partition_by=webhook_deliveries.c.endpoint_id, order_by=webhook_deliveries.c.next_attempt_at)
            .label("place"),
        )
        .where(_is_due(now), webhook_deliveries.c.endpoint_id.not_in(busy))
        .subquery()
    )
    chosen = (
        select(waiting.c.id)
        .where(waiting.c.place <= most_per_endpoint)
        .order_by(waiting.c.place, waiting.c.next_attempt_at)
        .limit(most)
    )
    free = select(webhook_deliveries.c.id).where(webhook_deliveries.c.id.in_(chosen)).with_for_update(skip_locked=True)
    taken = connection.scalars(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.id.in_(free), _is_due(now))
        .values(attempts=webhook_deliveries.c.attempts + 1, next_attempt_at=until, updated_at=now)
        .returning(webhook_deliveries.c.id)
    ).all()
    query = (
        select(
            webhook_deliveries.c.id,
            webhook_deliveries.c.message_id,
            webhook_deliveries.c.endpoint_id,
            webhook_deliveries.c.portal,
            webhook_endpoints.c.url,
            webhook_endpoints.c.secret,
            webhook_messages.c.payload,
            webhook_deliveries.c.attempts,
            webhook_deliveries.c.next_attempt_at.label("leased_until"),
        )
        .join(webhook_endpoints, webhook_endpoints.c.id == webhook_deliveries.c.endpoint_id)
        .join(webhook_messages, webhook_messages.c.id == webhook_deliveries.c.message_id)
        .where(webhook_deliveries.c.id.in_(taken))
    )
    return [Due(**row) for row in connection.execute(query).mappings()] if taken else []


def settle(connection: Connection, outcome: Outcome, now: datetime) -> None:
    """Keeps what came of sending, unless the lease ran out and somebody else has the delivery. A receiver that
    answers "gone" gets nothing any more."""
    due = outcome.due
    if outcome.status == GONE:
        with suppress(NoWebhookError):
            remove_endpoint(connection, due.portal, due.endpoint_id, by="webhook:410")
    connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.id == due.id, webhook_deliveries.c.next_attempt_at == due.leased_until)
        .values(
            state="delivered" if not outcome.error else "pending" if outcome.retry_at else "dead",
            next_attempt_at=outcome.retry_at or now,
            last_status=outcome.status,
            last_error=outcome.error,
            updated_at=now,
        )
    )


def dead(connection: Connection, portal: str) -> list[Delivery]:
    """What is not tried any more, the last `MOST_DEAD`, newest first."""
    query = (
        _deliveries(portal)
        .where(webhook_deliveries.c.state == "dead")
        .order_by(webhook_deliveries.c.updated_at.desc(), webhook_deliveries.c.id)
        .limit(MOST_DEAD)
    )
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def replay(connection: Connection, portal: str, wanted: str, by: str = "") -> list[Delivery]:
    """Begins again with a delivery, or with all dead ones of a message or an endpoint. The message keeps its id, so
    that a receiver knows what it has seen.

    Raises:
        NoWebhookError: the portal has no such delivery.
        WebhookRefusedError: it is still being tried, or its endpoint was removed.
    """
    of_many = or_(webhook_deliveries.c.message_id == wanted, webhook_deliveries.c.endpoint_id == wanted)
    named = and_(
        webhook_deliveries.c.portal == portal,
        or_(webhook_deliveries.c.id == wanted, and_(of_many, webhook_deliveries.c.state == "dead")),
    )
    now = datetime.now(UTC)
    again = connection.scalars(
        update(webhook_deliveries)
        .where(named, webhook_deliveries.c.state != "pending", webhook_deliveries.c.endpoint_id.in_(_in_use()))
        .values(state="pending", attempts=0, next_attempt_at=now, updated_at=now)
        .returning(webhook_deliveries.c.id)
    ).all()
    if not again and not connection.scalar(select(func.count()).where(named)):
        raise NoWebhookError(f"Tidak ada pengiriman gagal dengan nomor {wanted} pada portal ini.")
    if not again:
        raise WebhookRefusedError("Pengiriman ini masih berjalan, atau webhook-nya sudah dihapus.")
    audit.record(
        connection, portal=portal, who=by, action="webhook.replay", subject=wanted, detail={"deliveries": len(again)}
    )
    query = _deliveries(portal).where(webhook_deliveries.c.id.in_(again)).order_by(webhook_deliveries.c.id)
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def _is_due(now: datetime) -> Any:
    return and_(webhook_deliveries.c.state == "pending", webhook_deliveries.c.next_attempt_at <= now)


def _in_use() -> Select[tuple[str]]:
    return select(webhook_endpoints.c.id).where(webhook_endpoints.c.removed_at.is_(None))


def _bury(connection: Connection, which: Any, now: datetime) -> None:
    connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.state == "pending", which)
        .values(state="dead", last_error="Webhook dihapus.", updated_at=now)
    )


def _deliveries(portal: str) -> Select[Any]:
    return (
        select(
            webhook_deliveries.c.id,
            webhook_deliveries.c.message_id,
            webhook_deliveries.c.endpoint_id,
            webhook_messages.c.type,
            webhook_messages.c.subject,
            webhook_endpoints.c.url,
            webhook_deliveries.c.state,
            webhook_deliveries.c.attempts,
            webhook_deliveries.c.next_attempt_at,
            webhook_deliveries.c.last_status,
            webhook_deliveries.c.last_error,
            webhook_deliveries.c.updated_at,
        )
        .join(webhook_messages, webhook_messages.c.id == webhook_deliveries.c.message_id)
        .join(webhook_endpoints, webhook_endpoints.c.id == webhook_deliveries.c.endpoint_id)
        .where(webhook_deliveries.c.portal == portal)
    )


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_urlsafe(12)}"
