"""A service that is killed while portals write to it; `python -m benchmarks.killed` does so 200 times."""

from pathlib import Path

from benchmarks.killed import killed

KILLS = 8


def test_nothing_acknowledged_is_lost_and_nothing_is_half_written(
    registry: Path, database_url: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    found = killed(registry, home, database_url, KILLS)
    assert found.suggestions >= KILLS
    assert (found.lost, found.halves) == ([], [])
