"""Deadlines as they are answered, and counted again where staff decide another report type or urgency."""

from datetime import datetime
from functools import partial

import orjson
from sqlalchemy import RowMapping

from router_model.deadlines import deadline_of
from router_model.oversight import OVERSIGHT
from router_model.portal import Portal
from router_model.suggestion import Suggestion
from service.database.dispositions import Chosen, Count
from service.wire import DeadlineOut, suggestion_of


def deadline_out(portal: Portal, report_type: str, urgency: str, arrived: datetime) -> DeadlineOut | None:
    """`None` where the portal promises nothing; see `deadline_of`."""
    found = deadline_of(portal, report_type, urgency, arrived)
    if found is None:
        return None
    return DeadlineOut(
        working_days=found.limit.working_days,
        due=found.due,
        verify_by=found.verify_by,
        source=found.limit.source,
        certainty=found.limit.certainty,
    )


def kind_counted(likeliest: str, given: str) -> str:
    """The report type that the portal gave, else the likeliest; but oversight is never taken for something else."""
    return likeliest if likeliest == OVERSIGHT else given or likeliest


def suggested_deadline(suggestion: Suggestion, portal: Portal, given: str, arrived: datetime) -> DeadlineOut | None:
    """Of what is suggested for a complaint; `given` is the report type that the portal gave, "" for none."""
    return deadline_out(portal, kind_counted(suggestion.matter.report_type, given), suggestion.urgency, arrived)


def kept_report_type(text: str) -> str:
    """What the citizen chose, from the JSON text that was kept of a complaint."""
    return str(orjson.loads(text).get("report_type") or "")


def counting(portal: Portal) -> Count:
    """Counts by the limits of a portal, for `dispositions.record`."""
    return partial(_counted, portal)


def _counted(portal: Portal, row: RowMapping, chosen: Chosen) -> str | None:
    answer = suggestion_of(row["answer"])
    likeliest = answer.report_type.code if answer.report_type else ""
    answered = (
        kind_counted(likeliest, kept_report_type(row["complaint"])),
        answer.urgency.level if answer.urgency else "",
    )
    kind, urgency = chosen.report_type or answered[0], chosen.urgency or answered[1]
    if (kind, urgency) == answered:
        return None
    counted = deadline_out(portal, kind, urgency, row["received_at"] or row["created_at"])
    return None if counted == answer.deadline else orjson.dumps(counted, option=orjson.OPT_UTC_Z).decode()
