"""A child process that trains or publishes, so that a test can give it another hash seed or kill it.

`publisher.py train ROWS PORTAL_FOLDER REGISTRY` publishes a release of the first rows of the sample;
`publisher.py again RELEASE_FOLDER REGISTRY` publishes that release under a new day for ever.
"""

import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import joblib

from router_model.portal import load_portal
from router_model.release import open_release
from service.serving import router_of
from training.dataset import load_examples
from training.publishing import publish
from training.trainer import Trained, train

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)


def publish_first(rows: int, folder: Path, registry: Path) -> None:
    portal = load_portal(folder)
    examples = load_examples([folder / "complaints.csv"], portal)[0][:rows]
    sys.stdout.write(publish(train(examples, portal), examples, folder, registry, FIRST_DAY) + "\n")


def publish_again(folder: Path, registry: Path) -> None:
    release = open_release(folder)
    pipeline = joblib.load(folder / "pipeline.joblib")
    trained = Trained(router_of(release), pipeline, release.manifest["scores"], 0)
    for day in count(1):
        publish(trained, [], folder / "portal", registry, FIRST_DAY + timedelta(days=day))
        sys.stdout.write("published\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "train":
        publish_first(int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        publish_again(Path(sys.argv[2]), Path(sys.argv[3]))
