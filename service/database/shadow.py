"""A release in the shadow answers what the one in force is asked, and nobody is told; later, what people chose says
which of the two was right."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from service.database import portal_settings
from service.database.refusals import first_route
from service.database.schema import audit_log, dispositions, shadow_answers, suggestions

BEGIN, END = "shadow.begin", "shadow.end"


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """What would have been suggested; without an agency where the release failed to answer."""

    suggestion_id: str
    agency: str | None
    agency_p: float | None
    category: str | None
    urgency: str | None
    route: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """`complaint` is the JSON text as it was kept."""

    id: str
    created_at: datetime
    complaint: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Counts of complaints that both were asked. `disposed` of them have a disposition in force, `categorised` of
    these one with a category; what is `right` agrees with it. `auto` counts those that would have gone to an agency
    without a person, of those disposed of. `waiting` were not answered yet, the oldest of them since `waits_since`.
    """

    release: str
    begun: datetime | None
    asked: int
    same_agency: int
    disposed: int
    champion_right: int
    shadow_right: int
    only_champion_right: int
    only_shadow_right: int
    categorised: int
    champion_category_right: int
    shadow_category_right: int
    champion_auto: int
    champion_auto_right: int
    shadow_auto: int
    shadow_auto_right: int
    waiting: int
    waits_since: datetime | None


def wanted(connection: Connection) -> dict[str, str]:
    """For each portal that has one, the release in the shadow."""
    every = portal_settings.every(connection)
    return {portal: settings.shadow_release for portal, settings in every.items() if settings.shadow_release}


def begin(connection: Connection, portal: str, release: str, by: str) -> None:
    """From now on `release` is asked too, in place of any other in the shadow. Whoever calls has proved it."""
    settings = replace(portal_settings.of(connection, portal), shadow_release=release)
    portal_settings.change(connection, portal, by, settings, action=BEGIN, subject=release)


def end(connection: Connection, portal: str, release: str, by: str) -> bool:
    """Its answers are kept. `False` if it was not in the shadow, and nothing changed."""
    settings = portal_settings.of(connection, portal)
    if not release or settings.shadow_release != release:
        return False
    portal_settings.change(connection, portal, by, replace(settings, shadow_release=""), action=END, subject=release)
    return True


def begun(connection: Connection, portal: str, release: str) -> datetime | None:
    """When it was last put in the shadow."""
    mine = audit_log.c.portal == portal, audit_log.c.action == BEGIN, audit_log.c.subject == release
    return connection.execute(select(func.max(audit_log.c.at)).where(*mine)).scalar()


def unanswered(connection: Connection, portal: str, release: str, since: datetime, most: int) -> list[Unanswered]:
    """Suggestions made after this moment that the release has not answered; oldest first."""
    columns = suggestions.c
    query = (
        select(columns.id, columns.created_at, columns.complaint)
        .outerjoin_from(suggestions, shadow_answers, _answer_to(release))
        .where(columns.portal == portal, columns.created_at > since, shadow_answers.c.suggestion_id.is_(None))
        .order_by(columns.created_at, columns.id)
        .limit(most)
    )
    return [Unanswered(**row) for row in connection.execute(query).mappings()]


def _answer_to(release: str) -> ColumnElement[bool]:
    return and_(shadow_answers.c.suggestion_id == suggestions.c.id, shadow_answers.c.release == release)


def add(connection: Connection, portal: str, release: str, answers: Iterable[ShadowAnswer], now: datetime) -> None:
    """Keeps each once. What was asked about may have been erased meanwhile."""
    found = {answer.suggestion_id: answer for answer in answers}
    query = select(suggestions.c.id).where(suggestions.c.portal == portal, suggestions.c.id.in_(found))
    kept = connection.scalars(query.with_for_update(read=True)).all()
    rows = [{"portal": portal, "release": release, "created_at": now, **asdict(found[one])} for one in kept]
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(shadow_answers).on_conflict_do_nothing(), rows)


def compare(connection: Connection, portal: str, release: str, since: datetime | None = None) -> Comparison:
    """Since a moment, or since the release was last put in the shadow."""
    since = since or begun(connection, portal, release)
    champion, shadow = suggestions.c, shadow_answers.c
    chosen = _chosen(portal)
    disposed = chosen.c.agency.is_not(None)
    champion_right, shadow_right = champion.agency == chosen.c.agency, shadow.agency == chosen.c.agency
    champion_auto, shadow_auto = (and_(disposed, route == "auto") for route in (first_route(), shadow.route))
    query = (
        select(
            func.count().label("asked"),
            _count("same_agency", champion.agency.is_not_distinct_from(shadow.agency)),
            _count("disposed", disposed),
            _count("champion_right", champion_right),
            _count("shadow_right", shadow_right),
            _count("only_champion_right", and_(champion_right, shadow.agency.is_distinct_from(chosen.c.agency))),
            _count("only_shadow_right", and_(shadow_right, champion.agency.is_distinct_from(chosen.c.agency))),
            _count("categorised", chosen.c.category.is_not(None)),
            _count("champion_category_right", champion.category == chosen.c.category),
            _count("shadow_category_right", shadow.category == chosen.c.category),
            _count("champion_auto", champion_auto),
            _count("champion_auto_right", and_(champion_auto, champion_right)),
            _count("shadow_auto", shadow_auto),
            _count("shadow_auto_right", and_(shadow_auto, shadow_right)),
        )
        .join_from(shadow_answers, suggestions, _answer_to(release))
        .outerjoin(chosen, chosen.c.suggestion_id == champion.id)
        .where(shadow.portal == portal, champion.portal == portal)
    )
    if since:
        query = query.where(champion.created_at > since)
    counts = connection.execute(query).mappings().one()
    waiting, oldest = _waiting(connection, portal, release, since)
    return Comparison(release=release, begun=since, **counts, waiting=waiting, waits_since=oldest)


def _count(name: str, which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(which).label(name)


def _chosen(portal: str) -> Subquery:
    """The dispositions in force."""
    columns = dispositions.c
    newest = (
        select(columns.suggestion_id, func.max(columns.sequence).label("sequence"))
        .where(columns.portal == portal, columns.undone.is_(False))
        .group_by(columns.suggestion_id)
        .subquery()
    )
    same = and_(newest.c.suggestion_id == columns.suggestion_id, newest.c.sequence == columns.sequence)
    return select(columns.suggestion_id, columns.agency, columns.category).join(newest, same).subquery()


def _waiting(connection: Connection, portal: str, release: str, since: datetime | None) -> tuple[int, datetime | None]:
    """How many suggestions the release has not answered yet, and the moment of the oldest."""
    if since is None:
        return 0, None
    columns = suggestions.c
    query = (
        select(func.count(), func.min(columns.created_at))
        .outerjoin_from(suggestions, shadow_answers, _answer_to(release))
        .where(columns.portal == portal, columns.created_at > since, shadow_answers.c.suggestion_id.is_(None))
    )
    count, oldest = connection.execute(query).one()
    return count, oldest
