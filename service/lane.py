"""Where predictions run: on the event loop, one after the other, with room for everything else in between."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Lane:
    """A prediction takes a fraction of a millisecond, less than handing it to a thread and back costs.

    After each one the loop turns once, so that however many wait, a request that needs no prediction waits for
    one of them at most.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def run(
        self, act: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        async with self._turn:
            try:
                return act(*args, **kwargs)
            finally:
                await asyncio.sleep(0)
