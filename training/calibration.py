"""Fits links and the agreement of answers on predictions for rows that the model had not seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from router_model.calibration import Agreement, Alarm, Floats, Link
from router_model.decoding import DANGER
from router_model.portal import Portal
from training.forward import ForwardScores
from training.pipeline import LabelMatrix

Integers = NDArray[np.intp]
FEWEST_DANGERS = 10
FREE = 100.0
"""Inverse penalty of the regression behind the alarm: two numbers from hundreds of rows need hardly any."""
HEARD = {DANGER: 1.0, "tinggi": 0.3}
"""How much a level's score speaks for danger. Fitted freely, `tinggi` got 0.14 of the weight of `darurat`; on the
sample's own rows 0 to 0.3 rank equally well, and on real complaints of another city 0.3 raises a third fewer for the
same emergencies found (python -m benchmarks.danger)."""
FEWEST_LINKED = 30
"""Fewer labelled rows than this fit nothing."""
ELSEWHERE = 0.7
"""What a model is sure of on shipped complaints it is less sure of in another city: its link's power is multiplied by
this. Of 1, 0.8, 0.7, 0.6 and 0.5, tried on two cities without a label of theirs, this one was the most honest: expected
calibration error 0.017 on Surabaya and 0.106 on Kab. Bandung (python -m benchmarks.dayone); links alone and undamped
gave 0.12 and 0.17."""
MOST_ROWS = 1_500
MOST_ROWS_LINKED = 4_000
"""Both fit three numbers; more rows do not change them."""


@dataclass(frozen=True)
class Calibration:
    """What scores mean, see `router_model.decoding.Decoder`."""

    links: Mapping[str, Link]
    agreement: Agreement | None
    alarm: Alarm | None = None


def targets(matrix: LabelMatrix) -> Integers:
    """Class index a row, -1 where the row has no label."""
    indexes = np.full(len(matrix.known), -1, dtype=np.intp)
    indexes[matrix.known] = matrix.indicators.indices
    return indexes


def frequencies(matrix: LabelMatrix) -> Floats:
    """log of the share of rows of each class, with half a pseudo-row for each."""
    counts = np.asarray(matrix.indicators.sum(axis=0)).ravel() + 0.5
    return np.asarray(np.log(counts / counts.sum()), dtype=np.float32)


def fit_link(scores: Floats, wanted: Integers, log_frequencies: Floats) -> Link:
    """Maximum likelihood over the rows that have a label; the default link where there are fewer than
    `FEWEST_LINKED`."""
    known = wanted >= 0
    if known.sum() < FEWEST_LINKED or scores.shape[1] < 2:
        return Link()
    rows = np.flatnonzero(known)
    rows = rows[:: -(-len(rows) // MOST_ROWS_LINKED)]
    scores, wanted = scores[rows], wanted[rows]
    row = np.arange(len(wanted))

    def link(parameters: NDArray[np.float64]) -> Link:
        # Bounded: the search may wander to where single precision rounds the floor to 0, whose logarithm is none.
        power, floor = np.exp(np.clip(parameters[:2], -12, 4))
        return Link(float(power), float(floor), float(parameters[2]), log_frequencies)

    def loss(parameters: NDArray[np.float64]) -> float:
        return -float(np.maximum(link(parameters).log_probabilities(scores)[row, wanted], -12).mean())

    return link(_minimum(loss, [0.7, -3.5, 0.0]))


def fit_alarm(scores: Floats, levels: Sequence[str], wanted: Integers) -> Alarm | None:
    """None where there are fewer than `FEWEST_LINKED` labels, or fewer than `FEWEST_DANGERS` of them are `darurat`."""
    known = wanted >= 0
    danger = wanted[known] == list(levels).index(DANGER) if DANGER in levels else np.zeros(known.sum(), bool)
    if known.sum() < FEWEST_LINKED or danger.sum() < FEWEST_DANGERS:
        return None
    heard = np.array([HEARD.get(level, 0.0) for level in levels], np.float32)
    fitted = LogisticRegression(C=FREE, max_iter=1_000).fit((scores[known] @ heard)[:, None], danger)
    return Alarm(float(fitted.intercept_[0]), heard * np.float32(fitted.coef_[0, 0]))


def log_lift(units: LabelMatrix, categories: LabelMatrix) -> Floats:
    """log p(unit | category) / p(unit), shrunk by one pseudo-row. Shape: categories x units."""
    both = units.known & categories.known
    together = (categories.indicators[both].T @ units.indicators[both]).toarray()
    prior = np.asarray(units.indicators.sum(axis=0)).ravel() + 0.5
    prior = prior / prior.sum()
    given = (together + prior) / (together.sum(axis=1, keepdims=True) + 1)
    return np.asarray(np.log(given / prior), dtype=np.float32)


def fit_agreement(
    log_units: Floats,
    log_categories: Floats,
    wanted_units: Integers,
    wanted_categories: Integers,
    lift: Floats,
    allowed: NDArray[np.bool_],
) -> Agreement:
    """Maximum likelihood of both answers' marginals on an even sample of the rows.

    Rows that have one label count for that one: where only some categories are known, those rows alone would trust the
    category too much.
    """
    if ((wanted_units >= 0) & (wanted_categories >= 0)).sum() < FEWEST_LINKED:
        return Agreement(1.0, 1.0, 0.0, lift, allowed)
    rows = np.flatnonzero((wanted_units >= 0) | (wanted_categories >= 0))
    rows = rows[:: max(1, len(rows) // MOST_ROWS)]

    def agreement(parameters: NDArray[np.float64]) -> Agreement:
        trust = np.exp(parameters)
        return Agreement(float(trust[0]), float(trust[1]), float(trust[2]), lift, allowed)

    log_units, log_categories = log_units[rows], log_categories[rows]
    wanted = [(np.flatnonzero(labels[rows] >= 0), labels[rows]) for labels in (wanted_units, wanted_categories)]

    def loss(parameters: NDArray[np.float64]) -> float:
        joint = agreement(parameters).joint(log_units, log_categories)
        found = (p[known, labels[known]] for p, (known, labels) in zip(joint[:2], wanted, strict=True))
        return -float(sum(np.log(np.maximum(p, 1e-5)).mean() for p in found))

    return agreement(_minimum(loss, [-0.3, -0.3, -0.7], evaluations=70))


def calibrate(forward: ForwardScores, portal: Portal, first: Calibration | None = None) -> Calibration:
    """Links and agreement, fitted on forward scores; `first` serves answers that have too few labels yet."""
    links, wanted = {}, {}
    for answer in forward.classes:
        wanted[answer] = targets(forward.matrix(answer))
        links[answer] = fit_link(forward.of(answer), wanted[answer], frequencies(forward.matrix(answer)))
        if first and (wanted[answer] >= 0).sum() < FEWEST_LINKED:
            links[answer] = first.links[answer]
    alarm = None
    if "urgency" in forward.classes:
        alarm = fit_alarm(forward.of("urgency"), forward.classes["urgency"], wanted["urgency"])
        alarm = alarm or (first.alarm if first else None)
    if "category" not in forward.classes:
        return Calibration(links, None, alarm)
    if first and ((wanted["unit"] >= 0) & (wanted["category"] >= 0)).sum() < FEWEST_LINKED:
        return Calibration(links, first.agreement, alarm)
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
    return Calibration(links, agreement, alarm)


def first_calibration(known: ForwardScores, portal: Portal) -> Calibration:
    """What scores mean before the portal has labels: the links of shipped complaints, less sure of what differs from
    place to place (see `ELSEWHERE`)."""
    found = calibrate(known, portal)
    links = {
        answer: replace(link, power=ELSEWHERE * link.power, balance=0.0) if answer in ("unit", "category") else link
        for answer, link in found.links.items()
    }
    return Calibration(links, found.agreement, found.alarm)


def _minimum(
    loss: Callable[[NDArray[np.float64]], float], start: list[float], evaluations: int = 200
) -> NDArray[np.float64]:
    result = minimize(loss, start, method="Nelder-Mead", options={"maxfev": evaluations, "xatol": 0.02})
    return np.asarray(result.x)
