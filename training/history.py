"""A labelled history in the order of time: models of its earlier parts, asked about its later ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from router_model.cleaning import cleaned
from router_model.place import name_words
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal
from router_model.terms import TermExtractor
from training.complaint_keys import cleaned_key
from training.dataset import Example
from training.forward import Asked, ForwardScores, labels_of
from training.near_copies import copy_groups
from training.pipeline import TermCounts
from training.progress import Progress as Progress
from training.prototypes import prototypes
from training.ridge import Days, Learning, Recency

FORWARD_CUTS = (0.4, 0.55, 0.7, 0.85, 1.0)
"""A model trained on the rows before each cut is asked about the rows up to the next; the last stretch is
kept out of calibration and thresholds and makes the report."""
CHOOSING = 2
"""On so many first stretches the way of learning is chosen; they lie before the rows that are reported on."""
LEARNINGS = tuple(Learning(penalty, Recency(steady)) for steady in (1.0, 0.7) for penalty in (1.2, 0.6))
_EPOCH = datetime(2000, 1, 1)


def place_words(portal: Portal) -> frozenset[str]:
    return frozenset(
        word for place in portal.places for name in (place.name, *place.aliases) for word in name_words(name)
    )


def answer_classes(portal: Portal, rows: Sequence[Example]) -> dict[str, tuple[str, ...]]:
    """Closed label sets: all units, all categories, and of the other answers those the rows have labels for."""
    classes: dict[str, tuple[str, ...]] = {"unit": portal.units}
    if len(portal.leaves) > 1:
        classes["category"] = tuple(leaf.code for leaf in portal.leaves)
    for answer, names in (("urgency", URGENCY_LEVELS), ("report_type", tuple(REPORT_TYPES))):
        if len({row.labels[answer] for row in rows if answer in row.labels}) > 1:
            classes[answer] = names
    return classes


class History:
    """Labelled complaints in the order of time, read once; a model of any earlier part is fitted from it.

    The portal's own words stand before them and have no date.
    """

    def __init__(self, portal: Portal, rows: Sequence[Example], classes: Mapping[str, tuple[str, ...]]) -> None:
        self.portal = portal
        self.rows = rows
        self.classes = classes
        self.complaints = [cleaned(row.complaint)[0] for row in rows]
        own = [cleaned(prototype.complaint)[0] for prototype in prototypes(portal, ())]
        self._own = len(own)
        self._counts = TermCounts(TermExtractor(place_words(portal)), [*own, *self.complaints])
        days = [(row.received_at - _EPOCH).total_seconds() / 86_400 if row.received_at else np.nan for row in rows]
        self._days: Days = np.array([np.nan] * self._own + days)
        self._groups = copy_groups(self.complaints)
        self._keys = [cleaned_key(complaint) for complaint in self.complaints]

    def fit(self, end: int, learning: Learning) -> Pipeline:
        """A pipeline that has seen only the first `end` complaints and the portal's own words."""
        taught = [*prototypes(self.portal, self.rows[:end]), *self.rows[:end]]
        last = self._own + end
        return self._counts.fit(last, labels_of(taught, list(self.classes)), self.classes, self._days[:last], learning)

    def ask(self, pipeline: Pipeline, start: int, end: int) -> ForwardScores:
        """What a pipeline that knows only complaints before `start` says of those up to `end`; near copies of
        earlier ones are left out."""
        fresh = np.flatnonzero(self.fresh(start, end))
        numbers = (fresh + start).tolist()
        asked = [Asked(number, self.rows[number], self.complaints[number], self._keys[number]) for number in numbers]
        scores = self._counts.scores(pipeline, self._own + start, self._own + end)
        return ForwardScores(asked, scores[fresh], self.classes)

    def fresh(self, start: int, end: int) -> NDArray[np.bool_]:
        """Which complaints from `start` to `end` are no near copies of one before `start`."""
        return ~np.isin(self._groups[start:end], self._groups[:start])


@dataclass(frozen=True)
class ForwardStretches:
    """Forward scores of a history, where the last stretch begins, the pipeline that was asked about it, and the
    way of learning that served best on the first stretches."""

    scores: ForwardScores
    last: int
    pipeline: Pipeline
    learning: Learning


def forward_stretches(history: History, end: int, progress: Progress) -> ForwardStretches:
    """A model for each of `FORWARD_CUTS` of the first `end` rows, asked about the stretch after it."""
    stretches = list(pairwise(round(cut * end) for cut in FORWARD_CUTS))
    steps = len(LEARNINGS) + len(stretches) - CHOOSING
    tried = []
    for step, learning in enumerate(LEARNINGS):
        progress("menguji maju menurut waktu", step, steps)
        scores = [history.ask(history.fit(start, learning), start, after) for start, after in stretches[:CHOOSING]]
        tried.append((learning, reduce(ForwardScores.joined, scores)))
    learning, scores_so_far = max(tried, key=lambda pair: pair[1].reciprocal_rank())
    for step, (start, after) in enumerate(stretches[CHOOSING:], len(LEARNINGS)):
        progress("menguji maju menurut waktu", step, steps)
        pipeline = history.fit(start, learning)
        scores_so_far = scores_so_far.joined(history.ask(pipeline, start, after))
    progress("menguji maju menurut waktu", steps, steps)
    return ForwardStretches(scores_so_far, start, pipeline, learning)
