"""Limits hold across processes, and those who fail to sign in wait longer and longer."""

import multiprocessing
import os
import signal
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from service.rate_limit import Allowance, Failures, RateLimit, _place

PROCESSES = multiprocessing.get_context("spawn")
NOW = 1_780_000_040.0
"""Twenty seconds into a minute of the clock."""


def take_often(path: Path, times: int, limit: int, cost: int) -> dict[str, int]:
    """How many requests of each of two keys were allowed, all within one minute."""
    rates = RateLimit(path)
    allowed: Counter[str] = Counter()
    for turn in range(times):
        key = f"key{turn % 2}"
        allowed[key] += rates.take(key, limit, NOW, cost).allowed
    return allowed


def take_forever(path: Path) -> None:
    rates = RateLimit(path)
    for _ in count():
        rates.take("key", 10**9, NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "requests"


@pytest.mark.parametrize(("limit", "cost"), [(1_500, 1), (3_001, 7)])
def test_many_processes_together_get_exactly_what_the_limit_allows(path: Path, limit: int, cost: int) -> None:
    with PROCESSES.Pool(3) as pool:
        parts = pool.starmap(take_often, [(path, 2_000, limit, cost)] * 3)
    assert sum((Counter(part) for part in parts), Counter()) == dict.fromkeys(("key0", "key1"), limit // cost)
    assert RateLimit(path).take("key0", limit + 1 - limit % cost, NOW).allowed
    assert RateLimit(path).take("key0", limit, NOW + 60, limit).allowed


def test_a_process_that_is_killed_while_counting_keeps_nobody_waiting(path: Path) -> None:
    child = PROCESSES.Process(target=take_forever, args=(path,))
    child.start()
    rates = RateLimit(path)
    while rates.take("key", 10**9, NOW, 0).remaining > 10**9 - 1_000:
        pass
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert rates.take("key", 10**9, NOW).allowed


def test_an_allowance_says_how_many_are_left_and_when_the_next_minute_begins(path: Path) -> None:
    rates = RateLimit(path)
    assert rates.take("key", 3, NOW, 2) == Allowance(3, 1, 40, True)
    refused = rates.take("key", 3, NOW + 30.5, 2)
    assert refused == Allowance(3, 1, 10, False)
    assert refused.headers() == {
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "10",
        "Retry-After": "10",
    }
    assert rates.take("key", 3, NOW + 31, 1) == Allowance(3, 0, 9, True)
    assert "Retry-After" not in rates.take("key", 3, NOW + 40).headers()


def test_what_was_counted_outlives_a_restart(path: Path) -> None:
    first = RateLimit(path)
    first.take("key", 2, NOW, 2)
    first.close()
    assert not RateLimit(path).take("key", 2, NOW + 1).allowed


def test_keys_that_share_a_bucket_are_counted_apart(path: Path) -> None:
    bucket, _ = _place("key")
    same = [name for name in map(str, range(20_000)) if _place(name)[0] == bucket][:8]
    rates = RateLimit(path)
    assert len(same) == 8
    for minute in (NOW, NOW + 60):
        for _ in range(5):
            for name in same:
                assert rates.take(name, 5, minute).allowed
        assert not any(rates.take(name, 5, minute).allowed for name in same)


def test_four_failures_are_free_and_each_one_more_costs_twice_the_wait() -> None:
    failures = Failures(free=5)
    waits = []
    now = 0.0
    for _ in range(12):
        failures.failed("ayu", now)
        waits.append(failures.wait("ayu", now))
        now += waits[-1]
        assert failures.wait("ayu", now) == 0.0
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert failures.wait("made", now) == 0.0


def test_success_and_an_hour_without_failure_are_forgiven() -> None:
    failures = Failures(free=1)
    failures.failed("ayu", 0.0)
    failures.failed("made", 0.0)
    failures.forget("ayu")
    assert failures.wait("ayu", 1.0) == 0.0
    assert failures.wait("made", 1.0) == 29.0
    failures.failed("made", 4_000.0)
    assert failures.wait("made", 4_000.0) == 30.0


def test_failures_of_very_many_names_are_not_all_remembered() -> None:
    failures = Failures(free=1)
    for number in range(failures.MOST_KNOWN + 1):
        failures.failed(number, 0.0)
    assert failures.wait(0, 1.0) == 0.0
    assert failures.wait(1, 1.0) == 29.0
