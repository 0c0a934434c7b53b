"""The queue of those who review: who gets what, for how long, and whose answer counts."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

import pytest
from review_desk import NOW, PORTAL, Desk, answer_first, work_off

from service.database import audit, review
from service.database.database import Database
from service.database.dispositions import Chosen, NoSuchSuggestionError
from service.database.leases import LEASE
from service.database.review import SKIPPED_RESTS, NotYoursError

LATER = NOW + LEASE + timedelta(seconds=1)
LIGHTS = Chosen("dishub")


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.fixture
def queue(desk: Desk) -> Desk:
    """Twelve complaints: the second one raised as an emergency, the others the less sure the later."""
    for number in range(12):
        route, priority = ("emergency", 1_000.0) if number == 1 else ("review", 100.0 + number / 100)
        desk.add(f"s{number}", route=route, priority=priority)
    return desk


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def test_emergencies_come_first_then_the_least_sure(queue: Desk) -> None:
    assert [queue.next(by) for by in ("luh", "made", "nyoman")] == ["s1", "s11", "s10"]


def test_emergencies_go_by_age_and_all_else_by_deadline_then_priority_then_age(desk: Desk) -> None:
    for name, made in {
        "baru-darurat": {"route": "emergency", "priority": 1_000.9, "created_at": ago(hours=1)},
        "lama-darurat": {"route": "emergency", "priority": 1_000.1, "created_at": ago(hours=2), "due_at": LATER},
        "hari-ini": {"priority": 10.0, "due_at": NOW + timedelta(hours=2)},
        "besok": {"priority": 100.9, "due_at": NOW + timedelta(days=1)},
        "ragu-lama": {"priority": 100.7, "created_at": ago(hours=5)},
        "ragu-baru": {"priority": 100.7, "created_at": ago(hours=4)},
        "yakin": {"priority": 10.2, "created_at": ago(hours=6)},
    }.items():
        desk.add(name, **made)
    order = [desk.next(f"petugas-{number}") for number in range(8)]
    assert order == ["lama-darurat", "baru-darurat", "hari-ini", "besok", "ragu-lama", "ragu-baru", "yakin", ""]


def test_filters_choose_among_what_is_no_emergency(desk: Desk) -> None:
    desk.add("a", route="prefill", channel="sms", urgency="sedang")
    desk.add("b", agency="dlhk", category="sampah", created_at=ago(hours=30))
    desk.add("c", agency="dlhk", channel="sms", urgency="tinggi", received_at=ago(hours=25))
    tried: list[tuple[dict[str, Any], str]] = [
        ({"route": "prefill"}, "a"),
        ({"agency": "dlhk"}, "bc"),
        ({"category": "sampah"}, "b"),
        ({"urgency": "tinggi"}, "c"),
        ({"channel": "sms"}, "ac"),
        ({"channel": "sms", "agency": "dlhk"}, "c"),
        ({"older_than_hours": 24}, "bc"),
        ({"agency": "rsud"}, ""),
        ({}, "abc"),
    ]
    for turn, (filters, found) in enumerate(tried):
        now = NOW + 2 * turn * LEASE
        assert "".join(sorted(desk.next(by, now, **filters) for by in ("luh", "made", "ayu", "eka"))) == found, filters
    desk.add("api", route="emergency", agency="damkar", category="kebakaran", urgency="darurat", channel="web")
    for turn, (filters, _) in enumerate(tried):
        assert desk.next(f"petugas-{turn}", LATER + 2 * turn * LEASE, **filters) == "api", filters


def test_asking_again_gives_the_same_until_it_is_answered_or_an_emergency_comes(queue: Desk) -> None:
    assert [queue.next("luh") for _ in range(3)] == ["s1"] * 3
    queue.decide("s1", "luh")
    assert queue.next("luh") == "s11"
    queue.add("penting", priority=150.0)
    assert queue.next("luh") == "s11"
    queue.add("darurat", route="emergency", priority=1_000.0)
    queue.add("darurat-lama", route="emergency", priority=1_000.0, created_at=ago(hours=1))
    assert queue.next("luh") == "darurat-lama"
    assert queue.next("luh") == "darurat-lama"
    assert queue.held("luh") == ["darurat-lama"]
    assert [queue.next("made"), queue.next("nyoman"), queue.next("ketut")] == ["darurat", "penting", "s11"]


def test_what_does_not_fit_new_filters_is_given_back(queue: Desk) -> None:
    queue.decide("s1", "made")
    assert queue.next("luh") == "s11"
    assert queue.next("luh", agency="dlhk") == ""
    assert queue.held("luh") == []
    assert queue.next("made") == "s11"


def test_a_complaint_is_seen_when_it_is_first_on_a_screen(queue: Desk) -> None:
    queue.next("luh", NOW)
    queue.next("made", LATER)
    assert (queue.of("s1")["seen_at"], queue.of("s0")["seen_at"]) == (NOW, None)


def test_a_link_opens_what_nobody_else_has_and_says_why_not(queue: Desk) -> None:
    assert queue.next("luh") == "s1"
    opened = queue.open("s4", "luh")
    assert opened and (opened.id, opened.external_id, opened.look) == ("s4", "nomor-s4", 1)
    assert queue.held("luh") == ["s4"]
    assert queue.of("s4")["seen_at"] == NOW
    with pytest.raises(NotYoursError, match="luh"):
        queue.open("s4", "made")
    assert queue.open("s4", "made", LATER)
    queue.decide("s4", "made", now=LATER)
    for by in ("luh", "made"):
        with pytest.raises(NotYoursError, match="sudah diputuskan"):
            queue.open("s4", by, LATER)
    with pytest.raises(NoSuchSuggestionError):
        queue.open("tidak-ada", "luh")


def test_what_stays_on_the_screen_is_kept_and_what_is_given_back_goes_to_others(queue: Desk) -> None:
    assert queue.next("luh") == "s1"
    with queue.database.begin() as connection:
        assert review.hold(connection, PORTAL, "s1", "luh", NOW + LEASE - timedelta(minutes=1))
        assert not review.hold(connection, PORTAL, "s1", "made", NOW)
        assert not review.hold(connection, "kota-lain", "s1", "luh", NOW)
    assert queue.next("made", LATER) == "s11"
    with queue.database.begin() as connection:
        review.give_back(connection, PORTAL, "s1", "made")
    assert queue.held("luh") == ["s1"]
    with queue.database.begin() as connection:
        review.give_back(connection, PORTAL, "s1", "luh")
        assert not review.hold(connection, PORTAL, "s1", "luh", LATER)
    assert queue.next("nyoman", LATER) == "s1"


def test_a_lease_that_ran_out_is_renewed_only_if_nobody_took_it(queue: Desk) -> None:
    assert queue.next("luh") == "s1"
    with queue.database.begin() as connection:
        assert review.hold(connection, PORTAL, "s1", "luh", LATER)
    much_later = LATER + LEASE + timedelta(seconds=1)
    assert queue.next("made", much_later) == "s1"
    with queue.database.begin() as connection:
        assert not review.hold(connection, PORTAL, "s1", "luh", much_later)


def test_many_reviewers_at_once_never_get_the_same(queue: Desk) -> None:
    with ThreadPoolExecutor(12) as pool:
        people = [f"petugas-{number}" for number in range(16)]
        taken = [found for found in pool.map(lambda by: queue.next(by, datetime.now(UTC)), people) if found]
    assert len(taken) == len(set(taken))
    # Who finds only what somebody else is just taking may go away with nothing; what is left is there at once.
    left = [queue.next(f"nanti-{number}", datetime.now(UTC)) for number in range(12 - len(taken))]
    assert sorted(taken + left) == sorted(f"s{number}" for number in range(12))
    assert queue.next("terlambat", datetime.now(UTC)) == ""


def test_one_person_who_asks_many_times_at_once_has_one_complaint(queue: Desk) -> None:
    def ask(turn: int) -> None:
        if turn % 2:
            queue.next(by, datetime.now(UTC))
        else:
            queue.open("s0", by, datetime.now(UTC))

    with ThreadPoolExecutor(8) as pool:
        for by in ("luh", "made", "nyoman"):
            list(pool.map(ask, range(8)))
            assert len(queue.held(by)) == 1
            queue.skip(queue.held(by)[0], by)


def test_people_in_many_processes_decide_everything_once(desk: Desk, database_url: str) -> None:
    for number in range(60):
        desk.add(f"s{number}", looks=2 if number % 3 == 0 else 1)
    offices = [[f"petugas-{office}-{number}" for number in range(4)] for office in range(3)]
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        done = [act for acts in pool.map(work_off, [database_url] * 3, offices) for act in acts]
    assert len(set(done)) == len(done)
    assert Counter(suggestion_id for _, suggestion_id in done) == {
        f"s{number}": 2 if number % 3 == 0 else 1 for number in range(60)
    }
    assert {desk.of(f"s{number}")["state"] for number in range(60)} == {"done"}


def test_of_many_answers_at_once_the_first_wins(queue: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: answer_first(queue, "s5", f"petugas-{number}"), range(8)))
    assert sum(answers) == 1


def test_what_somebody_holds_is_theirs_until_the_time_is_up(queue: Desk) -> None:
    assert queue.next("luh") == "s1"
    for act in (queue.decide, queue.skip, queue.undo):
        with pytest.raises(NotYoursError):
            act("s1", "made")
    assert queue.next("made", LATER) == "s1"
    with pytest.raises(NotYoursError):
        queue.decide("s1", "luh", now=LATER)
    assert queue.decide("s1", "made", now=LATER).new
    with pytest.raises(NotYoursError):
        queue.decide("s1", "luh", now=LATER)


def test_whoever_comes_late_may_still_decide_what_nobody_took(queue: Desk) -> None:
    assert queue.next("luh") == "s1"
    assert queue.decide("s1", "luh", now=LATER).new


def test_who_decided_may_correct_it_and_the_same_again_changes_nothing(queue: Desk) -> None:
    queue.next("luh")
    made = [queue.decide("s1", "luh", agency) for agency in ("dishub", "dishub", "pupr")]
    assert [decided.new for decided in made] == [True, False, True]
    assert made[0].disposition.id == made[1].disposition.id
    assert {decided.settled for decided in made} == {True}
    with pytest.raises(NotYoursError):
        queue.decide("s1", "made", "dishub")
    queue.undo("s1", "luh")
    assert queue.of("s1")["state"] == "done"
    queue.undo("s1", "luh")
    assert (queue.of("s1")["state"], queue.held("luh")) == ("open", ["s1"])


def test_what_was_skipped_comes_to_others_and_back_after_a_rest(queue: Desk) -> None:
    assert queue.next("luh") == "s1"
    queue.skip("s1", "luh")
    assert queue.next("luh") == "s11"
    assert queue.next("made") == "s1"
    with pytest.raises(NotYoursError):
        queue.skip("s1", "luh")
    rested = NOW + SKIPPED_RESTS
    assert queue.next("luh", rested - timedelta(minutes=1)) == "s11"
    assert queue.next("luh", rested) == "s1"


def test_a_decision_taken_back_is_with_the_same_person_again(queue: Desk) -> None:
    queue.next("luh")
    queue.decide("s1", "luh")
    with pytest.raises(NotYoursError):
        queue.undo("s1", "made")
    assert queue.next("luh") == "s11"
    queue.undo("s1", "luh")
    assert queue.held("luh") == ["s1"]
    assert queue.next("made") == "s11"
    assert queue.next("luh") == "s1"
    with pytest.raises(NotYoursError):
        queue.undo("s1", "luh")


def test_a_skip_taken_back_is_with_the_same_person_again_unless_somebody_has_it(queue: Desk) -> None:
    for complaint, holder in (("s1", ""), ("s1", "made")):
        assert queue.next("luh") == complaint
        queue.skip(complaint, "luh")
        assert queue.next(holder) == complaint if holder else True
        queue.undo(complaint, "luh")
    assert queue.next("luh") == "s11"
    assert queue.next("made") == "s1"
    queue.skip("s11", "luh")
    queue.decide("s11", "nyoman")
    with pytest.raises(NotYoursError, match="petugas lain"):
        queue.undo("s11", "luh")


def test_what_was_decided_elsewhere_meanwhile_is_not_taken_back(queue: Desk) -> None:
    queue.next("luh")
    queue.decide("s1", "luh")
    with queue.database.begin() as connection:
        review.dispositions.record(connection, PORTAL, Chosen("pupr"), who="key:1", source="api", suggestion_id="s1")
    for act in (queue.undo, queue.decide):
        with pytest.raises(NotYoursError, match="di portal"):
            act("s1", "luh")


def test_the_last_act_is_what_was_decided_or_skipped_and_not_undone(queue: Desk) -> None:
    def last(by: str, since: datetime = NOW, portal: str = PORTAL) -> str | None:
        with queue.database.connect() as connection:
            return review.last_act(connection, portal, by, since)

    moments = [NOW + timedelta(seconds=second) for second in range(4)]
    assert last("luh") is None
    queue.decide("s1", "luh", now=moments[0])
    queue.skip("s2", "luh", moments[1])
    queue.decide("s3", "made", now=moments[2])
    assert (last("luh"), last("made"), last("luh", moments[2]), last("luh", portal="kota-lain")) == (
        "s2", "s3", None, None,
    )  # fmt: skip
    queue.undo("s2", "luh", moments[3])
    assert last("luh") == "s1"
    queue.undo("s1", "luh", moments[3])
    assert last("luh") is None


def test_the_alarm_tells_of_emergencies_nobody_decided_and_first_of_those_nobody_saw(desk: Desk) -> None:
    def told() -> tuple[int, int, datetime | None, str | None]:
        with desk.database.connect() as connection:
            assert review.alarm(connection, "kota-lain") == review.Alarm(0, 0, None, None)
            found = review.alarm(connection, PORTAL)
            return found.open, found.unseen, found.oldest, found.first_id

    desk.add("biasa")
    assert told() == (0, 0, None, None)
    desk.add("tua", route="emergency", created_at=ago(minutes=9))
    desk.add("muda", route="emergency", created_at=ago(minutes=3))
    assert told() == (2, 2, ago(minutes=9), "tua")
    desk.next("luh")
    assert told() == (2, 1, ago(minutes=9), "muda")
    desk.decide("tua", "luh")
    desk.decide("muda", "luh")
    assert told() == (0, 0, None, None)


def test_every_act_leaves_one_line_in_the_audit_log(queue: Desk) -> None:
    queue.skip("s3", "luh")
    queue.decide("s4", "luh")
    queue.undo("s4", "luh")
    with queue.database.connect() as connection:
        entries = audit.entries(connection, PORTAL)
    assert [(entry.action, entry.subject) for entry in reversed(entries)] == [
        ("review.skip", "s3"), ("disposition.record", "s4"), ("review.undo", "s4"),
    ]  # fmt: skip


def test_another_portal_has_no_part_in_it(queue: Desk) -> None:
    me: dict[str, Any] = {"by": "luh", "who": "key:1"}
    with queue.database.begin() as connection:
        assert review.next_for(connection, "kota-lain", "luh", now=NOW) is None
        with pytest.raises(NoSuchSuggestionError):
            review.one(connection, "kota-lain", "s1", "luh")
        with pytest.raises(NoSuchSuggestionError):
            review.decide(connection, "kota-lain", "s1", LIGHTS, **me)
        with pytest.raises(NoSuchSuggestionError):
            review.skip(connection, "kota-lain", "s1", reason="", **me)
        with pytest.raises(NoSuchSuggestionError):
            review.undo(connection, "kota-lain", "s1", **me)
        assert review.stats(connection, "kota-lain", "luh", NOW).open == {}


def test_the_numbers_say_what_waits_and_what_was_done(queue: Desk) -> None:
    queue.next("luh")
    queue.next("made")
    queue.decide("s1", "luh")
    queue.decide("s2", "luh", "pupr")
    queue.decide("s3", "nyoman")
    queue.undo("s3", "nyoman")
    queue.add("lewat", due_at=ago(days=1), state="second")
    queue.add("terlambat", due_at=ago(days=1))
    queue.add("besok", due_at=NOW + timedelta(days=1), state="third")
    with queue.database.connect() as connection:
        found = review.stats(connection, PORTAL, "luh", NOW, now=NOW)
        assert (dict(found.open), found.oldest, found.leased) == ({"review": 11}, NOW, 2)
        assert (found.decided, found.decided_by_me, found.accepted_by_me) == (2, 2, 1)
        assert (found.second, found.third, found.overdue) == (1, 1, 1)
        assert review.stats(connection, PORTAL, "luh", datetime.now(UTC), now=LATER).decided == 0
        assert review.stats(connection, PORTAL, "luh", NOW, now=LATER).leased == 0


def test_an_empty_queue_hands_out_nothing(desk: Desk) -> None:
    assert desk.waiting("luh") is None
    with desk.database.connect() as connection:
        assert review.stats(connection, PORTAL, "luh", NOW).oldest is None
