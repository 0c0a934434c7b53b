"""How often somebody may ask. `RateLimit` counts requests for all processes of a service together, `Failures` counts
failed sign-ins in the memory of one process."""

import fcntl
import math
import mmap
import os
import struct
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock

WINDOW = 60
_SLOT = struct.Struct("<8sII")
_BUCKETS, _SLOTS = 1_024, 8
_BUCKET = struct.Struct("<" + "8sII" * _SLOTS)


@dataclass(frozen=True, slots=True)
class Allowance:
    """`remaining` and `reset_seconds` speak of the present window."""

    limit: int
    remaining: int
    reset_seconds: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }
        return found if self.allowed else {**found, "Retry-After": str(self.reset_seconds)}


class RateLimit:
    """Requests per key and clock minute, exact across all processes that open the same file.

    The file is a table of buckets, each of 8 slots of key, minute and count; a bucket is locked while one of its
    counts changes, and a slot of an earlier minute is free. A process that dies gives its lock back. When more than
    8 keys of one bucket ask within a minute, which 1,000 busy keys do once in years, the least busy starts afresh.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, _BUCKETS * _BUCKET.size)
        self._table = mmap.mmap(self._file, _BUCKETS * _BUCKET.size)
        # A file lock keeps other processes out, not other threads of this one.
        self._lock = Lock()

    def close(self) -> None:
        self._table.close()
        os.close(self._file)

    def take(self, key_id: str, limit: int, now: float, cost: int = 1) -> Allowance:
        """Counts `cost` requests if the window at `now` (seconds since 1970) has room for all of them, and none
        otherwise; more than `limit` at once are never allowed."""
        minute = int(now) // WINDOW
        begin, key = _place(key_id)
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX, _BUCKET.size, begin)
            try:
                slot, count = self._find(begin, key, minute)
                allowed = count + cost <= limit
                if allowed:
                    count += cost
                    _SLOT.pack_into(self._table, slot, key, minute, count)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, _BUCKET.size, begin)
        reset = max(1, math.ceil((minute + 1) * WINDOW - now))
        return Allowance(limit, max(0, limit - count), reset, allowed)

    def _find(self, begin: int, key: bytes, minute: int) -> tuple[int, int]:
        """Where a key is counted, and how many it has had this minute."""
        values = _BUCKET.unpack_from(self._table, begin)
        keys, minutes, counts = values[::3], values[1::3], values[2::3]
        present = [count if of == minute else -1 for of, count in zip(minutes, counts, strict=True)]
        if key in keys and present[keys.index(key)] >= 0:
            position = keys.index(key)
            return begin + position * _SLOT.size, present[position]
        return begin + present.index(min(present)) * _SLOT.size, 0


@lru_cache(4_096)
def _place(key_id: str) -> tuple[int, bytes]:
    """Where the key's bucket begins, and the key as its slot holds it."""
    digest = blake2b(key_id.encode(), digest_size=16).digest()
    return int.from_bytes(digest[8:]) % _BUCKETS * _BUCKET.size, digest[:8]


class Failures:
    """Makes those wait who failed `free` times: 30 seconds after the last failure, then twice as long each time, up
    to 15 minutes. After an hour without one, nothing is held against them.

    Each process counts for itself, so with n processes up to n times as many tries get through.
    """

    FIRST_WAIT, LONGEST_WAIT, MEMORY, MOST_KNOWN = 30.0, 900.0, 3_600.0, 10_000

    def __init__(self, free: int) -> None:
        self._free = free
        self._failed: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def wait(self, who: Hashable, now: float) -> float:
        """Seconds until the next try, 0 if it may be made."""
        count, last = self._failed.get(who, (0, now))
        if count < self._free or now - last > self.MEMORY:
            return 0.0
        pause = min(self.FIRST_WAIT * 2.0 ** min(count - self._free, 20), self.LONGEST_WAIT)
        return max(0.0, last + pause - now)

    def failed(self, who: Hashable, now: float) -> None:
        count, last = self._failed.pop(who, (0, now))
        self._failed[who] = (count + 1 if now - last <= self.MEMORY else 1, now)
        if len(self._failed) > self.MOST_KNOWN:
            self._failed.popitem(last=False)

    def forget(self, who: Hashable) -> None:
        self._failed.pop(who, None)
