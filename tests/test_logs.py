"""Log lines are JSON, and hold nothing of what a citizen wrote, however the service fails."""

import json
import logging
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from service.database.database import Database
from service.database.schema import users
from service.logs import JsonLines, described, logging_configuration, request_id_now
from service.settings import SettingsError

WORDS = "tetangga saya membakar sampah"


def lines(script: str) -> list[dict[str, Any]]:
    """What a process that runs a script writes to stderr."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert WORDS not in done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def line(message: str, **more: Any) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "service.x", "levelname": "ERROR", "msg": message, **more})
    found: dict[str, Any] = json.loads(JsonLines().format(record))
    return found


def caught(error: BaseException) -> tuple[Any, BaseException, Any]:
    return type(error), error, error.__traceback__


def test_a_line_says_when_where_and_for_which_request() -> None:
    token = request_id_now.set("req-1")
    found = line("release refused", portal="denpasar", color_message="\x1b[31m")
    request_id_now.reset(token)
    moment = datetime.fromisoformat(found.pop("time"))
    assert moment.utcoffset() == timedelta(0)
    assert found == {
        "level": "ERROR",
        "logger": "service.x",
        "message": "release refused",
        "request_id": "req-1",
        "portal": "denpasar",
    }
    assert "request_id" not in line("outside of a request")


@pytest.mark.parametrize("value", ["\ud800", 2**80, {"a": {"\udfff"}}, b"\xff", object])
def test_any_value_becomes_a_line(value: Any) -> None:
    assert "value" in line("x", value=value)


def test_an_exception_is_told_by_kind_cause_and_place() -> None:
    def inner() -> None:
        raise KeyError(WORDS)

    try:
        try:
            inner()
        except KeyError as error:
            raise OSError(28, WORDS) from error
    except OSError as error:
        found = line("failed", exc_info=caught(error))["exception"]
    first, place, cause, *places = found.splitlines()
    assert first == "builtins.OSError ENOSPC"
    assert place.startswith("  test_logs:")
    assert cause == "caused by builtins.KeyError"
    assert places[-1].endswith(" inner")
    assert WORDS not in found


def test_a_group_of_exceptions_is_told_part_by_part() -> None:
    found = described(ExceptionGroup(WORDS, [ValueError(WORDS), TypeError(WORDS)]))
    assert found.splitlines() == ["builtins.ExceptionGroup", "builtins.ValueError", "builtins.TypeError"]


def test_a_database_error_is_told_by_its_code(database: Database) -> None:
    with pytest.raises(IntegrityError) as raised, database.begin() as connection:
        connection.execute(insert(users).values(id=WORDS, portal=WORDS, name=WORDS, role=WORDS))
    found = line("failed", exc_info=caught(raised.value))["exception"]
    code = {"sqlite": "SQLITE_CONSTRAINT_NOTNULL", "postgresql": "23502"}[database.engine.dialect.name]
    assert found.splitlines()[0] == f"sqlalchemy.exc.IntegrityError {code}"
    assert WORDS not in found


class Body(BaseModel):
    count: int


def test_a_validation_error_is_told_by_field_and_kind() -> None:
    with pytest.raises(ValidationError) as raised:
        Body.model_validate({"count": WORDS})
    assert described(raised.value).splitlines()[0].endswith("ValidationError int_parsing at count")
    asked = RequestValidationError([{"type": "extra_forbidden", "loc": ("body", WORDS), "msg": WORDS, "input": WORDS}])
    assert described(asked).splitlines()[0].endswith("RequestValidationError extra_forbidden at body.?")


def test_whatever_a_process_lets_fall_becomes_a_line_without_words() -> None:
    found = lines(f"""
import asyncio, gc, logging, threading, warnings
from service.logs import configure, log_access
configure("info")
words = {WORDS!r}
warnings.warn("usang")
logging.getLogger("uvicorn.error").info("Started %s", 1, extra={{"color_message": "Started"}})
logging.getLogger("uvicorn.access").info("GET /?q=%s", words)
logging.getLogger("httpx").info("HTTP Request: %s", words)
async def failing(): raise ValueError(words)
async def scenario():
    asyncio.get_running_loop().call_soon(int, words)
    task = asyncio.ensure_future(failing())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
asyncio.run(scenario())
def crash(): raise ValueError(words)
thread = threading.Thread(target=crash)
thread.start()
thread.join()
log_access(method="POST", route="/v1/suggestions", status=201, milliseconds=1.239, request_id="r1", portal="p", key="k")
raise ValueError(words)
""")
    assert [entry["logger"] for entry in found] == [
        "py.warnings",
        "uvicorn.error",
        "asyncio",
        "asyncio",
        "service.crash",
        "service.access",
        "service.crash",
    ]
    assert sum("builtins.ValueError" in entry.get("exception", "") for entry in found) == 4
    access = {key: value for key, value in found[5].items() if key != "time"}
    assert access == {
        "level": "INFO",
        "logger": "service.access",
        "message": "request",
        "method": "POST",
        "route": "/v1/suggestions",
        "status": 201,
        "milliseconds": 1.24,
        "request_id": "r1",
        "portal": "p",
        "key": "k",
    }


def test_a_quieter_level_leaves_access_lines_out() -> None:
    assert (
        lines("""
from service.logs import configure, log_access
configure("warning")
log_access(method="GET", route="/livez", status=200, milliseconds=1.0, request_id="r", portal="", key="")
""")
        == []
    )


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="ADUAN_LOG_LEVEL"):
        logging_configuration("keras")
