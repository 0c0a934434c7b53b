"""Complaints as the review desk reads them from either database."""

from datetime import timedelta

import orjson
import pytest
from review_desk import NOW, PORTAL, Desk

from service.database import complaints, review_history
from service.database.database import Database
from service.database.dispositions import NoSuchSuggestionError

LAMPS, RUBBISH = "dishub", "dlhk"


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def said(title: str, **more: object) -> str:
    return orjson.dumps({"title": title, "text": f"isi {title}", **more}).decode()


def earlier(desk: Desk, agencies: tuple[str, ...], category: str = "", but: str = "", most: int = 400) -> list[str]:
    with desk.database.connect() as connection:
        found = complaints.earlier(connection, PORTAL, agencies, category, but, most)
    return [item.id for item in sorted(found, key=lambda item: item.created_at, reverse=True)]


def test_earlier_complaints_are_the_newest_settled_ones_of_an_agency_or_category(desk: Desk) -> None:
    for number in range(5):
        desk.add(f"s{number}", created_at=NOW - timedelta(days=number), agency=LAMPS, category="lampu")
        if number != 3:
            desk.decide(f"s{number}", "luh", RUBBISH if number == 4 else LAMPS)
    desk.add("lain", agency="pupr", category="jalan")
    desk.decide("lain", "luh", "pupr")
    desk.add("asing", portal="kota-besar", state="done")
    assert earlier(desk, (LAMPS,)) == ["s0", "s1", "s2", "s4"]
    assert earlier(desk, (LAMPS,), but="s0", most=2) == ["s1", "s2"]
    assert earlier(desk, (RUBBISH,)) == ["s4"]
    assert earlier(desk, (), "jalan") == ["lain"]
    assert earlier(desk, ()) == []


def test_the_agency_of_an_earlier_complaint_is_the_one_in_force(desk: Desk) -> None:
    desk.add("s", complaint=said("Lampu", confidential=True))
    desk.decide("s", "luh", LAMPS)
    desk.decide("s", "luh", RUBBISH)
    with desk.database.connect() as connection:
        (found,) = complaints.earlier(connection, PORTAL, (LAMPS,), "", "")
    assert (found.agency, found.words, found.written.confidential) == (RUBBISH, "Lampu\nisi Lampu", True)


def test_what_waits_for_another_look_is_no_example_and_not_to_be_read_by_those_who_may_look(desk: Desk) -> None:
    desk.add("s", looks=2)
    desk.decide("s", "luh", LAMPS)
    assert earlier(desk, (LAMPS,)) == []
    with desk.database.connect() as connection:
        assert complaints.unread_by(connection, PORTAL, "made") == {"s"}
        assert complaints.unread_by(connection, PORTAL, "luh") == frozenset()
        assert complaints.unread_by(connection, "kota-besar", "made") == frozenset()
    desk.open("s", "made")
    desk.decide("s", "made", LAMPS)
    assert earlier(desk, (LAMPS,)) == ["s"]
    with desk.database.connect() as connection:
        assert complaints.unread_by(connection, PORTAL, "nyoman") == frozenset()


def test_one_complaint_is_read_by_its_id_in_its_own_portal(desk: Desk) -> None:
    desk.add("s", complaint=said("Lampu"), external_id=None)
    with desk.database.connect() as connection:
        kept = complaints.kept(connection, PORTAL, "s")
        assert (kept.id, kept.external_id, kept.route, kept.state) == ("s", "", "review", "open")
        assert complaints.written(kept.complaint).title == "Lampu"
        for portal, suggestion_id in (("kota-besar", "s"), (PORTAL, "x")):
            with pytest.raises(NoSuchSuggestionError):
                complaints.kept(connection, portal, suggestion_id)


def test_channels_are_those_of_complaints_that_wait(desk: Desk) -> None:
    for number, (channel, state) in enumerate([("web", "open"), ("app", "second"), ("", "open"), ("sms", "done")]):
        desk.add(f"s{number}", channel=channel, state=state)
    desk.add("asing", channel="pos", portal="kota-besar")
    with desk.database.connect() as connection:
        assert complaints.channels(connection, PORTAL) == ["app", "web"]


def test_texts_can_be_read_while_the_history_is_still_being_fetched(desk: Desk) -> None:
    for number in range(3):
        desk.add(f"s{number}", complaint=said(f"Lampu {number}"))
        desk.decide(f"s{number}", "luh", LAMPS)
    with desk.database.connect() as connection:
        read = [
            complaints.each_written(connection, PORTAL, [entry.suggestion_id, "x"])
            for entry in review_history.rows(connection, PORTAL)
        ]
    assert sorted(text.title for texts in read for text in texts.values()) == ["Lampu 0", "Lampu 1", "Lampu 2"]
