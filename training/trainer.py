"""From labelled complaints to a router: fit, look forward in time, calibrate, choose thresholds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from router_model.decoding import Decoder
from router_model.errors import DatasetError
from router_model.place import PlaceFinder
from router_model.policy import Policy, Threshold
from router_model.portal import Portal
from router_model.prediction import Prediction
from router_model.scorer import ModelArrays, Scorer
from router_model.suggestion import Router
from training.answered import Answered, answered
from training.calibration import Calibration, calibrate, first_calibration
from training.dataset import Example
from training.forward import ForwardScores
from training.history import FIRST, History, KnownScores, Progress, forward_stretches, known_scores, place_words
from training.pipeline import BLOCK_WEIGHTS
from training.report import full_report
from training.rule_precision import rule_records
from training.thresholds import choose_policy

FEWEST_ROWS = 20


@dataclass(frozen=True)
class Trained:
    """A router with the pipeline it came from, and what was measured on the last stretch of time.

    `answered` are forward answers of every stretch, those of the `held_back` rows last; `seconds` is how long each
    stage took.
    """

    router: Router
    pipeline: Pipeline
    scores: Mapping[str, Any]
    rows: int
    answered: Sequence[Answered] = ()
    held_back: Sequence[Example] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


def model_arrays(pipeline: Pipeline, portal: Portal, calibration: Calibration) -> ModelArrays:
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
        links=calibration.links,
        agreement=calibration.agreement,
        alarm=calibration.alarm,
        place_words=place_words(portal),
    )


def _place_precision(router: Router, rows: Sequence[Example], predictions: Sequence[Prediction]) -> float:
    """How often the office found from the place was the right one, given that its kind was."""
    offices = []
    for row, prediction in zip(rows, predictions, strict=True):
        unit = prediction.answers["unit"][0].code
        if unit.startswith("@") and unit == row.labels.get("unit"):
            office = router.places.office(unit, prediction.complaint, router.places.find(prediction.complaint))
            if office:
                offices.append(office.code == row.labels["agency"])
    return (sum(offices) + 1) / (len(offices) + 1.1) if offices else 0.9


def ready_router(
    portal: Portal, pipeline: Pipeline, forward: ForwardScores, held_back: int = 0, first: Calibration | None = None
) -> tuple[Router, list[Answered]]:
    """A router with the calibration and the policy that forward scores support, and these scores as answers; the
    last `held_back` of them are marked so. `first` is as of `calibrate`."""
    calibration = calibrate(forward, portal, first)
    router = Router(Scorer(model_arrays(pipeline, portal, calibration)), portal, Policy(), PlaceFinder(portal))
    beliefs = Decoder(forward.classes, calibration.links, calibration.agreement, calibration.alarm).beliefs(
        forward.scores
    )
    predictions = [
        Prediction(item.complaint, belief.answers, belief.category, 0, 0)
        for item, belief in zip(forward.asked, beliefs, strict=True)
    ]
    place_precision = _place_precision(router, forward.rows, predictions)
    router = replace(router, policy=Policy(place_precision=place_precision))
    rules = rule_records(router, forward.rows, predictions)
    router = replace(router, policy=replace(router.policy, rules=rules))
    record = [
        answered(
            item.row,
            item.key,
            belief,
            router.agencies(prediction, router.places.find(item.complaint)),
            portal,
            held_back=number >= len(beliefs) - held_back,
        )
        for number, (item, belief, prediction) in enumerate(zip(forward.asked, beliefs, predictions, strict=True))
    ]
    policy = choose_policy(record, portal.settings.get("policy", {}), place_precision)
    return replace(router, policy=replace(policy, rules=rules)), record


def check_enough(rows: Sequence[Example], known: Sequence[Example]) -> None:
    """Raises `DatasetError`: too few rows, or fewer than two agencies, and no complaints of shipped knowledge."""
    if known:
        return
    if len(rows) < FEWEST_ROWS:
        raise DatasetError(f"Hanya {len(rows)} laporan berlabel; perlu sedikitnya {FEWEST_ROWS}.")
    counted = Counter(row.labels["unit"] for row in rows if "unit" in row.labels)
    if len(counted) < 2:
        raise DatasetError(
            f"Perlu sedikitnya dua instansi untuk belajar; data ini hanya punya: {', '.join(counted) or '-'}"
        )


class _Stages:
    """Tells of each stage as it goes by, and how long it took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    def step(self, stage: str, done: int, total: int) -> None:
        if done == 0:
            self._start = perf_counter()
        self.seconds[stage] = round(perf_counter() - self._start, 2)
        self._progress(stage, done, total)


def train(rows: Sequence[Example], portal: Portal, progress: Progress = lambda *_: None) -> Trained:
    """Trains on rows in the order of time and measures on the last stretch of it.

    The scores are those of a model that knew only the rows before the last stretch, with calibration and
    thresholds from still earlier predictions; near copies of earlier rows are left out. The router returned has
    learned from all rows. Fewer than `FEWEST_ROWS` rows have no past to be measured on, see `_train_unmeasured`.

    Raises:
        DatasetError: too few rows, or fewer than two agencies, and no shipped knowledge to go by.
    """
    stages = _Stages(progress)
    stages.step("membaca laporan", 0, 1)
    history = History(portal, rows)
    stages.step("membaca laporan", 1, 1)
    check_enough(rows, history.knowledge)
    known = known_scores(history, FIRST, stages.step) if history.knowledge else None
    first = first_calibration(known.scores, portal) if known else None
    if known and first and len(rows) < FEWEST_ROWS:
        return _train_unmeasured(history, known, first, stages)

    past = forward_stretches(history, len(rows), stages.step)

    stages.step("mengalibrasi", 0, 1)
    last_router, _ = ready_router(portal, past.pipeline, past.scores.before(past.last), first=first)
    stages.step("mengalibrasi", 1, 1)

    stages.step("menyusun laporan evaluasi", 0, 1)
    test = past.scores.since(past.last).rows
    report = full_report(last_router, test, rows[: past.last])
    stages.step("menyusun laporan evaluasi", 1, 1)

    stages.step("melatih dengan semua laporan", 0, 2)
    pipeline = history.fit(len(rows), past.learning)
    stages.step("melatih dengan semua laporan", 1, 2)
    router, record = ready_router(portal, pipeline, past.scores, held_back=len(test), first=first)
    stages.step("melatih dengan semua laporan", 2, 2)
    return Trained(router, pipeline, report, len(rows), record, test, stages.seconds)


def _train_unmeasured(history: History, known: KnownScores, first: Calibration, stages: _Stages) -> Trained:
    """A model of shipped knowledge and the few rows there are, which nothing of this portal has measured yet.

    The report is about shipped complaints that a model of the others was asked about. No answer is sure enough to be
    applied without a person; it is pre-selected where the model itself says what the portal asks for.
    """
    portal = history.portal
    none_yet = known.scores.none()

    stages.step("menyusun laporan evaluasi", 0, 1)
    part = [history.knowledge[number] for number in known.last]
    others = [row for number, row in enumerate(history.knowledge) if number not in set(known.last)]
    report = full_report(_unproven(ready_router(portal, known.pipeline, none_yet, first=first)[0]), part, others)
    stages.step("menyusun laporan evaluasi", 1, 1)

    stages.step("melatih dengan semua laporan", 0, 1)
    pipeline = history.fit(len(history.rows), FIRST)
    router, _ = ready_router(portal, pipeline, none_yet, first=first)
    stages.step("melatih dengan semua laporan", 1, 1)
    scores = {**report, "shipped": True}
    return Trained(_unproven(router), pipeline, scores, len(history.rows), seconds=stages.seconds)


def _unproven(router: Router) -> Router:
    """With the thresholds of a portal that nothing was measured on."""
    policy = replace(
        router.policy, prefill=Threshold(router.policy.precision_prefill), category=router.policy.precision_prefill
    )
    return replace(router, policy=policy)
