"""How far two people agree who looked at the same complaints without knowing of each other."""

import secrets
from datetime import datetime, timedelta

import numpy as np
import pytest
from review_desk import NOW, PORTAL, Desk
from sklearn.metrics import cohen_kappa_score
from sqlalchemy import Connection

from service.database import judgements
from service.database.database import Database
from service.database.dispositions import Chosen
from service.database.judgements import Agreed, kappa


def test_kappa_is_cohens() -> None:
    """Twenty both yes, fifteen both no, fifteen apart: observed 0.7, expected 0.5."""
    first = ["ya"] * 25 + ["tidak"] * 25
    second = ["ya"] * 20 + ["tidak"] * 5 + ["ya"] * 10 + ["tidak"] * 15
    assert kappa(first, second) == pytest.approx(0.4)
    draws = np.random.default_rng(5)
    for classes in (2, 3, 9):
        one, other = (draws.integers(0, classes, 40).astype(str).tolist() for _ in range(2))
        assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_kappa_at_its_ends() -> None:
    assert kappa(["a", "b"], ["a", "b"]) == 1.0
    assert kappa(["a", "b"], ["b", "a"]) == -1.0
    assert kappa(["a", "a"], ["b", "b"]) == 0.0
    assert kappa(["a", "a"], ["a", "a"]) is None


def say(
    connection: Connection, complaint: str, look: int, by: str, agency: str, at: datetime = NOW, **more: str
) -> str:
    chosen = Chosen(agency, by=by, **more)
    return judgements.add(connection, PORTAL, complaint, look, chosen, seconds=None, now=at).id


@pytest.fixture
def desk(database: Database) -> Desk:
    desk = Desk(database)
    for number in range(6):
        desk.add(f"s{number}", looks=2)
    return desk


def test_agreement_is_told_by_answer_and_by_person(desk: Desk) -> None:
    with desk.database.begin() as connection:
        for complaint, one, other in (
            ("s0", ("luh", "dishub"), ("made", "dishub")),
            ("s1", ("made", "dishub"), ("luh", "pupr")),
            ("s2", ("luh", "pupr"), ("ayu", "pupr")),
            ("s3", ("luh", "pupr"), ("made", "pupr")),
        ):
            say(connection, complaint, 1, *one, category="lampu")
            say(
                connection,
                complaint,
                2,
                *other,
                urgency="tinggi",
                **({"category": "lampu"} if complaint == "s0" else {}),
            )
        say(connection, "s1", 3, "ayu", "dlhk")
        found = judgements.agreement(connection, PORTAL, NOW)
    assert (found.pairs, found.answers.agency.n, found.answers.agency.equal) == (4, 4, 0.75)
    # Observed 3/4, expected 2/4 * 1/4 + 2/4 * 3/4.
    assert found.answers.agency.kappa == pytest.approx((0.75 - 0.5) / 0.5)
    assert found.answers.category == Agreed(1, 1.0, None)
    assert found.answers.urgency == found.answers.report_type == Agreed(0, None, None)
    assert {by: (told.agency.n, told.agency.equal) for by, told in found.people.items()} == {
        "ayu": (1, 1.0), "luh": (4, 0.75), "made": (3, pytest.approx(2 / 3)),
    }  # fmt: skip
    assert found.people["luh"].agency.kappa == pytest.approx((0.75 - 0.5) / 0.5)


def test_a_persons_kappa_sets_them_against_the_others_whoever_looked_first(desk: Desk) -> None:
    with desk.database.begin() as connection:
        for complaint, one, other in (
            ("s0", ("luh", "dishub"), ("made", "pupr")),
            ("s1", ("made", "pupr"), ("luh", "dishub")),
        ):
            say(connection, complaint, 1, *one)
            say(connection, complaint, 2, *other)
        found = judgements.agreement(connection, PORTAL, NOW)
    # Each always says one thing, so that they would agree as rarely at random.
    assert {by: told.agency.kappa for by, told in found.people.items()} == {"luh": 0.0, "made": 0.0}
    assert found.answers.agency.kappa == -1.0


def test_only_pairs_that_stand_count_in_their_time_and_portal(desk: Desk) -> None:
    before = NOW - timedelta(days=1)
    with desk.database.begin() as connection:
        say(connection, "s0", 1, "luh", "dishub", before)
        say(connection, "s0", 2, "made", "pupr")
        say(connection, "s0", 2, "made", "dishub")
        say(connection, "s1", 1, "luh", "dishub")
        judgements.take_back(connection, say(connection, "s1", 2, "made", "pupr"))
        say(connection, "s2", 1, "luh", "dishub", before)
        say(connection, "s2", 2, "made", "pupr", before)
        say(connection, "s3", 1, "luh", "dishub")
        found = judgements.agreement(connection, PORTAL, NOW)
        other = judgements.agreement(connection, "kota-lain", before)
    assert (found.pairs, found.answers.agency) == (1, Agreed(1, 1.0, None))
    assert (other.pairs, other.answers.agency, other.people) == (0, Agreed(0, None, None), {})


def test_the_newest_of_a_look_is_in_force_even_if_said_at_the_same_moment(desk: Desk) -> None:
    said = [secrets.choice(("dishub", "pupr", "dlhk")) for _ in range(9)]
    with desk.database.begin() as connection:
        ids = [say(connection, "s0", 1, "luh", agency) for agency in said]
        assert judgements.in_force(connection, "s0")[1].id == ids[-1]
        last = judgements.in_force(connection, "s0")[1].created_at
        judgements.take_back(connection, ids[-1])
        assert judgements.in_force(connection, "s0")[1].id == ids[-2]
        assert judgements.in_force(connection, "s0")[1].created_at < last
