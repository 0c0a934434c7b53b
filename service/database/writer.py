"""One thread that writes: what arrives while it is busy is committed together, so that many callers share one flush."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from service.database.connection import writing

MOST_TOGETHER = 256
GATHER_SECONDS = 0.01
"""While several write at once, this long is waited for more; one who writes alone does not wait. Each commit costs
a flush, and takes the interpreter away from those who compute."""
Many = Callable[[Connection, Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Task:
    """Tasks of the same `run` that stand side by side are run as one."""

    run: Many
    item: Any
    future: asyncio.Future[Any]


class _OneFailed(Exception):  # noqa: N818
    """Something failed before the transaction was committed."""


class Writer:
    """A future is done only after its transaction is on the disk.

    A task that fails is undone by itself and tells its caller alone; the others of the same transaction go on.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def submit(self, run: Many, item: Any) -> Any:
        """Runs `run(connection, [item, ...])` with this item among others; it returns one result for each, and an
        exception in place of a result is raised here."""
        future = asyncio.get_running_loop().create_future()
        self._queue.put(_Task(run, item, future))
        return await future

    def close(self) -> None:
        """Finishes what was submitted."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        busy = False
        while (first := self._queue.get()) is not None:
            tasks = [first]
            last = False
            if busy:
                time.sleep(GATHER_SECONDS)
            while len(tasks) < MOST_TOGETHER and not last:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    last = True
                else:
                    tasks.append(following)
            self._commit(tasks)
            busy = len(tasks) > 1
            if last:
                return

    def _commit(self, tasks: Sequence[_Task]) -> None:
        try:
            outcomes = self._together(tasks)
        except _OneFailed:
            outcomes = self._each(tasks)
        except Exception as error:
            # Whether a commit that broke off was done is not known, so nothing is tried again here.
            outcomes = [(task, error) for task in tasks]
        for loop in {task.future.get_loop() for task in tasks}:
            mine = [outcome for outcome in outcomes if outcome[0].future.get_loop() is loop]
            loop.call_soon_threadsafe(_tell, mine)

    def _together(self, tasks: Sequence[_Task]) -> list[tuple[_Task, Any]]:
        """All in one transaction; raises `_OneFailed`, with nothing done, when one of them fails."""
        with writing(self._engine) as connection:
            try:
                return [
                    outcome
                    for run, group in groupby(tasks, key=lambda task: task.run)
                    for outcome in _run(connection, run, list(group))
                ]
            except Exception as error:
                raise _OneFailed from error

    def _each(self, tasks: Sequence[_Task]) -> list[tuple[_Task, Any]]:
        """Each in a savepoint of its own, so that only the one at fault is undone."""
        try:
            with writing(self._engine) as connection:
                return [_alone(connection, task) for task in tasks]
        except Exception as error:
            return [(task, error) for task in tasks]


def _run(connection: Connection, run: Many, tasks: list[_Task]) -> list[tuple[_Task, Any]]:
    return list(zip(tasks, run(connection, [task.item for task in tasks]), strict=True))


def _alone(connection: Connection, task: _Task, again: bool = True) -> tuple[_Task, Any]:
    """One that another process was faster with is tried again, now that it can see what that one wrote."""
    try:
        with connection.begin_nested():
            return _run(connection, task.run, [task])[0]
    except IntegrityError as error:
        return _alone(connection, task, again=False) if again else (task, error)
    except Exception as error:
        if connection.invalidated:
            raise
        return task, error


def _tell(outcomes: Sequence[tuple[_Task, Any]]) -> None:
    for task, outcome in outcomes:
        if task.future.done():
            continue
        if isinstance(outcome, Exception):
            task.future.set_exception(outcome)
        else:
            task.future.set_result(outcome)
