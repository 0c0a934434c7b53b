"""The check of a draft as a job, safe to repeat: what it finds is kept with the draft, as people will see it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from router_model.cleaning import cleaned
from router_model.errors import AduanError
from router_model.portal import Portal, load_portal
from service.database import drafts
from service.database.database import Database
from service.database.drafts import NoDraftError
from service.database.jobs import Job
from service.dataset_content import WHERE, from_content
from service.portal_folders import portal_folder
from service.settings import Settings
from service.training_jobs import Tell
from training.check_page import week_chart
from training.checking import Checkup, check_table
from training.dataset import known_labels
from training.excerpts import excerpt
from training.findings import Case, Finding
from training.name_similarity import SAME_NAME, TYPO, NearestNames, likeness, parse_names
from training.reading import COLUMNS, Row, Table

MOST_TOLD = 500
"""Cases of a finding that people can settle one by one; those after them are settled with all others or not."""
MOST_NEAR = 5
SAMPLES = 2
ALL_AT_ONCE = ("no_text", "no_date", "odd_date", "repeated", "leaked")
"""Findings that are settled for all their rows at once: no row of them is unlike the others."""
LABELS_TO_MAP = ("unknown_label", "branch_label", "unresolved_label")
SAMPLED = (*LABELS_TO_MAP, "impossible_pair")
"""Findings that do not quote the complaints by themselves."""
NOT_FOR_DRAFTS = ("rows", "unreadable", "header", "personal_data", "no_label")
"""Of these, reading the file has told already."""
NO_PORTAL = "Label tidak dicocokkan: portal ini belum punya daftar instansi dan kategori."


def check(job: Job, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Checks the draft of the job. A draft that is gone, or is being checked by another job, is left alone."""
    draft_id = job.request["draft"]
    tell({"stage": "membaca draf", "done": 0, "total": 1, "seconds_left": None})
    portal = _portal(settings, job.portal)
    database = Database(settings.database)
    try:
        with database.connect() as connection:
            content = drafts.content(connection, job.portal, draft_id)
        rows = [Row(values[WHERE], {column: values[column] for column in COLUMNS}) for values in from_content(content)]
        today = datetime.now(ZoneInfo(portal.timezone) if portal else UTC).date()

        def progress(stage: str, done: int, total: int) -> None:
            tell({"stage": stage, "done": done, "total": total, "seconds_left": None})

        checkup = check_table(Table(rows, []), "", portal, today, None, progress)
        found = findings(checkup, portal, {row.where: row for row in rows})
        with database.begin() as connection:
            kept = drafts.keep_findings(connection, job.portal, draft_id, job.id, found)
    except NoDraftError:
        return {"draft": draft_id, "kept": False}
    finally:
        database.close()
    return {"draft": draft_id, "kept": kept, "rows": len(rows), "to_do": len(checkup.to_do)}


def _portal(settings: Settings, code: str) -> Portal | None:
    try:
        return load_portal(portal_folder(settings, code))
    except AduanError:
        return None


def findings(checkup: Checkup, portal: Portal | None, rows: Mapping[str, Row]) -> dict[str, Any]:
    """What a page needs of a checkup, as JSON; `rows` by where they stood."""
    nearest = _Nearest(portal) if portal else None
    overview = next(item for item in checkup.findings if item.code == "rows")
    chart = week_chart(checkup.weeks or {})
    return {
        "obstacle": checkup.obstacle,
        "learned": checkup.learned,
        "period": [day.isoformat() for day in checkup.period] if checkup.period else None,
        "coverage": overview.examples[-1] if overview.examples else "",
        "not_checked": list(checkup.not_checked) if portal else [NO_PORTAL],
        "chart": asdict(chart) if chart else None,
        "findings": [_told(item, rows, nearest) for item in checkup.found if item.code not in NOT_FOR_DRAFTS],
        "checked_at": datetime.now(UTC).isoformat(),
    }


def _told(found: Finding, rows: Mapping[str, Row], nearest: "_Nearest | None") -> dict[str, Any]:
    told = found.as_dict() | {"left_out": found.left_out, "rows": [], "cases": []}
    if found.code in ALL_AT_ONCE:
        return told | {"rows": [where for case in found.cases for where in case.rows]}
    cases = [_case(number, found.code, case, rows, nearest) for number, case in enumerate(found.cases)]
    return told | {"cases": cases}


def _case(number: int, code: str, case: Case, rows: Mapping[str, Row], nearest: "_Nearest | None") -> dict[str, Any]:
    shown = number < MOST_TOLD
    proposed = case.proposed if nearest and nearest.is_known(case.column, case.proposed) else ""
    sampled = case.rows[:SAMPLES] if shown and code in SAMPLED else ()
    return {
        "key": str(number),
        "told": case.told if shown else "",
        "rows": list(case.rows),
        "column": case.column,
        "label": case.label,
        "proposed": proposed,
        "slip": bool(proposed) and _is_slip(case.label, proposed),
        "near": nearest.names(case.column, case.label) if nearest and shown and code in LABELS_TO_MAP else [],
        "sides": [[name, list(own)] for name, own in case.sides.items()],
        "newest": case.newest,
        "samples": [excerpt(cleaned(rows[where].complaint)[0]) for where in sampled],
    }


def _is_slip(label: str, name: str) -> bool:
    """Whether a label is a name misspelled or shortened, rather than one that merely resembles it."""
    one, other = parse_names([label, name])
    alike = likeness(one, other)
    return alike is not None and alike.reason in (SAME_NAME, TYPO)


class _Nearest:
    """Names that a label may stand for which teaches nothing as it is: first those that come after it, a branch's
    own leaves and a body's successors, then those most alike."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._alike: dict[str, NearestNames] = {}

    def names(self, column: str, label: str) -> list[str]:
        return list(dict.fromkeys([*self._after(column, label), *self._near(column).closest(label, MOST_NEAR)]))[
            :MOST_NEAR
        ]

    def is_known(self, column: str, name: str) -> bool:
        """Whether a name is one that complaints are given today."""
        return name in self._near(column).names if name else False

    def _after(self, column: str, label: str) -> list[str]:
        portal = self._portal
        if column == "category" and (branch := portal.find_category(label)):
            return [leaf.name for leaf in portal.leaves if leaf.parent == branch.code]
        if column == "agency" and (ended := portal.find_agency(label)):
            heirs = (portal.agency[rule.successor] for rule in portal.successions if rule.agency == ended.code)
            return [heir.name for heir in heirs if heir.code not in portal.retired]
        return []

    def _near(self, column: str) -> NearestNames:
        if column not in self._alike:
            ended = {self._portal.agency[code].name for code in self._portal.retired}
            known = known_labels(column, self._portal)
            self._alike[column] = NearestNames({label: name for label, name in known.items() if name not in ended})
        return self._alike[column]
