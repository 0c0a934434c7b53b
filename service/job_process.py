"""A job in a process of its own, which ends with the worker that began it."""

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from router_model.errors import AduanError
from service import logs
from service.check_jobs import check
from service.database.jobs import CHECK, POLICY, TRAINING, Job
from service.policy_jobs import apply_wish
from service.settings import Settings
from service.training_jobs import Tell, train

KINDS: Mapping[str, Callable[[Job, Settings, Tell], Mapping[str, Any]]] = {
    TRAINING: train,
    CHECK: check,
    POLICY: apply_wish,
}
"""What does each kind of job. Begun again after a death, it must not do twice what shows."""
_log = logging.getLogger(__name__)


def run(job: Job, settings: Settings, says: Connection) -> None:
    """For a process of its own: says how far it is, and at the end a result or an error; dying without a word means
    that it may be tried again."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Requests come first where the same machine answers them.
    os.nice(10)
    logs.configure(settings.log_level)
    Thread(target=_end_with_worker, daemon=True).start()
    try:
        says.send({"result": KINDS[job.kind](job, settings, lambda progress: _tell(says, progress))})
    except AduanError as error:
        says.send({"error": str(error).replace(str(settings.home), "ADUAN_HOME")})
    except (SQLAlchemyError, MemoryError):
        _log.exception("job interrupted", extra={"kind": job.kind, "job": job.id})
        sys.exit(1)
    except Exception as error:
        _log.exception("job failed", extra={"kind": job.kind, "job": job.id})
        says.send({"error": f"Pekerjaan berhenti karena kesalahan yang tidak terduga ({type(error).__name__})."})


def _tell(says: Connection, progress: Mapping[str, Any]) -> None:
    says.send({"progress": progress, "at": datetime.now(UTC)})


def _end_with_worker() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
