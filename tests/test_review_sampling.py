"""Chance decides which sure answers a person looks at all the same, and what two people look at."""

import math
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
from served import LAMP, serving
from sqlalchemy import select

from router_model.policy import Route, Threshold
from router_model.registry import champions
from service.access import Asker
from service.database import portal_settings as settings
from service.database.database import Database
from service.database.portal_settings import PortalSettings
from service.database.priority import priority
from service.database.schema import suggestions
from service.serving import Serving, serving_release
from service.suggesting import Standing, standing, suggest
from service.wire import ComplaintIn

SECRET, MANY = b"rahasia", 20_000
SHARES = PortalSettings(sampled_share=0.05, double_share=0.2)


def all_standing(
    route: Route, p: float = 0.97, settings: PortalSettings = SHARES, secret: bytes = SECRET
) -> list[Standing]:
    return [standing(f"id-{number}", route, p, settings, secret) for number in range(MANY)]


def near(share: float, wanted: float) -> bool:
    """Within four standard errors, as 15,999 of 16,000 such shares are."""
    return abs(share - wanted) < 4 * math.sqrt(wanted * (1 - wanted) / MANY)


def test_the_share_of_sure_answers_that_are_looked_at_is_the_one_that_is_set() -> None:
    for wanted in (0.01, 0.05, 0.5):
        found = all_standing(Route.AUTO, settings=PortalSettings(sampled_share=wanted, double_share=0.0))
        assert near(sum(item.sampled for item in found) / MANY, wanted)
        assert {(item.state, item.sampled, item.looks) for item in found} == {("open", True, 1), ("free", False, 1)}


def test_all_or_nothing_is_all_or_nothing() -> None:
    for route in Route:
        none, every = (
            all_standing(route, settings=PortalSettings(sampled_share=share, double_share=share))[:500]
            for share in (0.0, 1.0)
        )
        sure = route is Route.AUTO
        assert {(item.state, item.sampled, item.looks) for item in none} == {("free" if sure else "open", False, 1)}
        looks = 1 if route is Route.EMERGENCY else 2
        assert {(item.state, item.sampled, item.looks) for item in every} == {("open", sure, looks)}


def test_the_share_of_what_two_look_at_is_the_one_that_is_set_also_among_the_sampled() -> None:
    assert near(sum(item.looks == 2 for item in all_standing(Route.REVIEW)) / MANY, 0.2)
    assert {item.looks for item in all_standing(Route.EMERGENCY)} == {1}
    sampled = [item for item in all_standing(Route.AUTO) if item.sampled]
    share = sum(item.looks == 2 for item in sampled) / len(sampled)
    assert abs(share - 0.2) < 4 * math.sqrt(0.2 * 0.8 / len(sampled))


def test_what_is_sampled_stands_anywhere_among_the_unsure() -> None:
    places = sorted(item.priority for item in all_standing(Route.AUTO) if item.sampled)
    assert priority(Route.REVIEW, 1.0) <= places[0] < places[-1] < priority(Route.REVIEW, 0.0)
    assert 100.4 < places[len(places) // 2] < 100.6


def test_chance_is_the_same_for_an_id_and_nobody_can_tell_it_without_the_secret() -> None:
    assert all_standing(Route.AUTO)[:500] == all_standing(Route.AUTO)[:500]
    mine, other = ([item.sampled for item in all_standing(Route.AUTO, secret=key)] for key in (SECRET, b"lain"))
    both = sum(one and two for one, two in zip(mine, other, strict=True))
    assert near(both / MANY, 0.05**2)


def test_a_route_goes_before_doubt_and_doubt_orders_a_route() -> None:
    order = [Route.EMERGENCY, Route.REVIEW, Route.INCOMPLETE, Route.PREFILL, Route.AUTO]
    assert [priority(route, 0.99) for route in order] == sorted(
        (priority(route, 0.0) - 0.99 for route in order), reverse=True
    )
    assert priority(Route.REVIEW, 0.2) > priority(Route.REVIEW, 0.8)
    assert priority(Route.REVIEW, None) > priority(Route.REVIEW, 0.1)


def test_a_sure_answer_is_kept_as_it_stands_and_the_portal_hears_nothing_of_it(towns: Path) -> None:
    served = serving_release(towns, champions(towns)["kota-kecil"])
    eager = replace(served.router.policy, auto=Threshold(0.0), prefill=Threshold(0.0), category=0.0)
    served = Serving(served.release, replace(served.router, policy=eager))
    answers, kept = set(), set()
    for share in (0.0, 1.0):
        both = PortalSettings(sampled_share=share, double_share=share)
        asker = Asker("kota-kecil", "kunci", frozenset(), served, both)
        found = suggest(ComplaintIn(text=LAMP), asker, SECRET, datetime.now(UTC)).asked.suggestion
        kept.add((found.state, found.sampled, found.looks))
        answer = orjson.loads(found.answer)
        answers.add((found.route, answer["route"], *sorted(answer)))
    assert kept == {("free", False, 1), ("open", True, 2)}
    assert len(answers) == 1 and answers.pop()[:2] == ("auto", "auto")


def test_the_service_keeps_to_what_a_portal_set(towns: Path, tmp_path: Path, database_url: str) -> None:
    with closing(Database(database_url)) as database, database.begin() as connection:
        settings.change(connection, "kota-kecil", "uji", PortalSettings(double_share=1.0))
    with serving(tmp_path / "home", towns, database_url) as service:
        service.asked()
        with service.database.connect() as connection:
            assert list(connection.scalars(select(suggestions.c.looks))) == [2]
