"""What happened to a job, line by line, for people who watch it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from service.database.schema import job_log


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    message: str


def add(connection: Connection, portal: str, job_id: str, *lines: Line) -> None:
    rows = [{"portal": portal, "job_id": job_id, "at": line.at, "message": line.message} for line in lines]
    if rows:
        connection.execute(insert(job_log), rows)


def lines(connection: Connection, portal: str, job_id: str) -> list[Line]:
    """Oldest first."""
    mine = job_log.c.portal == portal, job_log.c.job_id == job_id
    query = select(job_log.c.at, job_log.c.message).where(*mine).order_by(job_log.c.id)
    return [Line(**row) for row in connection.execute(query).mappings()]
