"""A labelled history in the order of time: models of its earlier parts, asked about its later ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.place import name_words
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal
from router_model.terms import TermExtractor
from training.complaint_keys import cleaned_key
from training.dataset import Example
from training.forward import Asked, ForwardScores, labels_of
from training.knowledge import known_complaints
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
LEARNINGS = tuple((penalty, Recency(steady)) for steady in (1.0, 0.7) for penalty in (1.2, 0.6))
"""Ways of learning that are tried: penalty and how fast the past fades. The first is kept unless another is clearly
better: on the sample a lead of 0.0005 in reciprocal rank once chose a fading past, which cost four points of category
on gold.csv; on Surabaya the lead is nearly three standard errors, and real."""
KNOWLEDGE = (0.3, 0.1, 0.0)
"""What a complaint of shipped knowledge may count beside one of the portal; the first is kept unless another is clearly
better."""
HALF = 300
"""With so many complaints of its own an agency hears half as much of shipped knowledge."""
FIRST = Learning(knowledge=KNOWLEDGE[0])
"""How is learned where there is no past to choose by."""
FOLDS = 4
"""Into so many parts shipped knowledge is cut to be asked about by models that did not see it."""
_EPOCH = datetime(2000, 1, 1)
Tried = tuple[Learning, ForwardScores]
"""A way of learning and what its models said of the first stretches."""


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

    The portal's own words and the complaints of shipped `knowledge` stand before them and have no date. `classes` are
    those of `answer_classes` for the first `start` rows (`None`: all).
    """

    def __init__(self, portal: Portal, rows: Sequence[Example], start: int | None = None) -> None:
        self.portal = portal
        self.rows = rows
        self.complaints = [cleaned(row.complaint)[0] for row in rows]
        self._keys = [cleaned_key(complaint) for complaint in self.complaints]
        self.knowledge, self._known = _new_to(self._keys, known_complaints(portal))
        self.classes = answer_classes(portal, [*self.knowledge, *rows[:start]])
        own = [cleaned(prototype.complaint)[0] for prototype in prototypes(portal, ())]
        self._own, self._start = len(own), len(own) + len(self._known)
        self._counts = TermCounts(TermExtractor(place_words(portal)), [*own, *self._known, *self.complaints])
        days = [(row.received_at - _EPOCH).total_seconds() / 86_400 if row.received_at else np.nan for row in rows]
        self._days: Days = np.array([np.nan] * self._start + days)
        self._groups = copy_groups(self.complaints)

    def folds(self, count: int) -> NDArray[np.intp]:
        """The part, below `count`, of each shipped complaint; near copies are in one."""
        return copy_groups(self._known) % count

    def fit(self, end: int, learning: Learning, known: Sequence[int] | None = None) -> Pipeline:
        """A pipeline that has seen only the first `end` complaints, the portal's own words and, where the way of
        learning lets it count, shipped knowledge; `known` are the numbers of its complaints, `None` all of them."""
        numbers = range(len(self.knowledge)) if known is None else known
        chosen = [*numbers] if learning.knowledge else []
        shipped = [self.knowledge[number] for number in chosen]
        taught = [*prototypes(self.portal, self.rows[:end]), *shipped, *self.rows[:end]]
        rows = np.r_[: self._own, np.array(chosen, np.intp) + self._own, self._start : self._start + end]
        return self._counts.fit(
            rows,
            labels_of(taught, list(self.classes)),
            self.classes,
            self._days[rows],
            learning,
            np.array([1.0] * self._own + shares(shipped, self.rows[:end], learning) + [1.0] * end, np.float32),
        )

    def ask(self, pipeline: Pipeline, start: int, end: int) -> ForwardScores:
        """What a pipeline that knows only complaints before `start` says of those up to `end`; near copies of
        earlier ones are left out."""
        fresh = np.flatnonzero(self.fresh(start, end))
        numbers = (fresh + start).tolist()
        asked = [Asked(number, self.rows[number], self.complaints[number], self._keys[number]) for number in numbers]
        scores = self._counts.scores(pipeline, fresh + self._start + start)
        return ForwardScores(asked, scores, self.classes)

    def ask_known(self, pipeline: Pipeline, known: Sequence[int]) -> ForwardScores:
        """What a pipeline says of complaints of shipped knowledge, by their numbers."""
        asked = [
            Asked(number, self.knowledge[number], self._known[number], cleaned_key(self._known[number]))
            for number in known
        ]
        return ForwardScores(asked, self._counts.scores(pipeline, np.array(known, np.intp) + self._own), self.classes)

    def fresh(self, start: int, end: int) -> NDArray[np.bool_]:
        """Which complaints from `start` to `end` are no near copies of one before `start`."""
        return ~np.isin(self._groups[start:end], self._groups[:start])


def shares(shipped: Sequence[Example], rows: Sequence[Example], learning: Learning) -> list[float]:
    """What each shipped complaint counts beside the portal's own: less where its agency has many (see `HALF`)."""
    counted = Counter(row.labels.get("unit") for row in rows)
    return [learning.knowledge * HALF / (HALF + counted[row.labels["unit"]]) for row in shipped]


@dataclass(frozen=True)
class ForwardStretches:
    """Forward scores of a history, where the last stretch begins, the pipeline that was asked about it, and the
    way of learning that served best on the first stretches."""

    scores: ForwardScores
    last: int
    pipeline: Pipeline
    learning: Learning


def forward_stretches(history: History, end: int, progress: Progress) -> ForwardStretches:
    """A model for each of `FORWARD_CUTS` of the first `end` rows, asked about the stretch after it.

    The way of learning is chosen on the first stretches: penalty and fading with the usual share of shipped knowledge,
    then the share. The first of each is kept unless another is clearly better.
    """
    stretches = list(pairwise(round(cut * end) for cut in FORWARD_CUTS))
    shares = KNOWLEDGE if history.knowledge else (0.0,)
    steps = len(LEARNINGS) + len(shares) - 1 + len(stretches) - CHOOSING
    done = 0

    def tried(learning: Learning) -> Tried:
        nonlocal done
        progress("menguji maju menurut waktu", done, steps)
        done += 1
        scores = [history.ask(history.fit(start, learning), start, after) for start, after in stretches[:CHOOSING]]
        return learning, reduce(ForwardScores.joined, scores)

    usual, *others = [tried(Learning(*way, shares[0])) for way in LEARNINGS]
    best = _chosen(usual, others)
    learning, scores_so_far = _chosen(best, [tried(replace(best[0], knowledge=share)) for share in shares[1:]])
    for start, after in stretches[CHOOSING:]:
        progress("menguji maju menurut waktu", done, steps)
        done += 1
        pipeline = history.fit(start, learning)
        scores_so_far = scores_so_far.joined(history.ask(pipeline, start, after))
    progress("menguji maju menurut waktu", steps, steps)
    return ForwardStretches(scores_so_far, start, pipeline, learning)


def _chosen(usual: Tried, others: Sequence[Tried]) -> Tried:
    better = [other for other in others if other[1].clearly_better(usual[1])]
    return max(better, key=lambda other: other[1].reciprocal_rank(), default=usual)


@dataclass(frozen=True)
class KnownScores:
    """Scores of the shipped complaints by models that knew only others of them; `last` are the numbers of the part
    that was asked about last, `pipeline` the model that was asked."""

    scores: ForwardScores
    last: Sequence[int]
    pipeline: Pipeline


def known_scores(history: History, learning: Learning, progress: Progress) -> KnownScores:
    """Cross-validation of shipped knowledge in `FOLDS` parts."""
    folds = history.folds(FOLDS)
    found = []
    for fold in range(FOLDS):
        progress("menguji pengetahuan bawaan", fold, FOLDS)
        pipeline = history.fit(0, learning, np.flatnonzero(folds != fold).tolist())
        asked = np.flatnonzero(folds == fold).tolist()
        found.append(history.ask_known(pipeline, asked))
    progress("menguji pengetahuan bawaan", FOLDS, FOLDS)
    return KnownScores(reduce(ForwardScores.joined, found), asked, pipeline)


def _new_to(keys: Sequence[int], knowledge: Sequence[Example]) -> tuple[list[Example], list[Complaint]]:
    """Shipped complaints that a history does not hold, as they are and cleaned; none if it is mostly made of them."""
    held = set(keys)
    read = [(row, cleaned(row.complaint)[0]) for row in knowledge]
    fresh = [(row, complaint) for row, complaint in read if cleaned_key(complaint) not in held]
    if 2 * (len(read) - len(fresh)) > len(keys):
        return [], []
    return [row for row, _ in fresh], [complaint for _, complaint in fresh]
