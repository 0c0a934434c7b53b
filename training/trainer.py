"""From labelled complaints to a router: fit, look forward in time, calibrate, choose thresholds."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from training.calibration import fit_agreement, fit_link, log_lift, targets
from training.dataset import Example
from training.evaluation import evaluate
from training.pipeline import BLOCK_WEIGHTS, Floats, LabelMatrix, build_pipeline, label_matrix, scores

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
    """Closed label sets of the answers that have at least two classes in the rows; only classes that occur."""
    known = {
        "unit": portal.units,
        "category": tuple(leaf.code for leaf in portal.leaves),
        "urgency": URGENCY_LEVELS,
        "report_type": tuple(REPORT_TYPES),
    }
    classes: dict[str, tuple[str, ...]] = {}
    for answer, names in known.items():
        present = {row.labels[answer] for row in rows if answer in row.labels}
        if len(present) > 1:
            classes[answer] = tuple(name for name in names if name in present)
    return classes


def _labels(rows: Iterable[Example], answers: Iterable[str]) -> dict[str, list[str]]:
    listed = list(rows)
    return {answer: [row.labels.get(answer, "") for row in listed] for answer in answers}


@dataclass(frozen=True)
class _Fit:
    """A fitted pipeline with the classes it knows, which a later stretch may exceed."""

    pipeline: Pipeline
    classes: Mapping[str, tuple[str, ...]]


def _fit(portal: Portal, rows: Sequence[Example], complaints: Sequence[Complaint]) -> _Fit:
    classes = answer_classes(portal, rows)
    if "unit" not in classes:
        counted = Counter(row.labels.get("unit", "") for row in rows)
        raise DatasetError(
            f"Perlu sedikitnya dua instansi untuk belajar; data ini hanya punya: {', '.join(filter(None, counted)) or '-'}"
        )
    extractor = TermExtractor(place_words(portal))
    blocks = [block for block in BLOCKS if _repeats(getattr(extractor, block), complaints)]
    if not blocks:
        raise DatasetError("Tidak ada kata yang muncul di dua laporan; data ini terlalu sedikit untuk dilatih.")
    pipeline = build_pipeline(extractor, classes, blocks)
    return _Fit(pipeline.fit(complaints, _labels(rows, classes)), classes)


def _repeats(analyzer: Callable[[Complaint], list[str]], complaints: Sequence[Complaint]) -> bool:
    seen: set[str] = set()
    for complaint in complaints:
        terms = set(analyzer(complaint))
        if terms & seen:
            return True
        seen |= terms
    return False


def model_arrays(
    fit: _Fit, portal: Portal, links: Mapping[str, Link], agreement: Agreement | None
) -> ModelArrays:
    """The fitted pipeline as plain arrays, in the order in which the scorer reads them."""
    vocabularies: dict[str, list[str]] = {}
    weights = []
    for block, steps in fit.pipeline["terms"].transformer_list:
        terms = steps["count"].get_feature_names_out()
        vocabularies[block] = [str(term) for term in terms[steps["weigh"].kept_]]
        weights.append(steps["weigh"].weights_)
    return ModelArrays(
        vocabularies=vocabularies,
        block_weights=BLOCK_WEIGHTS,
        weights=np.concatenate(weights),
        coefficients=fit.pipeline["heads"].coefficients_,
        classes=fit.classes,
        links=links,
        agreement=agreement,
        place_words=place_words(portal),
    )


@dataclass(frozen=True)
class _Forward:
    """Predictions of rows by models that knew only earlier ones; columns are `classes`, unseen ones score 0."""

    rows: list[Example]
    scores: Mapping[str, Floats]
    classes: Mapping[str, tuple[str, ...]]

    def matrix(self, answer: str) -> LabelMatrix:
        return label_matrix(_labels(self.rows, [answer])[answer], self.classes[answer])


def _look_forward(
    portal: Portal, rows: Sequence[Example], complaints: Sequence[Complaint], progress: Progress
) -> tuple[_Forward, _Forward, _Fit]:
    """Forward predictions for calibration, for all stretches, and the fit before the last stretch."""
    classes = answer_classes(portal, rows)
    cuts = [round(cut * len(rows)) for cut in FORWARD_CUTS]
    parts: list[tuple[list[Example], dict[str, Floats]]] = []
    for step, (start, end) in enumerate(zip(cuts, cuts[1:], strict=False)):
        progress("menguji maju menurut waktu", step, len(cuts) - 1)
        fit = _fit(portal, rows[:start], complaints[:start])
        predicted = scores(fit.pipeline, complaints[start:end])
        aligned = {}
        offset = 0
        for answer, names in fit.classes.items():
            column = {name: index for index, name in enumerate(classes[answer])}
            block = np.zeros((end - start, len(column)), np.float32)
            block[:, [column[name] for name in names]] = predicted[:, offset : offset + len(names)]
            aligned[answer] = block
            offset += len(names)
        parts.append((list(rows[start:end]), aligned))
    progress("menguji maju menurut waktu", len(cuts) - 1, len(cuts) - 1)

    def joined(some: Sequence[tuple[list[Example], dict[str, Floats]]]) -> _Forward:
        together = {
            answer: np.vstack([part.get(answer, np.zeros((len(r), len(names)), np.float32)) for r, part in some])
            for answer, names in classes.items()
        }
        return _Forward([row for r, _ in some for row in r], together, classes)

    return joined(parts[:-1]), joined(parts), fit


def _calibrate(forward: _Forward, portal: Portal) -> tuple[dict[str, Link], Agreement | None]:
    links, wanted = {}, {}
    for answer in forward.classes:
        wanted[answer] = targets(forward.matrix(answer))
        links[answer] = fit_link(forward.scores[answer], wanted[answer])
    if "category" not in forward.classes:
        return links, None
    units, categories = forward.classes["unit"], forward.classes["category"]
    allowed = np.array(
        [[portal.may_own(portal.category[category], unit) for unit in units] for category in categories]
    )
    lift = log_lift(forward.matrix("unit"), forward.matrix("category"))
    agreement = fit_agreement(
        links["unit"].log_probabilities(forward.scores["unit"]),
        links["category"].log_probabilities(forward.scores["category"]),
        wanted["unit"],
        wanted["category"],
        lift,
        allowed,
    )
    return links, agreement


def _narrowed(
    links: Mapping[str, Link], agreement: Agreement | None, fit: _Fit, whole: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Link], Agreement | None]:
    """The same calibration for a fit that knows fewer classes."""
    if agreement is not None and {"unit", "category"} <= fit.classes.keys():
        rows = [whole["category"].index(name) for name in fit.classes["category"]]
        columns = [whole["unit"].index(name) for name in fit.classes["unit"]]
        agreement = replace(
            agreement,
            log_lift=agreement.log_lift[np.ix_(rows, columns)],
            allowed=agreement.allowed[np.ix_(rows, columns)],
        )
    else:
        agreement = None
    return {answer: links[answer] for answer in fit.classes}, agreement


def smallest_sure(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The smallest threshold above which rows are right at least as often as asked, with a one-sided 95 %
    Clopper-Pearson bound (1934); above 1 if there is none."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(right[order])
    taken = np.arange(1, len(hits) + 1)
    bound = beta.ppf(0.05, hits, taken - hits + 1)
    enough = np.flatnonzero((bound >= precision) & (taken >= FEWEST_FOR_THRESHOLD))
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
        emergency=float(wishes.get("emergency_threshold", 0.30)),
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
    complaints = [cleaned(row.complaint)[0] for row in rows]
    progress("membersihkan teks", 1, 1)
    early, every, last_fit = _look_forward(portal, rows, complaints, progress)

    progress("mengalibrasi", 0, 2)
    wishes = portal.settings.get("policy", {})
    places = PlaceFinder(portal)
    links, agreement = _calibrate(early, portal)
    narrowed = _narrowed(links, agreement, last_fit, early.classes)
    held_back = Router(Scorer(model_arrays(last_fit, portal, *narrowed)), portal, Policy(), places)
    held_back = replace(held_back, policy=_forward_policy(held_back, early, links, agreement, wishes))
    known = {seen_key(row.complaint) for row in rows[: len(rows) - (len(every.rows) - len(early.rows))]}
    test = [row for row in every.rows[len(early.rows) :] if seen_key(row.complaint) not in known]
    report = evaluate(held_back, test, classes=True) if test else {"rows": 0, "answers": {}, "routes": {}}

    progress("mengalibrasi", 1, 2)
    links, agreement = _calibrate(every, portal)
    progress("mengalibrasi", 2, 2)
    progress("melatih dengan semua laporan", 0, 1)
    fit = _fit(portal, rows, complaints)
    router = Router(Scorer(model_arrays(fit, portal, links, agreement)), portal, Policy(), places)
    router = replace(router, policy=_forward_policy(router, every, links, agreement, wishes))
    progress("melatih dengan semua laporan", 1, 1)
    return Trained(router, fit.pipeline, report, len(rows))


def _forward_policy(
    router: Router,
    forward: _Forward,
    links: Mapping[str, Link],
    agreement: Agreement | None,
    wishes: Mapping[str, Any],
) -> Policy:
    """The policy that forward scores support, decoded by the rules that serve."""
    joined = np.hstack([forward.scores[answer] for answer in forward.classes])
    beliefs = [decode(line, forward.classes, links, agreement) for line in joined]
    return _policy(router, forward.rows, beliefs, wishes)
