"""An agency says that a complaint is not its matter: it is advised for it no more, and a person looks again."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, RowMapping

from router_model.policy import Route
from router_model.portal import Portal
from service.answering import suggestion_body, unanswered
from service.choices import UnknownLabelError
from service.database import refusals
from service.database.priority import priority
from service.database.refusals import Advised, Refusal
from service.database.resemblances import REASON
from service.deadline_counting import kept_report_type
from service.serving import Serving
from service.suggesting import kept_complaint
from service.wire import (
    RefusedOut,
    SuggestionBody,
    SuggestionOut,
    suggestion_of,
    suggestion_text,
)

_log = logging.getLogger(__name__)


def refuse(
    connection: Connection,
    serving: Serving,
    agency: str,
    *,
    who: str,
    source: str,
    by: str = "",
    reason: str = "",
    suggestion_id: str = "",
    external_id: str = "",
) -> tuple[Refusal, bool]:
    """Keeps the refusal of an agency (a code), and whether it is new; see `refusals.record`. `by` and `reason` arrive
    masked."""
    return refusals.record(
        connection,
        serving.release.portal.code,
        agency,
        partial(advise, serving),
        who=who,
        source=source,
        by=by,
        reason=reason,
        suggestion_id=suggestion_id,
        external_id=external_id,
    )


def refusing_agency(portal: Portal, label: str) -> str:
    """The code of an agency by code, name, short name or alias, also of one that is gone.

    Raises:
        UnknownLabelError: naming the field `refused_by`.
    """
    found = portal.find_agency(label)
    if found is None:
        raise UnknownLabelError({"refused_by": "instansi tidak dikenal"})
    return found.code


def advise(serving: Serving, row: RowMapping, refused: Sequence[Refusal]) -> Advised:
    """The answer to a stored complaint without those that refused it."""
    portal, before = serving.release.portal, suggestion_of(row["answer"])
    body = _asked(serving, row, [refusal.agency for refusal in refused])
    said = {refusal.agency: refusal for refusal in refused}
    out = SuggestionOut(
        id=before.id,
        external_id=before.external_id,
        release=serving.release.id,
        portal=before.portal,
        created_at=before.created_at,
        **vars(
            replace(
                body,
                refused=[_told(refusal, portal) for refusal in said.values()],
                deadline=before.deadline,
                duplicates=before.duplicates,
                reasons=[*body.reasons, *(item for item in before.reasons if item.code == REASON)],
                # The text was masked when it came; nothing is left to be found.
                personal_data=before.personal_data,
            )
        ),
    )
    first = out.agencies[0] if out.agencies else None
    return Advised(
        answer=suggestion_text(out),
        route=out.route,
        priority=priority(Route(out.route), first.p if first else None),
        agency=first.code if first else "",
        category=out.category[0].code if out.category else "",
        urgency=out.urgency.level if out.urgency else "",
    )


def _asked(serving: Serving, row: RowMapping, refused: list[str]) -> SuggestionBody:
    portal = serving.release.portal
    complaint = kept_complaint(row["complaint"], row["created_at"], portal.timezone)
    try:
        chosen = kept_report_type(row["complaint"])
        return suggestion_body(serving.router.suggest(complaint, refused, chosen), portal)
    except Exception as error:
        # The text may stand in the message of any exception, so only its kind is told.
        _log.error("model failed", extra={"release": serving.release.id, "error": type(error).__name__})
        return unanswered(complaint, portal)


def _told(refusal: Refusal, portal: Portal) -> RefusedOut:
    known = portal.agency.get(refusal.agency)
    return RefusedOut(
        code=refusal.agency, name=known.name if known else refusal.agency, reason=refusal.reason, at=refusal.created_at
    )
