"""Lives a history again: train on what was known, suggest for the next stretch, learn from it, go on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from router_model.errors import DatasetError, PortalError
from router_model.policy import Route
from router_model.portal import Portal
from router_model.suggestion import Router, Suggestion
from training.baselines import baseline_answers
from training.calibration import first_calibration
from training.dataset import Example
from training.evaluation import LABEL_OF, evaluation_of
from training.history import FIRST, History, Progress, forward_stretches, known_scores
from training.trainer import check_enough, ready_router

PLAIN_ANSWERS = ("agency_kind", "category")
STEPS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=28)}


@dataclass(frozen=True, slots=True)
class Workload:
    """What a person does for one complaint, by hand and with a suggestion.

    Assumptions, not measurements: a portal sets its own in `portal.toml`, table `workload`. By hand a person
    reads, looks for the agency in a list, and saves; a candidate is one click; a pre-selected one is saved. A
    wrong automatic disposition costs a correction by hand later.
    """

    seconds_by_hand: float = 90.0
    seconds_with_candidates: float = 40.0
    seconds_to_save: float = 20.0
    clicks_by_hand: float = 6.0
    clicks_with_candidates: float = 2.0
    clicks_to_save: float = 1.0

    def spent(self, suggestions: Sequence[Suggestion], rows: Sequence[Example]) -> tuple[float, float]:
        """Seconds and clicks of staff for these complaints when the suggestions are used."""
        seconds, clicks = 0.0, 0.0
        for suggestion, row in zip(suggestions, rows, strict=True):
            wanted = row.labels.get("agency")
            listed = wanted in [agency.code for agency in suggestion.agencies[: suggestion.candidates]]
            right = suggestion.agency.code == wanted
            if suggestion.route is Route.AUTO and right:
                continue
            if suggestion.route in (Route.PREFILL, Route.EXTERNAL) and right:
                seconds, clicks = seconds + self.seconds_to_save, clicks + self.clicks_to_save
            elif suggestion.route is not Route.AUTO and listed:
                seconds, clicks = seconds + self.seconds_with_candidates, clicks + self.clicks_with_candidates
            else:
                seconds, clicks = seconds + self.seconds_by_hand, clicks + self.clicks_by_hand
        return seconds, clicks

    def saved(self, suggestions: Sequence[Suggestion], rows: Sequence[Example]) -> dict[str, Any]:
        seconds, clicks = self.spent(suggestions, rows)
        return {
            "hours": (len(rows) * self.seconds_by_hand - seconds) / 3600,
            "clicks": len(rows) * self.clicks_by_hand - clicks,
            "hours_by_hand": len(rows) * self.seconds_by_hand / 3600,
            "clicks_by_hand": len(rows) * self.clicks_by_hand,
            "assumed": asdict(self),
        }


def workload_of(portal: Portal) -> Workload:
    """Raises `PortalError` for an assumption that does not exist or is no number."""
    given = portal.settings.get("workload", {})
    known = [item.name for item in fields(Workload)]
    for name, value in given.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise PortalError(
                f"portal.toml, tabel workload: {name} = {value!r} tidak dapat dipakai; yang ada: {', '.join(known)}, "
                "masing-masing angka yang tidak negatif."
            )
    return Workload(**given)


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of time: the rows from `start` to `end` and what was suggested for them beforehand."""

    since: datetime
    start: int
    end: int


def steps(rows: Sequence[Example], since: datetime, until: datetime | None, every: timedelta) -> list[Step]:
    """Stretches that hold rows, in order; `rows` are in the order of time, undated ones last.

    Raises:
        DatasetError: no row lies between the dates.
    """
    dated = [row.received_at for row in rows if row.received_at]
    end = min(until, dated[-1] + timedelta(seconds=1)) if until and dated else (dated or [since])[-1]
    found = []
    moment = since
    while moment <= end:
        after = min(moment + every, until) if until else moment + every
        inside = [index for index, day in enumerate(dated) if moment <= day < after]
        if inside:
            found.append(Step(moment, inside[0], inside[-1] + 1))
        moment += every
    if not found:
        raise DatasetError(f"Tidak ada laporan sejak {since:%Y-%m-%d}; tidak ada yang dapat diputar ulang.")
    return found


def replay(
    rows: Sequence[Example],
    portal: Portal,
    since: datetime,
    until: datetime | None = None,
    every: str = "week",
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Figures of weekly (or daily, monthly) refits, of the first model left as it is, of a plain model refitted on
    the same days, and the curve of the first two.

    Each step trains on all rows before it, with calibration and thresholds from answers given before it, and
    suggests through the router that serves. Complaints that repeat earlier ones are counted as they come.

    Raises:
        DatasetError: too few rows before `since`, or none after it.
    """
    workload = workload_of(portal)
    stretches = steps(rows, since, until, STEPS[every])
    first = stretches[0].start
    progress("membaca laporan", 0, 1)
    history = History(portal, rows[: stretches[-1].end], first)
    progress("membaca laporan", 1, 1)
    check_enough(rows[:first], history.knowledge)
    begun = first_calibration(known_scores(history, FIRST, progress).scores, portal) if history.knowledge else None
    past = forward_stretches(history, first, progress)
    known = past.scores
    static: Router | None = None
    given: list[Suggestion] = []
    stale: list[Suggestion] = []
    plain = PlainModel()
    curve = []
    for number, step in enumerate(stretches):
        progress("memutar ulang riwayat", number, len(stretches))
        pipeline = history.fit(step.start, past.learning)
        router, _ = ready_router(portal, pipeline, known, first=begun)
        static = static or router
        asked = rows[step.start : step.end]
        complaints = [row.complaint for row in asked]
        plain.add(rows[: step.start], asked)
        given += (refit := router.suggest_many(complaints))
        stale += (left := static.suggest_many(complaints))
        curve.append(_point(step, refit, left, asked))
        known = known.joined(history.ask(pipeline, step.start, step.end))
    progress("memutar ulang riwayat", len(stretches), len(stretches))
    asked = [row for step in stretches for row in rows[step.start : step.end]]
    repeats = np.concatenate([~history.fresh(step.start, step.end) for step in stretches])
    return {
        "every": every,
        "from": stretches[0].since.isoformat(),
        "until": (asked[-1].received_at or since).isoformat(),
        "repeated": float(repeats.mean()),
        **evaluation_of(given, asked),
        "static": evaluation_of(stale, asked),
        "plain": plain.accuracy(),
        "curve": curve,
        "saved": workload.saved(given, asked),
    }


class PlainModel:
    """Counts how often tf-idf words and a linear support vector machine are right when refitted at each step."""

    def __init__(self) -> None:
        self._right: dict[str, list[bool]] = {answer: [] for answer in PLAIN_ANSWERS}

    def add(self, known: Sequence[Example], asked: Sequence[Example]) -> None:
        for answer, given in baseline_answers(known, asked, PLAIN_ANSWERS).items():
            wanted = [row.labels.get(LABEL_OF[answer]) for row in asked]
            self._right[answer] += [g == w for g, w in zip(given["plain"], wanted, strict=True) if w]

    def accuracy(self) -> dict[str, float]:
        return {answer: float(np.mean(right)) for answer, right in self._right.items() if right}


def _point(
    step: Step, refit: Sequence[Suggestion], left: Sequence[Suggestion], asked: Sequence[Example]
) -> dict[str, Any]:
    return {
        "since": step.since.isoformat(),
        "n": len(asked),
        "trained_on": step.start,
        "refit": _figures(refit, asked),
        "static": _figures(left, asked),
    }


def _figures(suggestions: Sequence[Suggestion], rows: Sequence[Example]) -> Mapping[str, float | None]:
    """Accuracy of the agency, the share answered by `auto` or `prefill`, and how often that was right."""
    labelled = [(s, r) for s, r in zip(suggestions, rows, strict=True) if "agency" in r.labels]
    right = [s.agency.code == r.labels["agency"] for s, r in labelled]
    kind = [s.prediction.answers["unit"][0].code == r.labels["unit"] for s, r in labelled]
    sure = [s.route in (Route.AUTO, Route.PREFILL) for s in suggestions]
    answered = [hit for hit, (s, _) in zip(right, labelled, strict=True) if s.route in (Route.AUTO, Route.PREFILL)]
    return {
        "agency": float(np.mean(right)) if right else None,
        "agency_kind": float(np.mean(kind)) if kind else None,
        "answered": float(np.mean(sure)),
        "answered_right": float(np.mean(answered)) if answered else None,
    }
