"""From labelled complaints to a router: fit, look forward in time, calibrate, choose thresholds."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.pipeline import Pipeline

from router_model.calibration import Agreement, Link
from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.place import PlaceFinder, name_words
from router_model.policy import Policy
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal
from router_model.scorer import Belief, ModelArrays, Scorer, decode
from router_model.suggestion import Router
from router_model.terms import BLOCKS, TermExtractor
from router_model.tokens import tokens
from training.calibration import fit_agreement, fit_link, frequencies, log_lift, targets
from training.dataset import Example
from training.evaluation import evaluate
from training.pipeline import BLOCK_WEIGHTS, Floats, LabelMatrix, build_pipeline, label_matrix, scores
from training.prototypes import Prototype, prototypes

FORWARD_CUTS = (0.4, 0.55, 0.7, 0.85, 1.0)
"""A model trained on the rows before each cut is asked about the rows up to the next; the last stretch is
kept out of calibration and thresholds and makes the report."""
FEWEST_ROWS = 20
FEWEST_FOR_THRESHOLD = 30

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, steps done and steps in all."""


@dataclass(frozen=True)
class Trained:
    """A router with the pipeline it came from, and what was measured on the last stretch of time."""

    router: Router
    pipeline: Pipeline
    scores: Mapping[str, Any]
    rows: int


def seen_key(complaint: Complaint) -> int:
    """A 64-bit key of a complaint's words; equal for texts that differ only in case, spacing and signs."""
    words = " ".join(token.normal for token in tokens(cleaned(complaint)[0].words))
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "big")


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


def _labels(taught: Sequence[Example | Prototype], answers: Iterable[str]) -> dict[str, list[str]]:
    return {answer: [item.labels.get(answer, "") for item in taught] for answer in answers}


def _fit(
    portal: Portal,
    rows: Sequence[Example],
    complaints: Sequence[Complaint],
    classes: Mapping[str, tuple[str, ...]],
) -> Pipeline:
    """A pipeline fitted on complaints and on the portal's own words."""
    own_words = prototypes(portal, rows)
    taught: list[Example | Prototype] = [*rows, *own_words]
    texts = [*complaints, *(cleaned(prototype.complaint)[0] for prototype in own_words)]
    extractor = TermExtractor(place_words(portal))
    blocks = [block for block in BLOCKS if _repeats(getattr(extractor, block), texts)]
    if not blocks:
        raise DatasetError("Tidak ada kata yang muncul di dua laporan; data ini terlalu sedikit untuk dilatih.")
    return build_pipeline(extractor, classes, blocks).fit(texts, _labels(taught, classes))


def _repeats(analyzer: Callable[[Complaint], list[str]], complaints: Sequence[Complaint]) -> bool:
    seen: set[str] = set()
    for complaint in complaints:
        terms = set(analyzer(complaint))
        if terms & seen:
            return True
        seen |= terms
    return False


def model_arrays(
    pipeline: Pipeline, portal: Portal, links: Mapping[str, Link], agreement: Agreement | None
) -> ModelArrays:
    """The fitted pipeline as plain arrays, in the order in which the scorer reads them."""
    vocabularies: dict[str, list[str]] = {}
    weights = []
    for block, steps in pipeline["terms"].transformer_list:
        terms = steps["count"].get_feature_names_out()
        vocabularies[block] = [str(term) for term in terms[steps["weigh"].kept_]]
        weights.append(steps["weigh"].weights_)
    return ModelArrays(
        vocabularies=vocabularies,
        block_weights=BLOCK_WEIGHTS,
        weights=np.concatenate(weights),
        coefficients=pipeline["heads"].coefficients_,
        classes=pipeline["heads"].classes,
        links=links,
        agreement=agreement,
        place_words=place_words(portal),
    )


@dataclass(frozen=True)
class _Forward:
    """Scores of rows by models that knew only earlier ones; columns as in `classes`."""

    rows: Sequence[Example]
    scores: Floats
    classes: Mapping[str, tuple[str, ...]]

    def of(self, answer: str) -> Floats:
        before = list(self.classes)[: list(self.classes).index(answer)]
        start = sum(len(self.classes[other]) for other in before)
        return self.scores[:, start : start + len(self.classes[answer])]

    def matrix(self, answer: str) -> LabelMatrix:
        return label_matrix(_labels(self.rows, [answer])[answer], self.classes[answer])

    def before(self, end: int) -> "_Forward":
        return replace(self, rows=self.rows[:end], scores=self.scores[:end])


def _look_forward(
    portal: Portal,
    rows: Sequence[Example],
    complaints: Sequence[Complaint],
    classes: Mapping[str, tuple[str, ...]],
    progress: Progress,
) -> tuple[_Forward, int, Pipeline]:
    """Scores for every stretch, how many rows the last stretch has, and the fit before it."""
    cuts = [round(cut * len(rows)) for cut in FORWARD_CUTS]
    parts = []
    for step, (start, end) in enumerate(pairwise(cuts)):
        progress("menguji maju menurut waktu", step, len(cuts) - 1)
        pipeline = _fit(portal, rows[:start], complaints[:start], classes)
        parts.append(scores(pipeline, complaints[start:end]))
    progress("menguji maju menurut waktu", len(cuts) - 1, len(cuts) - 1)
    return _Forward(rows[cuts[0] :], np.vstack(parts), classes), cuts[-1] - cuts[-2], pipeline


def _calibrate(forward: _Forward, portal: Portal) -> tuple[dict[str, Link], Agreement | None]:
    links, wanted = {}, {}
    for answer in forward.classes:
        wanted[answer] = targets(forward.matrix(answer))
        links[answer] = fit_link(forward.of(answer), wanted[answer], frequencies(forward.matrix(answer)))
    if "category" not in forward.classes:
        return links, None
    units, categories = forward.classes["unit"], forward.classes["category"]
    allowed = np.array([[portal.may_own(portal.category[category], unit) for unit in units] for category in categories])
    lift = log_lift(forward.matrix("unit"), forward.matrix("category"))
    agreement = fit_agreement(
        links["unit"].log_probabilities(forward.of("unit")),
        links["category"].log_probabilities(forward.of("category")),
        wanted["unit"],
        wanted["category"],
        lift,
        allowed,
    )
    return links, agreement


def smallest_sure(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The smallest threshold above which rows are right at least as often as asked, with a one-sided 95 %
    Clopper-Pearson bound (1934); above 1 if there is none."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(right[order])
    taken = np.arange(1, len(hits) + 1)
    # A threshold takes every row that stands at it: only the last of equal probabilities can be one.
    last = np.append(p[order][1:] != p[order][:-1], True) if len(p) else np.empty(0, bool)
    bound = beta.ppf(0.05, hits, taken - hits + 1)
    enough = np.flatnonzero((bound >= precision) & (taken >= FEWEST_FOR_THRESHOLD) & last)
    return float(p[order[enough[-1]]]) if len(enough) else 1.01


def _policy(router: Router, rows: Sequence[Example], beliefs: Sequence[Belief], wishes: Mapping[str, Any]) -> Policy:
    """Thresholds and the precision of places, from predictions of rows that the model had not seen."""
    p, right, sure_category, category_right, offices = [], [], [], [], []
    for row, belief in zip(rows, beliefs, strict=True):
        if "unit" not in row.labels:
            continue
        top = belief.answers["unit"][0]
        p.append(top.p)
        right.append(top.code == row.labels["unit"])
        if "category" in row.labels and belief.category:
            ranked = {item.code: item.p for item in belief.answers["category"]}
            sure_category.append(ranked.get(belief.category, 0.0))
            category_right.append(belief.category == row.labels["category"])
        if right[-1] and top.code.startswith("@"):
            complaint = cleaned(row.complaint)[0]
            office = router.places.office(top.code, complaint, router.places.find(complaint))
            if office:
                offices.append(office.code == row.labels["agency"])
    agency, correct = np.array(p), np.array(right)
    return Policy(
        auto=smallest_sure(agency, correct, float(wishes.get("precision_auto", 0.97))),
        prefill=smallest_sure(agency, correct, float(wishes.get("precision_prefill", 0.90))),
        category_auto=smallest_sure(
            np.array(sure_category), np.array(category_right), float(wishes.get("precision_prefill", 0.90))
        )
        if sure_category
        else 1.01,
        emergency=float(wishes.get("emergency_threshold", Policy().emergency)),
        place_precision=(sum(offices) + 1) / (len(offices) + 1.1) if offices else 0.9,
    )


def train(rows: Sequence[Example], portal: Portal, progress: Progress = lambda *_: None) -> Trained:
    """Trains on rows in the order of time and measures on the last stretch of it.

    The scores are those of a model that knew only the rows before the last stretch, with calibration and
    thresholds from still earlier predictions; the router returned has learned from all rows.

    Raises:
        DatasetError: too few rows, or fewer than two agencies.
    """
    if len(rows) < FEWEST_ROWS:
        raise DatasetError(f"Hanya {len(rows)} laporan berlabel; perlu sedikitnya {FEWEST_ROWS}.")
    progress("membersihkan teks", 0, 1)
    counted = Counter(row.labels["unit"] for row in rows if "unit" in row.labels)
    if len(counted) < 2:
        raise DatasetError(
            f"Perlu sedikitnya dua instansi untuk belajar; data ini hanya punya: {', '.join(counted) or '-'}"
        )
    complaints = [cleaned(row.complaint)[0] for row in rows]
    classes = answer_classes(portal, rows)
    progress("membersihkan teks", 1, 1)
    forward, held_back, last_pipeline = _look_forward(portal, rows, complaints, classes, progress)

    progress("mengalibrasi", 0, 2)
    early = forward.before(len(forward.rows) - held_back)
    known = {seen_key(row.complaint) for row in rows[: len(rows) - held_back]}
    test = [row for row in rows[len(rows) - held_back :] if seen_key(row.complaint) not in known]
    report = evaluate(_router(portal, last_pipeline, early), test, classes=True)
    progress("mengalibrasi", 1, 2)
    progress("melatih dengan semua laporan", 0, 1)
    pipeline = _fit(portal, rows, complaints, classes)
    progress("melatih dengan semua laporan", 1, 1)
    router = _router(portal, pipeline, forward)
    progress("mengalibrasi", 2, 2)
    return Trained(router, pipeline, report, len(rows))


def _router(portal: Portal, pipeline: Pipeline, forward: _Forward) -> Router:
    """A router with the calibration and the policy that forward scores support."""
    links, agreement = _calibrate(forward, portal)
    router = Router(Scorer(model_arrays(pipeline, portal, links, agreement)), portal, Policy(), PlaceFinder(portal))
    beliefs = decode(forward.scores, forward.classes, links, agreement)
    return replace(router, policy=_policy(router, forward.rows, beliefs, portal.settings.get("policy", {})))
