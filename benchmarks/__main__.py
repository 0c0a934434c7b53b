"""Runs every measurement one after the other, each also runnable by itself."""

import sys

from benchmarks import (
    ablation,
    accuracy,
    cold,
    danger,
    dayone,
    killed,
    learning_curve,
    places,
    replay,
    service,
    speed,
    training,
)

for module in (
    accuracy,
    replay,
    dayone,
    learning_curve,
    places,
    danger,
    cold,
    ablation,
    training,
    speed,
    service,
    killed,
):
    sys.stdout.write(f"\n=== python -m {module.__name__} ===\n")
    module.main()
