"""Acts that are done once, however often a portal asks: `Idempotency-Key` on every POST."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from service.access import Asker
from service.database.database import Database
from service.database.repeats import Answer, Repeat
from service.database.repeats import once as once_only
from service.suggesting import fingerprint

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x20-\x7e]*$",
        description="Permintaan yang sama dengan kunci yang sama dijawab sama dan tidak dilakukan dua kali",
    ),
]


async def done_once(
    request: Request,
    asker: Asker,
    database: Database,
    secret: bytes,
    key: str,
    act: Callable[[Connection], tuple[int, BaseModel]],
) -> Response:
    """The response of `act`, which runs in one transaction and gives a status and a body; or, under a key that came
    before with the same request, the response of that time.

    Raises:
        KeyReusedError: the key came before with another request.
    """
    content = request.url.path.encode(), request.url.query.encode(), await request.body() if key else b""
    repeat = Repeat(asker.portal, key, fingerprint(secret, *content)) if key else Repeat(asker.portal)

    def run(connection: Connection) -> Answer:
        def answered(connection: Connection) -> Answer:
            status, body = act(connection)
            return Answer(status, body.model_dump_json())

        return once_only(connection, repeat, answered)

    return response(await database.write(run))


def response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type="application/json")
