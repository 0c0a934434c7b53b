"""One real model for the whole session: trained on the shipped sample, published and put in force."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from router_model.portal import Portal, load_portal
from router_model.registry import champion, promote
from router_model.release import Release, router_of
from router_model.suggestion import Router
from training.dataset import Example, load_examples
from training.publishing import publish
from training.trainer import Trained, train


@pytest.fixture(scope="session")
def denpasar() -> Path:
    """The shipped portal folder with its labelled complaints."""
    return Path(__file__).parents[1] / "data" / "labeled_sample" / "denpasar"


@pytest.fixture(scope="session")
def portal(denpasar: Path) -> Portal:
    return load_portal(denpasar)


@pytest.fixture(scope="session")
def examples(denpasar: Path, portal: Portal) -> list[Example]:
    """Every labelled complaint of the sample, oldest first."""
    found, faults = load_examples([denpasar / "complaints.csv"], portal)
    assert not faults
    return found


@pytest.fixture(scope="session")
def trained(examples: list[Example], portal: Portal) -> Trained:
    return train(examples, portal)


@pytest.fixture(scope="session")
def registry(
    trained: Trained, examples: list[Example], denpasar: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A registry with one release, which is in force. Tests that change a registry work on a copy."""
    folder = tmp_path_factory.mktemp("registry")
    promote(folder, publish(trained, examples, denpasar, folder))
    return folder


@pytest.fixture(scope="session")
def release(registry: Path) -> Release:
    return champion(registry)


@pytest.fixture(scope="session")
def router(release: Release) -> Router:
    return router_of(release)


@pytest.fixture(scope="session")
def twins(denpasar: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two releases of the same 200 rows, trained in two processes with different hash seeds."""
    registries = [tmp_path_factory.mktemp("twin") for _ in range(2)]
    children = [
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("publisher.py"), "train", "200", denpasar, registry],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for registry, seed in zip(registries, ("1", "2"), strict=True)
    ]
    ids = [child.communicate(timeout=120)[0].strip() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    return [registry / release_id for registry, release_id in zip(registries, ids, strict=True)]
