"""Figures that were counted a moment ago. Counting hundreds of thousands of complaints again for each visitor would
keep the database busy."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
TIMES, LONGEST = 20.0, 60.0
"""What was counted is kept so many times as long as counting took, and no longer than so many seconds: where little is
stored, every look is fresh."""


class Kept(Generic[Value]):
    """One is counted at a time; who asks for the same meanwhile waits for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: dict[Hashable, tuple[float, Value]] = {}

    async def of(self, key: Hashable, count: Callable[[], Awaitable[Value]]) -> Value:
        async with self._lock:
            began = self._clock()
            self._found = {other: found for other, found in self._found.items() if found[0] > began}
            if key not in self._found:
                value = await count()
                ended = self._clock()
                self._found[key] = ended + min(TIMES * (ended - began), LONGEST), value
            return self._found[key][1]
