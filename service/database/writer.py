"""One thread that writes: what arrives while it is busy is committed together, so that many callers share one flush."""

import asyncio
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
Many = Callable[[Connection, Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Task:
    """Tasks of the same `run` that stand side by side are run as one."""

    run: Many
    item: Any
    future: asyncio.Future[Any]


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
        while (first := self._queue.get()) is not None:
            tasks = [first]
            last = False
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
            if last:
                return

    def _commit(self, tasks: Sequence[_Task]) -> None:
        outcomes: list[tuple[_Task, Any]]
        try:
            with writing(self._engine) as connection:
                outcomes = [
                    outcome
                    for run, group in groupby(tasks, key=lambda task: task.run)
                    for outcome in _results(connection, run, list(group))
                ]
        except Exception as error:
            outcomes = [(task, error) for task in tasks]
        for loop in {task.future.get_loop() for task in tasks}:
            mine = [outcome for outcome in outcomes if outcome[0].future.get_loop() is loop]
            loop.call_soon_threadsafe(_tell, mine)


def _results(connection: Connection, run: Many, tasks: list[_Task], last: bool = False) -> list[tuple[_Task, Any]]:
    """Together in one savepoint; when that fails, each in its own, so that only the one at fault is undone.

    A single one that another process was faster with is tried again, now that it can see what that one wrote.
    """
    try:
        with connection.begin_nested():
            return list(zip(tasks, run(connection, [task.item for task in tasks]), strict=True))
    except Exception as error:
        again = len(tasks) > 1 or (isinstance(error, IntegrityError) and not last)
        if connection.invalidated or not again:
            return [(task, error) for task in tasks]
    return [outcome for task in tasks for outcome in _results(connection, run, [task], last=len(tasks) == 1)]


def _tell(outcomes: Sequence[tuple[_Task, Any]]) -> None:
    for task, outcome in outcomes:
        if task.future.done():
            continue
        if isinstance(outcome, Exception):
            task.future.set_exception(outcome)
        else:
            task.future.set_result(outcome)
