"""Two people look at some complaints without knowing of each other; where they differ, a third settles it."""

import random
from datetime import timedelta

import pytest
from review_desk import NOW, PORTAL, Desk
from sqlalchemy import select

from service.database import dispositions
from service.database.database import Database
from service.database.dispositions import Chosen
from service.database.review import NotYoursError
from service.database.schema import audit_log, judgements
from service.database.schema import dispositions as disposition_rows

SOON = timedelta(seconds=1)


@pytest.fixture
def desk(database: Database) -> Desk:
    """One complaint that two people should look at."""
    desk = Desk(database)
    desk.add("a", looks=2, priority=10.5, route="prefill")
    return desk


def in_force(desk: Desk) -> tuple[str, str] | None:
    """What counts, and who said it."""
    with desk.database.connect() as connection:
        found = dispositions.newest(connection, "a")
        return (found["agency"], found["by"]) if found else None


def said(desk: Desk) -> list[tuple[int, str, str, bool]]:
    columns = judgements.c
    query = select(columns.look, columns.by, columns.agency, columns.undone).order_by(columns.created_at)
    with desk.database.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def look(desk: Desk, by: str, agency: str = "dishub", **labels: str) -> bool:
    """Takes it from the queue and decides; whether nobody has to look any more."""
    assert desk.next(by) == "a"
    return desk.decide("a", by, agency, **labels).settled


def state(desk: Desk) -> str:
    return str(desk.of("a")["state"])


def test_the_first_counts_at_once_and_the_second_who_agrees_ends_it(desk: Desk) -> None:
    assert not look(desk, "luh")
    assert (state(desk), in_force(desk)) == ("second", ("dishub", "luh"))
    assert 100.0 <= desk.of("a")["priority"] < 101.0
    assert desk.next("luh") == ""
    assert look(desk, "made")
    assert (state(desk), in_force(desk)) == ("done", ("dishub", "luh"))
    assert said(desk) == [(1, "luh", "dishub", False), (2, "made", "dishub", False)]
    assert desk.next("ayu") == ""


def test_a_third_who_is_neither_settles_what_two_see_differently(desk: Desk) -> None:
    look(desk, "luh", "dishub")
    assert not look(desk, "made", "pupr")
    assert (state(desk), in_force(desk)) == ("third", ("dishub", "luh"))
    assert [desk.next(by) for by in ("luh", "made")] == ["", ""]
    assert look(desk, "ayu", "dlhk")
    assert (state(desk), in_force(desk)) == ("done", ("dlhk", "ayu"))
    assert said(desk)[-1] == (3, "ayu", "dlhk", False)


@pytest.mark.parametrize(("agency", "counts"), [("dishub", ("dishub", "luh")), ("pupr", ("pupr", "ayu"))])
def test_the_third_may_side_with_either(desk: Desk, agency: str, counts: tuple[str, str]) -> None:
    look(desk, "luh", "dishub")
    look(desk, "made", "pupr")
    assert look(desk, "ayu", agency)
    assert (state(desk), in_force(desk)) == ("done", counts)
    desk.undo("a", "ayu")
    assert (state(desk), in_force(desk), desk.held("ayu")) == ("third", ("dishub", "luh"), ["a"])


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        ({"category": "lampu"}, {"category": "lampu"}, "done"),
        ({"category": "lampu"}, {"category": "rambu"}, "third"),
        ({"category": "lampu"}, {}, "done"),
        ({}, {"urgency": "tinggi"}, "done"),
        ({"urgency": "tinggi"}, {"urgency": "sedang"}, "third"),
        ({"report_type": "informasi"}, {"report_type": "aspirasi"}, "third"),
    ],
)
def test_they_differ_where_both_said_something_else(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, str], second: dict[str, str], after: str
) -> None:
    desk = Desk(Database(f"sqlite:///{tmp_path_factory.mktemp('beda') / 'aduan.db'}"))
    desk.add("a", looks=2)
    look(desk, "luh", **first)
    look(desk, "made", **second)
    assert state(desk) == after
    desk.database.close()


def test_an_emergency_is_decided_once_and_one_look_is_enough_where_one_was_wanted(desk: Desk) -> None:
    desk.add("api", looks=2, route="emergency", priority=1_000.0)
    desk.add("biasa")
    assert desk.next("luh") == "api"
    assert desk.decide("api", "luh").settled
    assert desk.decide("biasa", "luh").settled
    assert (desk.of("api")["state"], desk.of("biasa")["state"]) == ("done", "done")


def test_only_those_it_was_handed_to_take_the_second_look(desk: Desk) -> None:
    look(desk, "luh")
    for act in (desk.decide, desk.skip):
        with pytest.raises(NotYoursError, match="sudah diputuskan"):
            act("a", "made")
    opened = desk.open("a", "made")
    assert opened and opened.look == 2
    with pytest.raises(NotYoursError, match="made"):
        desk.open("a", "ayu")
    with pytest.raises(NotYoursError, match="Anda sudah memutuskan"):
        desk.open("a", "luh")
    desk.skip("a", "made")
    assert (state(desk), desk.next("made"), desk.next("ayu")) == ("second", "", "a")


def test_the_first_takes_it_back_also_while_the_second_has_it(desk: Desk) -> None:
    look(desk, "luh")
    assert desk.next("made") == "a"
    desk.undo("a", "luh")
    assert (state(desk), in_force(desk), desk.held("luh"), desk.held("made")) == ("open", None, ["a"], [])
    assert desk.of("a")["priority"] == 10.5
    assert said(desk) == [(1, "luh", "dishub", True)]
    with pytest.raises(NotYoursError, match="luh"):
        desk.decide("a", "made")
    assert not desk.decide("a", "luh", "pupr").settled
    assert in_force(desk) == ("pupr", "luh")


def test_the_first_may_not_change_what_a_second_has_judged(desk: Desk) -> None:
    look(desk, "luh", "dishub")
    look(desk, "made", "pupr")
    with pytest.raises(NotYoursError, match="Petugas lain"):
        desk.undo("a", "luh")
    with pytest.raises(NotYoursError, match="Petugas lain"):
        desk.decide("a", "luh", "dlhk")
    assert not desk.decide("a", "luh", "dishub").new
    desk.undo("a", "made")
    assert (state(desk), desk.held("made")) == ("second", ["a"])
    desk.undo("a", "luh")
    assert (state(desk), in_force(desk)) == ("open", None)


def test_the_second_takes_it_back_also_while_the_third_has_it(desk: Desk) -> None:
    look(desk, "luh", "dishub")
    look(desk, "made", "pupr")
    assert desk.next("ayu") == "a"
    desk.undo("a", "made")
    assert (state(desk), desk.held("made"), desk.held("ayu")) == ("second", ["a"], [])
    assert desk.decide("a", "made", "dishub").settled
    assert in_force(desk) == ("dishub", "luh")


def test_the_first_corrects_while_the_second_looks_who_keeps_it(desk: Desk) -> None:
    look(desk, "luh", "dishub")
    assert desk.next("made") == "a"
    corrected = desk.decide("a", "luh", "pupr")
    assert corrected.new and not corrected.settled
    assert (state(desk), in_force(desk), desk.held("made")) == ("second", ("pupr", "luh"), ["a"])
    assert desk.decide("a", "made", "pupr").settled


def test_what_was_corrected_counts_again_when_the_correction_is_undone(desk: Desk) -> None:
    look(desk, "luh", "dishub")
    desk.decide("a", "luh", "pupr")
    desk.undo("a", "luh")
    assert (state(desk), in_force(desk), desk.held("luh")) == ("second", ("dishub", "luh"), [])
    look(desk, "made", "pupr")
    desk.decide("a", "made", "dishub")
    assert state(desk) == "done"
    desk.undo("a", "made")
    assert (state(desk), desk.held("made"), desk.next("made")) == ("third", [], "")


def test_a_portal_that_decides_meanwhile_ends_it(desk: Desk) -> None:
    look(desk, "luh", "dishub")
    assert desk.next("made") == "a"
    with desk.database.begin() as connection:
        dispositions.record(connection, PORTAL, Chosen("dlhk"), who="key:1", source="api", suggestion_id="a")
    assert state(desk) == "done"
    with pytest.raises(NotYoursError, match="sudah diputuskan"):
        desk.decide("a", "made")
    with pytest.raises(NotYoursError, match="di portal"):
        desk.undo("a", "luh")


def test_what_was_skipped_is_not_taken_back_once_another_judged_it(desk: Desk) -> None:
    desk.next("luh")
    desk.skip("a", "luh")
    desk.next("made", NOW + SOON)
    desk.decide("a", "made", now=NOW + SOON)
    with pytest.raises(NotYoursError, match="petugas lain"):
        desk.undo("a", "luh")
    assert desk.next("luh", NOW + timedelta(hours=9)) == "a"


def test_every_look_is_kept_with_its_seconds_and_one_line_in_the_audit_log(desk: Desk) -> None:
    for by, agency, seconds in (("luh", "dishub", 4.5), ("made", "pupr", None), ("ayu", "dishub", 9.0)):
        desk.next(by)
        desk.decide("a", by, agency, seconds=seconds)
    with desk.database.connect() as connection:
        query = select(judgements.c.look, judgements.c.seconds).order_by(judgements.c.look)
        assert [tuple(row) for row in connection.execute(query)] == [(1, 4.5), (2, None), (3, 9.0)]
        actions = list(connection.scalars(select(audit_log.c.action).order_by(audit_log.c.id)))
        assert len(connection.execute(select(disposition_rows)).all()) == 1
    assert actions == ["disposition.record", "review.judge", "review.judge"]


def test_a_sure_answer_that_is_sampled_waits_for_a_person_whatever_the_portal_carries_out(database: Database) -> None:
    desk = Desk(database)
    for name in ("dilaksanakan", "dikoreksi"):
        desk.add(name, route="auto", sampled=True, priority=100.3)
    desk.add("biasa", route="auto", state="free")
    with database.begin() as connection:
        for name, agency in (("dilaksanakan", "dishub"), ("dikoreksi", "pupr"), ("biasa", "dishub")):
            chosen = Chosen(agency, by="portal")
            dispositions.record(connection, PORTAL, chosen, who="key:1", source="api", suggestion_id=name)
    states = [desk.of(name)["state"] for name in ("dilaksanakan", "dikoreksi", "biasa")]
    assert states == ["open", "done", "done"]
    assert desk.next("luh") == "dilaksanakan"
    assert desk.decide("dilaksanakan", "luh", "dishub").settled
    desk.undo("dilaksanakan", "luh")
    assert desk.of("dilaksanakan")["state"] == "open"
    assert desk.of("dilaksanakan")["priority"] == 100.3
    with database.connect() as connection:
        newest = dispositions.newest(connection, "dilaksanakan")
        assert newest and newest["by"] == "portal"
    assert desk.decide("dilaksanakan", "luh", "dlhk").settled


PEOPLE, AGENCIES = ("luh", "made", "ayu", "eka"), ("dishub", "pupr")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_the_rules_hold(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Random acts on five complaints, and after each: nobody has two, nobody judges twice, the state fits."""
    desk = Desk(Database(f"sqlite:///{tmp_path_factory.mktemp('acak') / 'aduan.db'}"))
    ids = [
        desk.add(f"s{number}", looks=1 + number % 2, route="emergency" if number == 3 else "review")
        for number in range(5)
    ]
    chance, done = random.Random(seed), 0  # noqa: S311
    for turn in range(200):
        now, by, complaint = NOW + turn * timedelta(minutes=1), chance.choice(PEOPLE), chance.choice(ids)
        act = chance.choice(("next", "next", "decide", "decide", "skip", "undo", "open"))
        held = desk.held(by)
        try:
            if act == "next":
                desk.next(by, now)
            elif act == "decide":
                desk.decide(held[0] if held else complaint, by, chance.choice(AGENCIES), now)
            elif act == "open":
                desk.open(complaint, by, now)
            else:
                {"skip": desk.skip, "undo": desk.undo}[act](complaint, by, now)
            done += 1
        except NotYoursError:
            continue
        assert all(len(desk.held(person)) <= 1 for person in PEOPLE)
        for name in ids:
            holds(desk, name)
    assert done > 50
    desk.database.close()


def holds(desk: Desk, name: str) -> None:
    row = desk.of(name)
    columns = judgements.c
    with desk.database.connect() as connection:
        query = select(columns.look, columns.by, columns.agency).where(columns.suggestion_id == name, ~columns.undone)
        latest = {found.look: found for found in connection.execute(query.order_by(columns.created_at))}
        newest = dispositions.newest(connection, name)
    assert len({found.by for found in latest.values()}) == len(latest)
    assert row["leased_by"] not in {found.by for found in latest.values()}
    if not latest:
        expected = "open"
    elif row["looks"] == 1 or row["route"] == "emergency" or 3 in latest:
        expected = "done"
    elif 2 not in latest:
        expected = "second"
    else:
        expected = "done" if latest[1].agency == latest[2].agency else "third"
    assert row["state"] == expected
    counts = latest.get(3) or latest.get(1)
    assert (newest and newest["agency"]) == (counts and counts.agency)
    assert row["leased_by"] is None or row["state"] != "done"
    assert row["priority"] < 1_000.0 or row["route"] == "emergency"
