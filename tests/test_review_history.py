"""What was decided and why, and how the work goes: of the office, and of one person."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from review_desk import NOW, PORTAL, Desk
from sqlalchemy import insert, update

from service.database import dispositions, review_history
from service.database.database import Database
from service.database.dispositions import Chosen
from service.database.review_history import Day, HistoryFilters
from service.database.schema import dispositions as disposition_rows
from service.database.schema import suggestions

BALI = ZoneInfo("Asia/Makassar")


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def disposed(desk: Desk, name: str, at: datetime, **changed: Any) -> str:
    with desk.database.begin() as connection:
        values = {
            "id": f"d-{name}-{changed.get('sequence', 1)}",
            "portal": PORTAL,
            "suggestion_id": name,
            "sequence": 1,
            "agency": "dishub",
            "by": "luh",
            "reason": "",
            "source": "review",
            "outcome": "accepted",
            "undone": False,
            "created_at": at,
            **changed,
        }
        connection.execute(insert(disposition_rows).values(values))
        done = update(suggestions).where(suggestions.c.id == name).values(state="done")
        connection.execute(done if not values["undone"] else done.values(state="open"))
        return str(values["id"])


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def test_history_stands_next_to_what_the_model_said_newest_first(desk: Desk) -> None:
    desk.add("a", complaint='{"text":"lampu padam"}', looks=2, release="r1", urgency="tinggi")
    desk.add("b", agency=None, agency_p=None, category=None, external_id=None)
    desk.decide("a", "luh", "pupr", category="jalan", urgency="sedang", report_type="pengaduan", reason="bukan lampu")
    desk.decide("b", "made")
    desk.undo("b", "made")
    with desk.database.connect() as connection:
        second, first = review_history.page(connection, PORTAL)
        assert review_history.page(connection, "kota-lain") == []
    told = {name: getattr(first, name) for name in first.__dataclass_fields__ if name not in ("id", "created_at")}
    assert told == {
        "suggestion_id": "a", "external_id": "nomor-a", "by": "luh", "agency": "pupr", "category": "jalan",
        "urgency": "sedang", "report_type": "pengaduan", "reason": "bukan lampu", "source": "review",
        "outcome": "changed", "suggested_agency": "dishub", "suggested_p": 0.5, "suggested_category": "lampu",
        "suggested_urgency": "tinggi", "route": "review", "release": "r1", "looks": 2,
        "refused": False, "undone": False,
    }  # fmt: skip
    assert (second.external_id, second.outcome, second.suggested_agency, second.undone) == ("", "scratch", None, True)


def test_history_goes_on_where_a_page_ended_and_comes_whole_for_an_export(desk: Desk) -> None:
    made = []
    for number in range(23):
        desk.add(f"s{number}")
        made.append(disposed(desk, f"s{number}", minutes(number // 4)))
    with desk.database.connect() as connection:
        found: list[str] = []
        while part := review_history.page(connection, PORTAL, before=found[-1] if found else "", most=5):
            assert len(part) <= 5
            found += [entry.id for entry in part]
        whole = [entry.id for entry in review_history.rows(connection, PORTAL)]
        assert review_history.page(connection, PORTAL, before="tidak-ada") == []
    assert found == whole
    assert sorted(found) == sorted(made)
    with desk.database.connect() as connection:
        moments = [entry.created_at for entry in review_history.rows(connection, PORTAL)]
    assert moments == sorted(moments, reverse=True)


def test_history_is_filtered(desk: Desk) -> None:
    desk.add("a", complaint='{"text":"Lampu 100% padam"}')
    desk.add("b", route="prefill")
    desk.add("c", external_id="PRO-77")
    disposed(desk, "a", minutes(0), by="made", agency="pupr", outcome="changed")
    disposed(desk, "b", minutes(10), reason="Kata pak lurah")
    disposed(desk, "c", minutes(20), source="api")
    tried: list[tuple[dict[str, Any], str]] = [
        ({}, "cba"),
        ({"by": "made"}, "a"),
        ({"agency": "dishub"}, "cb"),
        ({"outcome": "changed"}, "a"),
        ({"route": "prefill"}, "b"),
        ({"since": minutes(10)}, "cb"),
        ({"until": minutes(10)}, "a"),
        ({"since": minutes(10), "until": minutes(20), "by": "luh"}, "b"),
        ({"text": "lampu"}, "a"),
        ({"text": "100%"}, "a"),
        ({"text": "1_0"}, ""),
        ({"text": "pro-7"}, "c"),
        ({"text": "LURAH"}, "b"),
    ]
    with desk.database.connect() as connection:
        for filters, found in tried:
            wanted = HistoryFilters(**filters)
            page = review_history.page(connection, PORTAL, wanted)
            assert "".join(entry.suggestion_id for entry in page) == found, filters
            assert list(review_history.rows(connection, PORTAL, wanted)) == page


def test_everything_that_happened_to_one_complaint_in_its_order(desk: Desk) -> None:
    desk.add("a", looks=2)
    desk.add("lain")
    desk.skip("a", "ayu", minutes(-5))
    desk.decide("a", "luh", now=minutes(-4), seconds=3.0)
    desk.undo("a", "luh", minutes(-3))
    desk.decide("a", "luh", "pupr", now=minutes(-2))
    desk.open("a", "made", minutes(-1))
    desk.decide("a", "made", "dlhk", now=minutes(-1))
    desk.decide("lain", "made", now=minutes(-1))
    with desk.database.connect() as connection:
        found = review_history.of(connection, PORTAL, "a")
        assert review_history.of(connection, "kota-lain", "a") == []
    assert [item.at for item in found] == sorted(item.at for item in found)
    assert [
        (item.kind, item.by, item.agency, item.look, item.undone) for item in found if item.kind != "disposition"
    ] == [
        ("skip", "ayu", "", 0, False),
        ("judgement", "luh", "dishub", 1, True),
        ("judgement", "luh", "pupr", 1, False),
        ("judgement", "made", "dlhk", 2, False),
    ]
    kept = [item for item in found if item.kind == "disposition"]
    assert [(item.agency, item.source, item.outcome, item.undone) for item in kept] == [
        ("dishub", "review", "accepted", True), ("pupr", "review", "changed", False),
    ]  # fmt: skip
    assert {item.id for item in kept} < {item.id for item in found if item.kind == "judgement"}
    assert (found[0].reason, found[1].seconds) == ("bukan bidang saya", 3.0)


def test_the_backlog_burns_down_by_days_of_the_portals_zone(desk: Desk) -> None:
    """In Bali, eight hours ahead, the day is over at four in the afternoon of UTC."""
    now = datetime(2026, 3, 5, 3, tzinfo=UTC)
    for name, came, settled in (
        ("dulu", datetime(2026, 1, 1, tzinfo=UTC), None),
        ("lama", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 4, 15, 59, tzinfo=UTC)),
        ("malam", datetime(2026, 3, 3, 15, 59, tzinfo=UTC), datetime(2026, 3, 4, 16, tzinfo=UTC)),
        ("fajar", datetime(2026, 3, 3, 16, tzinfo=UTC), None),
        ("baru", datetime(2026, 3, 5, 2, tzinfo=UTC), datetime(2026, 3, 5, 2, 30, tzinfo=UTC)),
    ):
        desk.add(name, created_at=came)
        if settled:
            disposed(desk, name, settled)
    desk.add("yakin", route="auto", state="free", created_at=now)
    disposed(desk, "yakin", now)
    disposed(desk, "malam", now, sequence=2, agency="pupr")
    disposed(desk, "fajar", now, undone=True)
    with desk.database.connect() as connection:
        assert review_history.burn_down(connection, PORTAL, 3, BALI, now) == [
            Day(date(2026, 3, 3), came=1, settled=0, open=3),
            Day(date(2026, 3, 4), came=1, settled=1, open=3),
            Day(date(2026, 3, 5), came=1, settled=2, open=2),
        ]
        assert review_history.burn_down(connection, "kota-lain", 1, BALI, now) == [Day(date(2026, 3, 5), 0, 0, 0)]


def test_a_sampled_answer_burns_down_when_a_person_saw_it(desk: Desk) -> None:
    desk.add("a", route="auto", sampled=True)
    with desk.database.begin() as connection:
        dispositions.record(connection, PORTAL, Chosen("dishub"), who="key:1", source="api", suggestion_id="a")
    now = datetime.now(UTC)

    def today() -> Day:
        with desk.database.connect() as connection:
            # Around midnight the complaint may be of yesterday.
            days = review_history.burn_down(connection, PORTAL, 2, BALI, now)
            return Day(days[-1].day, sum(day.came for day in days), sum(day.settled for day in days), days[-1].open)

    assert (today().came, today().settled, today().open) == (1, 0, 1)
    desk.decide("a", "luh", category="lampu")
    assert (today().came, today().settled, today().open) == (1, 1, 0)


def test_my_progress_counts_each_complaint_once_by_days_of_the_zone(desk: Desk) -> None:
    since = datetime(2026, 3, 1, tzinfo=BALI)
    night, morning, now = since + timedelta(hours=23), since + timedelta(hours=25), since + timedelta(days=3)
    for name in ("a", "b", "c", "d", "e", "f"):
        desk.add(name, agency=None if name == "c" else "dishub", looks=2 if name == "d" else 1)
    desk.decide("a", "luh", now=night, seconds=2.0)
    desk.decide("b", "luh", now=night, seconds=50.0)
    desk.decide("b", "luh", "pupr", now=morning, seconds=4.0)
    desk.decide("c", "luh", now=morning)
    desk.decide("d", "made", "pupr", now=morning)
    desk.open("d", "luh", morning)
    desk.decide("d", "luh", "dishub", now=morning, seconds=9.0, category="lampu")
    desk.decide("e", "luh", now=since - timedelta(minutes=1), seconds=99.0)
    desk.skip("f", "luh", morning)
    desk.decide("f", "luh", now=morning, seconds=98.0)
    desk.undo("f", "luh", morning)
    with desk.database.connect() as connection:
        found = review_history.mine(connection, PORTAL, "luh", since, now)
        nothing = review_history.mine(connection, "kota-lain", "luh", since, now)
    assert (found.decided, found.accepted, found.changed, found.skipped, found.median_seconds) == (4, 2, 1, 1, 4.0)
    assert found.by_day == Counter({date(2026, 3, 1): 1, date(2026, 3, 2): 3})
    assert (nothing.decided, nothing.skipped, nothing.median_seconds, nothing.by_day) == (0, 0, None, {})
