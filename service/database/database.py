"""A database as the service uses it: nothing that waits for a disk runs on the event loop."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from service.database.connection import open_engine, upgrade, writing
from service.database.writer import Writer

Item = TypeVar("Item")
Result = TypeVar("Result")
READERS = 4


class Database:
    """Opens the database of `url` and brings it to the present form. Safe to share between threads.

    Programs that do one thing use `connect` and `begin`; the service awaits `read`, `write` and `write_together`.

    Raises:
        DatabaseError: it cannot be used, or was written by a newer version.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        try:
            upgrade(self.engine)
        except BaseException:
            self.engine.dispose()
            raise
        self._writer: Writer | None = None
        self._readers = ThreadPoolExecutor(READERS, "reader")

    def close(self) -> None:
        """Finishes what was begun."""
        if self._writer:
            self._writer.close()
        self._readers.shutdown()
        self.engine.dispose()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """One consistent view for reading."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or undone by an exception."""
        with writing(self.engine) as connection:
            yield connection

    async def read(self, run: Callable[[Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._reading, run)

    def _reading(self, run: Callable[[Connection], Result]) -> Result:
        with self.engine.connect() as connection:
            return run(connection)

    async def write(self, run: Callable[[Connection], Result]) -> Result:
        """Runs `run` in a transaction that others may share; when this returns, it is on the disk."""

        def together(connection: Connection, _: Sequence[None]) -> list[Result]:
            return [run(connection)]

        result: Result = await self.writer.submit(together, None)
        return result

    async def write_together(
        self, run: Callable[[Connection, Sequence[Item]], Sequence[Result | Exception]], item: Item
    ) -> Result:
        """Like `write`, for what comes often: `run` gets the items of several callers at once and gives a result,
        or an exception, for each."""
        result: Result = await self.writer.submit(run, item)
        return result

    @property
    def writer(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self.engine)
        return self._writer
