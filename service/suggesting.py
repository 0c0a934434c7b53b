"""One complaint in, one suggestion to keep out. Pure: reads no database and no clock of its own."""

import hashlib
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from router_model.cleaning import cleaned, readable
from router_model.complaint import Complaint
from router_model.personal_data import mask_personal_data
from router_model.point import point_of
from router_model.policy import Route
from router_model.portal import Portal
from router_model.resemblance import Reported, signature_of
from router_model.resemblance_limits import OURS
from router_model.suggestion import Suggestion
from service.access import Asker
from service.answering import suggestion_body, unanswered
from service.database.portal_settings import PortalSettings
from service.database.priority import among_the_unsure, priority
from service.database.repeats import Repeat
from service.database.resemblances import Compared, Found
from service.database.suggestions import Asked, NewSuggestion
from service.database.webhooks import Event, EventType
from service.deadline_counting import suggested_deadline
from service.resembling import duplicates_of, resembling_reason
from service.serving import Serving
from service.wire import ComplaintIn, SuggestionOut, suggestion_text

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion to keep, and what the model said, if it said anything."""

    asked: Asked
    suggestion: Suggestion | None


def fingerprint(secret: bytes, *parts: bytes) -> str:
    """A keyed hash: without the secret nobody can try out what a masked number may have been."""
    return hashlib.blake2b(b"\0".join(parts), key=secret[: hashlib.blake2b.MAX_KEY_SIZE], digest_size=32).hexdigest()


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether and where a suggestion stands in the queue of those who review, and how many look at it."""

    state: str
    priority: float
    sampled: bool = False
    looks: int = 1


def suggest(body: ComplaintIn, asker: Asker, secret: bytes, now: datetime, idempotency_key: str = "") -> Suggested:
    """Asks the release in force. Where there is none, or it fails, the answer says so and a person has to look."""
    complaint = received(body.complaint(), body.received_at or now, asker.serving)
    suggestion = _ask(asker.serving, complaint, body.report_type)
    serving = asker.serving if suggestion else None
    if serving and suggestion:
        clean, answer = suggestion.prediction.complaint, suggestion_body(suggestion, serving.release.portal)
        portal = serving.release.portal
        arrived = _moment(body.received_at, portal) or now
        answer.deadline = suggested_deadline(suggestion, portal, body.report_type, arrived)
    else:
        known = asker.serving.release.portal if asker.serving else None
        clean, _ = cleaned(complaint, known.official_numbers if known else frozenset())
        answer = unanswered(clean, known)
    out = SuggestionOut(
        id=secrets.token_urlsafe(12),
        external_id=body.external_id,
        release=serving.release.id if serving else None,
        portal=asker.portal,
        created_at=now,
        **vars(answer),
    )
    agency_p = out.agencies[0].p if out.agencies else None
    stands = standing(out.id, Route(out.route), agency_p, asker.settings, secret)
    confidential = body.confidential or bool(out.confidential)
    # A request of before there were senders is still the same request.
    content = body.model_dump_json(exclude=None if body.sender else {"sender"})
    request_hash = fingerprint(secret, b"suggestion", content.encode())
    new = NewSuggestion(
        id=out.id,
        portal=asker.portal,
        external_id=body.external_id or None,
        request_hash=request_hash,
        release=out.release,
        asked_by=asker.key,
        created_at=now,
        received_at=_moment(body.received_at, serving.release.portal if serving else None),
        channel=_masked(body.channel),
        route=out.route,
        state=stands.state,
        priority=stands.priority,
        agency=out.agencies[0].code if out.agencies else None,
        agency_p=agency_p,
        category=out.category[0].code if out.category else None,
        urgency=out.urgency.level if out.urgency else None,
        known_words=suggestion.prediction.coverage if suggestion else None,
        complaint=_kept(clean, body, confidential),
        answer=suggestion_text(out),
        sampled=stands.sampled,
        looks=stands.looks,
        due_at=out.deadline.due if out.deadline else None,
    )
    repeat = Repeat(asker.portal, idempotency_key, request_hash) if idempotency_key else Repeat(asker.portal)
    compared = _compared(out, clean, suggestion, serving, body, secret)
    return Suggested(Asked(new, tuple(_events(out, confidential)), repeat, compared), suggestion)


def _compared(
    out: SuggestionOut,
    clean: Complaint,
    suggestion: Suggestion | None,
    serving: Serving | None,
    body: ComplaintIn,
    secret: bytes,
) -> Compared | None:
    """By what the complaint is compared with earlier ones; `None` if it has no words."""
    signature = signature_of(clean, suggestion.place if suggestion else None)
    if signature is None:
        return None
    portal = serving.release.portal if serving else None
    resemblance = portal.resemblance if portal else OURS
    category = out.category[0].code if out.category else ""
    sender = fingerprint(secret, b"sender", out.portal.encode(), body.sender.encode())[:32] if body.sender else ""
    at = _moment(body.received_at, portal) or out.created_at

    def answer(found: Found) -> str:
        if not found.named:
            return suggestion_text(out)
        named = duplicates_of(found, portal)
        return suggestion_text(replace(out, duplicates=named, reasons=[*out.reasons, resembling_reason(found)]))

    return Compared(
        reported=Reported(signature, at, category, sender, point_of(body.location.lat, body.location.lon)),
        limits=resemblance.of(category),
        until=out.created_at + timedelta(days=resemblance.longest),
        answer=answer,
    )


def standing(
    suggestion_id: str, route: Route, agency_p: float | None, settings: PortalSettings, secret: bytes
) -> Standing:
    """Chance picks sure answers that a person looks at all the same, and what two people look at. Without the first,
    one would learn only from doubt and never hear how often a sure answer is wrong."""
    sampled = route is Route.AUTO and chance(secret, "sampled", suggestion_id) < settings.sampled_share
    if sampled:
        order = among_the_unsure(chance(secret, "order", suggestion_id))
    else:
        order = priority(route, agency_p)
        if route is Route.AUTO:
            return Standing("free", order)
    twice = route is not Route.EMERGENCY and chance(secret, "twice", suggestion_id) < settings.double_share
    return Standing("open", order, sampled, 2 if twice else 1)


def chance(secret: bytes, purpose: str, suggestion_id: str) -> float:
    """Evenly spread over [0, 1), and always the same for an id. Who reviews sees the id, and without the secret
    cannot work out what fell to it."""
    return int(fingerprint(secret, purpose.encode(), suggestion_id.encode())[:13], 16) / 16**13


def _ask(serving: Serving | None, complaint: Complaint, report_type: str) -> Suggestion | None:
    if serving is None:
        return None
    try:
        return serving.router.suggest(complaint, report_type=report_type)
    except Exception as error:
        # The text may stand in the message of any exception, so only its kind is told.
        _log.error("model failed", extra={"release": serving.release.id, "error": type(error).__name__})
        return None


def received(complaint: Complaint, at: datetime, serving: Serving | None) -> Complaint:
    """With the moment it came, in the portal's own time: rules hold from one day to another."""
    return replace(complaint, received_at=in_time_of(at, serving.release.portal.timezone)) if serving else complaint


def in_time_of(moment: datetime, zone: str) -> datetime | None:
    """Without a zone; `None` for a moment that no calendar can hold."""
    try:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        return None


def kept_complaint(text: str, asked_at: datetime, zone: str) -> Complaint:
    """A complaint from the JSON text that was kept of it, clean and masked."""
    kept = orjson.loads(text)
    given = datetime.fromisoformat(kept["received_at"]) if kept.get("received_at") else asked_at
    words = {name: kept[name] for name in ("text", "title", "address", "village", "district")}
    return Complaint(**words, received_at=in_time_of(given, zone))


def _moment(given: datetime | None, portal: Portal | None) -> datetime | None:
    """With a zone: one without is meant in the portal's. `None` for a moment that no calendar can hold, there or in
    UTC."""
    if given is None:
        return None
    zone = ZoneInfo(portal.timezone) if portal else UTC
    try:
        return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(zone).astimezone(UTC)
    except OverflowError:
        return None


def _masked(text: str) -> str:
    return mask_personal_data(readable(text))[0] if text else ""


def _kept(clean: Complaint, body: ComplaintIn, confidential: bool) -> str:
    location = body.location
    return orjson.dumps(
        {
            "title": clean.title,
            "text": clean.text,
            "address": clean.address,
            "village": clean.village,
            "district": clean.district,
            "lat": location.lat,
            "lon": location.lon,
            "area_code": _masked(location.area_code),
            "channel": _masked(body.channel),
            "received_at": body.received_at.isoformat() if body.received_at else None,
            "report_type": body.report_type,
            "chosen_agency": _masked(body.chosen_agency),
            "anonymous": body.anonymous,
            "confidential": confidential,
        }
    ).decode()


def _events(out: SuggestionOut, confidential: bool) -> list[Event]:
    """What portals may hear of it: codes, never words."""
    data = {
        "id": out.id,
        "external_id": out.external_id,
        "route": out.route,
        "agency": out.agencies[0].code if out.agencies else None,
        "category": out.category[0].code if out.category else None,
        "urgency": out.urgency.level if out.urgency else None,
        "dangers": [{"family": one.family, "level": one.level} for one in out.dangers],
        "emergency_contacts": [one.number for one in out.emergency_contacts],
        "confidential": confidential,
        "release": out.release,
    }
    kinds: list[EventType] = ["suggestion.created"]
    if Route(out.route) is Route.EMERGENCY:
        kinds.append("suggestion.emergency")
    return [Event(out.portal, kind, out.id, data) for kind in kinds]
