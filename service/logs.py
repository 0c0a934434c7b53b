"""What the service writes to stderr: one JSON object a line, and nothing of what a citizen wrote."""

import json
import logging
import logging.config
import re
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from errno import errorcode
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter
from sqlalchemy.exc import DBAPIError

from service.settings import SettingsError

request_id_now: ContextVar[str] = ContextVar("request_id_now", default="")
"""The request that is being answered, "" outside of one."""
_access = logging.getLogger("service.access")
_ACCESS = {"level": "INFO", "logger": _access.name, "message": "request"}
_OURS = ("service", "training", "router_model", "uvicorn")
_FIELD = re.compile(r"[A-Za-z0-9_]{1,40}")


class _AccessLine(logging.LogRecord):
    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(_access.name, logging.INFO, "", 0, _ACCESS["message"], None, None)
        self.fields = fields


class JsonLines(OrjsonFormatter):
    """Adds `time` (UTC) and `request_id`, and tells of an exception what `described` does."""

    def __init__(self) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
            timestamp="time",
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        if record.name == "asyncio":
            # Its messages quote arguments and exceptions.
            log_data["message"] = "background task failed"
        if request_id := request_id_now.get():
            log_data.setdefault("request_id", request_id)

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record, _AccessLine):
            # There is one for each request: the general way costs three times as much.
            time = datetime.fromtimestamp(record.created, UTC)
            return self.jsonify_log_record({"time": time, **_ACCESS, **record.fields})
        return super().format(record)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            return super().jsonify_log_record(log_data)
        except TypeError:
            # Lone surrogates and huge numbers are no JSON to orjson.
            return json.dumps(log_data, default=str)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return described(ei[1]) if ei[1] else ""


def described(error: BaseException) -> str:
    """The kinds of an exception and its causes, and where each was raised; never a message or a value, which may be
    a citizen's words."""
    lines = [f"{type(error).__module__}.{type(error).__qualname__}{_code(error)}"]
    for frame, line in traceback.walk_tb(error.__traceback__):
        lines.append(f"  {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}")
    if isinstance(error, BaseExceptionGroup):
        lines += [described(part) for part in error.exceptions]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join([*lines, f"caused by {described(cause)}"] if cause else lines)


def _code(error: BaseException) -> str:
    if isinstance(error, DBAPIError):
        return f" {getattr(error.orig, 'sqlstate', None) or getattr(error.orig, 'sqlite_errorname', '')}"
    if isinstance(error, OSError):
        return f" {errorcode.get(error.errno or 0, '')}"
    if isinstance(error, ValidationError | RequestValidationError):
        return "".join(f" {fault['type']} at {_where(fault['loc'])}" for fault in error.errors()[:10])
    return ""


def _where(parts: tuple[int | str, ...]) -> str:
    """A field's place; the name of an unknown field may be anything."""
    return ".".join(str(part) if _FIELD.fullmatch(str(part)) else "?" for part in parts)


def logging_configuration(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig` and uvicorn's `log_config`. Libraries speak from warnings up; uvicorn's access
    lines, which hold whole addresses, are left out in favour of `log_access`.

    Raises:
        SettingsError: a level that does not exist.
    """
    if level.upper() not in logging.getLevelNamesMapping():
        raise SettingsError("ADUAN_LOG_LEVEL tidak dikenal; pilih debug, info, warning, error atau critical.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": level.upper()} for name in _OURS},
            "uvicorn.error": {"level": level.upper()},
            "uvicorn.access": {"level": "WARNING"},
        },
    }


def configure(level: str) -> None:
    """Once in a process: also warnings and exceptions that nobody caught become lines."""
    logging.config.dictConfig(logging_configuration(level))
    logging.captureWarnings(True)
    crashed = logging.getLogger("service.crash")
    sys.excepthook = lambda kind, error, trace: crashed.critical("uncaught", exc_info=error)
    threading.excepthook = lambda args: crashed.critical("uncaught in a thread", exc_info=args.exc_value)


def log_access(
    *, method: str, route: str, status: int, milliseconds: float, request_id: str, portal: str, key: str
) -> None:
    """One line for an answered request; `route` is a template and `key` an id, so that no text gets in."""
    if _access.isEnabledFor(logging.INFO):
        fields = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(milliseconds, 2),
            "request_id": request_id,
            "portal": portal,
            "key": key,
        }
        _access.handle(_AccessLine(fields))
