"""A release put in force by command is told of as one put in force over HTTP."""

from datetime import UTC, datetime, timedelta

from router_model.registry import Event
from service.database import audit, promotions, webhooks
from service.database.database import Database
from service.database.promotions import OWN_TIME


def event(release: str, action: str = "promote", age: timedelta = OWN_TIME * 2) -> Event:
    at = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    return Event(at, "p", release, None, action, "operator", "", None)


def told(database: Database, *events: Event) -> list[tuple[str, str, str]]:
    with database.begin() as connection:
        promotions.catch_up(connection, promotions.lately(events, datetime.now(UTC)))
    with database.connect() as connection:
        return [(entry.action, entry.subject, entry.who) for entry in audit.entries(connection, "p")]


def test_what_was_promoted_by_command_is_told_once(database: Database) -> None:
    with database.begin() as connection:
        webhooks.add_endpoint(connection, "p", "https://portal.example/", ["release.promoted"], "uji")
    happened = (event("r1"), event("r0", "rollback"))
    for _ in range(2):
        found = [entry for entry in told(database, *happened) if entry[0].startswith("release.")]
        assert sorted(found) == [("release.promote", "r1", "operator"), ("release.rollback", "r0", "operator")]
    with database.begin() as connection:
        due = webhooks.claim(connection, datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=1), 10, 10, ())
    assert len(due) == 2


def test_what_was_told_of_and_what_is_new_or_long_ago_is_left(database: Database) -> None:
    with database.begin() as connection:
        promotions.record(connection, portal="p", release="r1", action="promote", who="key:1")
    found = told(
        database,
        event("r1", age=OWN_TIME * 1.5),
        event("r2", age=OWN_TIME / 2),
        event("r3", age=timedelta(days=2)),
    )
    assert found == [("release.promote", "r1", "key:1")]
