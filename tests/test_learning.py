"""A round of learning on invented complaints of a small town: what it publishes, and what the gate does to it."""

import random
import re
import shutil
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import joblib
import numpy as np
import orjson
import pyarrow.parquet
import pytest
from command_line import aduan, assert_named_failure
from publisher import SMALL_TOWN, small_town

from router_model.errors import ReleaseError
from router_model.policy import Policy
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal, load_portal
from router_model.registry import champion, champions, history, promote, release_ids, rollback
from router_model.release import MANIFEST, faults, file_hash, open_release, read_manifest
from training.answered import ANSWERS, read_answered
from training.comparison import difference, read_pairs
from training.complaint_keys import seen_key
from training.dataset import Example, examples
from training.gate import FIRST
from training.learning import Learned, champion_of, learn
from training.publishing import LIBRARIES, fingerprint, publish_wish
from training.reading import Row
from training.wishes import Wish

Rows = list[dict[str, str]]
TOWN = "kota-kecil"
FIRST_DAY = datetime(2025, 5, 1, tzinfo=UTC)
COUNT = 400
SYLLABLES = ("ba", "ke", "lu", "mo", "na", "ra", "si", "ti")


def town_history(count: int, *, seed: int = 7, days: int = 112, vague: float = 0.2) -> Rows:
    """Invented complaints from 6 January 2025 on, oldest first, none a near copy of another. A `vague` share of
    them does not say what the matter is."""
    chance = random.Random(seed)  # noqa: S311

    def name() -> str:
        return "".join(chance.choices(SYLLABLES, k=4))

    found = []
    for number in range(count):
        (agency, category), texts = chance.choice(list(SMALL_TOWN.items()))
        matter = "mohon ditindaklanjuti keluhan warga" if chance.random() < vague else chance.choice(texts)
        danger, wish = chance.random() < 0.1, chance.random() < 0.2
        words = [matter, "di gang", name(), "dekat", name(), name()]
        words += ["anak hampir terluka berdarah"] * danger + ["usul agar dijadwalkan rutin"] * wish
        found.append(
            {
                "id": f"{number:05}",
                "received_at": (datetime(2025, 1, 6) + timedelta(days=days) * number / count).isoformat(" ", "seconds"),
                "text": " ".join(words),
                "agency": agency,
                "category": category,
                "urgency": "darurat" if danger else "sedang",
                "report_type": "aspirasi" if wish else "pengaduan",
            }
        )
    return found


def learnable(rows: Rows, portal: Portal) -> list[Example]:
    found, unlearned = examples([Row(f"baris {number}", row) for number, row in enumerate(rows, 2)], portal)
    assert not unlearned
    return found


def shuffled(rows: Rows, seed: int = 3) -> Rows:
    """The same complaints with each other's agencies and categories."""
    labels = [(row["agency"], row["category"]) for row in rows]
    random.Random(seed).shuffle(labels)  # noqa: S311
    return [
        {**row, "agency": agency, "category": category} for row, (agency, category) in zip(rows, labels, strict=True)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "portal")


@pytest.fixture(scope="module")
def portal(folder: Path) -> Portal:
    return load_portal(folder)


@pytest.fixture(scope="module")
def rows(portal: Portal) -> list[Example]:
    return learnable(town_history(COUNT), portal)


@pytest.fixture(scope="module")
def first(rows: list[Example], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Learned]:
    """A home whose registry has one release, learned from all rows."""
    home = tmp_path_factory.mktemp("home")
    return home, learn(rows, folder, home / "registry", by="made", now=FIRST_DAY)


@pytest.fixture
def home(first: tuple[Path, Learned], tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(first[0], tmp_path / "home"))


@pytest.fixture(scope="module")
def published(first: tuple[Path, Learned]) -> Path:
    """The folder of that release, to look at."""
    return first[0] / "registry" / first[1].release


def test_the_first_release_of_a_portal_is_put_in_force(first: tuple[Path, Learned]) -> None:
    home, learned = first
    assert (learned.verdict, learned.in_force) == (FIRST, True)
    assert champions(home / "registry") == {TOWN: learned.release}
    (event,) = history(home / "registry")
    assert (event.action, event.by, event.verdict) == ("promote", "made", FIRST.as_dict())


def test_the_same_data_learned_another_day_is_agreed_to_and_put_in_force(
    rows: list[Example], folder: Path, first: tuple[Path, Learned], home: Path
) -> None:
    registry, before = home / "registry", first[1].release
    learned = learn(rows, folder, registry, by="wayan", now=FIRST_DAY + timedelta(days=1))
    verdict = learned.verdict
    assert (verdict.agrees, verdict.against, learned.in_force) == (True, before, True)
    assert verdict.compared["rows"] == len(learned.trained.held_back)
    assert verdict.compared["agency"]["champion"] == verdict.compared["agency"]["challenger"]
    assert verdict.compared["darurat"]["champion"] == verdict.compared["darurat"]["challenger"] > 0
    event = history(registry)[-1]
    assert (event.action, event.release, event.previous) == ("promote", learned.release, before)
    manifest = read_manifest(registry / learned.release)
    assert (manifest["gate"], manifest["parent"]) == (verdict.as_dict(), before)
    assert event.verdict == manifest["gate"]


def test_the_same_data_learned_again_the_same_day_changes_nothing(
    rows: list[Example], folder: Path, first: tuple[Path, Learned], home: Path
) -> None:
    registry = home / "registry"
    learned = learn(rows, folder, registry, now=FIRST_DAY)
    assert (learned.release, learned.in_force) == (first[1].release, True)
    assert release_ids(registry) == [learned.release]
    assert len(history(registry)) == 1


def test_new_complaints_are_put_to_both_and_those_that_one_has_learned_to_none(
    folder: Path, portal: Portal, home: Path
) -> None:
    """The challenger holds back 69 of its 460 rows: 60 are new to the champion, 9 it had answered beforehand."""
    more = learnable(town_history(COUNT + 60, days=129), portal)
    before = champion_of(champion(home / "registry"))
    learned = learn(more, folder, home / "registry", now=FIRST_DAY + timedelta(days=1))
    held_back = [seen_key(row.complaint) for row in learned.trained.held_back]
    assert sum(key not in before.seen for key in held_back) == 60
    assert all(key in before.record for key in held_back if key in before.seen)
    assert learned.verdict.compared["rows"] == len(held_back) == 69
    assert learned.in_force, learned.verdict.reasons


@pytest.fixture(scope="module")
def refused(
    first: tuple[Path, Learned], folder: Path, portal: Portal, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Learned]:
    """A home in which a release that learned from shuffled labels has met the first one. Both were asked about the
    same rows, whose labels are right."""
    home = Path(shutil.copytree(first[0], tmp_path_factory.mktemp("refused") / "home"))
    raw = town_history(COUNT)
    spoilt = learnable(shuffled(raw[:340]) + raw[340:], portal)
    return home, learn(spoilt, folder, home / "registry", by="made", now=FIRST_DAY + timedelta(days=1))


def test_a_release_that_learned_from_shuffled_labels_is_published_but_not_put_in_force(
    first: tuple[Path, Learned], refused: tuple[Path, Learned]
) -> None:
    home, learned = refused
    registry = home / "registry"
    assert (learned.verdict.agrees, learned.in_force) == (False, False)
    assert any(reason.startswith("Ketepatan instansi turun") for reason in learned.verdict.reasons)
    assert any(reason.startswith("Ketepatan kategori turun") for reason in learned.verdict.reasons)
    assert champions(registry) == {TOWN: first[1].release}
    assert len(history(registry)) == 1
    assert faults(registry / learned.release) == []
    assert read_manifest(registry / learned.release)["gate"] == learned.verdict.as_dict()
    card = (registry / learned.release / "card.md").read_text("utf-8")
    assert f"Uji banding: tidak lolos. {learned.verdict.reasons[0]}" in card


def test_what_the_gate_refused_is_put_in_force_with_a_reason_and_can_be_taken_back(
    first: tuple[Path, Learned], refused: tuple[Path, Learned], tmp_path: Path
) -> None:
    home, learned = Path(shutil.copytree(refused[0], tmp_path / "home")), refused[1]
    registry, reason = home / "registry", "Susunan dinas berubah, label lama tidak berlaku."
    assert_named_failure(aduan(home, "release", "promote", learned.release), *learned.verdict.reasons, "--reason")
    assert champions(registry) == {TOWN: first[1].release}
    assert aduan(home, "release", "promote", learned.release, "--reason", reason).returncode == 0
    assert champion(registry).id == learned.release
    event = history(registry)[-1]
    assert (event.action, event.reason, event.verdict) == ("overrule", reason, learned.verdict.as_dict())
    rollback(registry, TOWN)
    assert champion(registry).id == first[1].release


def test_labels_that_changed_since_the_champion_learned_them_stop_the_release(
    first: tuple[Path, Learned], folder: Path, portal: Portal, home: Path
) -> None:
    raw = town_history(COUNT)
    learned = learn(learnable(raw[:330] + shuffled(raw[330:]), portal), folder, home / "registry")
    assert not learned.in_force
    assert any(re.match(r"Label instansi pada \d+ % laporan", reason) for reason in learned.verdict.reasons)
    assert champions(home / "registry") == {TOWN: first[1].release}


def test_far_fewer_complaints_cannot_replace_what_many_taught(
    rows: list[Example], first: tuple[Path, Learned], folder: Path, home: Path
) -> None:
    learned = learn(rows[-60:], folder, home / "registry")
    assert learned.verdict.reasons == ("Hanya 9 laporan belum dipelajari keduanya; perlu sedikitnya 50.",)
    assert champions(home / "registry") == {TOWN: first[1].release}


def test_the_release_of_another_portal_is_not_met(first: tuple[Path, Learned], folder: Path, home: Path) -> None:
    other = Path(shutil.copytree(folder, home / "lain"))
    toml = other / "portal.toml"
    toml.write_text(toml.read_text("utf-8").replace(f'code = "{TOWN}"', 'code = "kota-lain"'), "utf-8")
    learned = learn(learnable(town_history(60), load_portal(other)), other, home / "registry")
    assert (learned.verdict, learned.in_force) == (FIRST, True)
    assert champions(home / "registry") == {TOWN: first[1].release, "kota-lain": learned.release}
    assert read_manifest(home / "registry" / learned.release)["parent"] is None


def test_a_champion_that_cannot_be_trusted_is_named_before_anything_is_learned(
    rows: list[Example], first: tuple[Path, Learned], folder: Path, home: Path
) -> None:
    registry, stages = home / "registry", []
    (registry / first[1].release / "weights.npy").unlink()
    with pytest.raises(ReleaseError, match=r"weights\.npy"):
        learn(rows[:60], folder, registry, progress=lambda stage, done, total: stages.append(stage))
    assert stages == []
    assert release_ids(registry) == [first[1].release]


def test_a_release_remembers_what_it_answered_before_it_learned_and_all_that_it_learned(
    rows: list[Example], published: Path
) -> None:
    met = champion_of(open_release(published))
    keys = [seen_key(row.complaint) for row in rows]
    assert met.seen == set(keys)
    assert list(met.record) == keys[160:]
    assert [item.key for item in met.record.values() if item.held_back] == keys[340:]
    assert {key: item.wanted for key, item in met.record.items()} == {
        key: dict(row.labels) for key, row in zip(keys[160:], rows[160:], strict=True)
    }


def test_the_record_says_of_each_row_what_the_report_counts(first: tuple[Path, Learned], published: Path) -> None:
    """One row in ten may be calibrated differently: the report's calibration knew less."""
    held_back = [item for item in read_answered(published / "forward.parquet") if item.held_back]
    figures = first[1].trained.scores["answers"]
    for answer in ("agency", "category", "urgency", "report_type"):
        assert figures[answer]["n"] == len(held_back)
        right = np.mean([item.right(answer) for item in held_back])
        assert figures[answer]["accuracy"] == pytest.approx(right, abs=0.1)


def test_a_release_folder_holds_model_record_evaluation_and_pages(published: Path) -> None:
    files = {path.relative_to(published).as_posix() for path in published.rglob("*") if path.is_file()}
    assert files >= {
        "manifest.json", "card.md", "report.html", "evaluation.json", "forward.parquet", "pipeline.joblib",
        "seen.npy", "model.json", "weights.npy", "coefficients.npy", "portal/portal.toml",
    }  # fmt: skip
    assert faults(published) == []


def test_the_manifest_holds_what_others_rely_on(
    published: Path, rows: list[Example], first: tuple[Path, Learned]
) -> None:
    manifest = read_manifest(published)
    assert manifest["format"] == 3
    assert manifest["id"] == published.name
    assert manifest["portal"] == TOWN
    assert manifest["created_at"] == FIRST_DAY.isoformat(timespec="seconds")
    assert manifest["data"] == {
        "fingerprint": fingerprint(rows),
        "rows": COUNT,
        "from": "2025-01-06T00:00:00",
        "until": rows[-1].received_at.isoformat() if rows[-1].received_at else None,
        "mapped": [],
    }
    assert manifest["code"].keys() == {"aduan", "python", *LIBRARIES}
    assert all(re.match(r"\d+\.\d+", version) for version in manifest["code"].values())
    assert manifest["labels"] == {
        "unit": ["dinas-kebersihan", "dinas-pekerjaan-umum", "dinas-perhubungan"],
        "category": ["jalan-rusak", "lampu-jalan", "sampah"],
        "urgency": list(URGENCY_LEVELS),
        "report_type": list(REPORT_TYPES),
    }
    assert manifest["scores"]["answers"] == first[1].trained.scores["answers"]
    assert manifest["scores"]["answers"].keys() == {"agency", "agency_kind", "category", "urgency", "report_type"}
    assert Policy.from_values(manifest["policy"]) == first[1].trained.router.policy
    assert manifest["parent"] is None
    assert manifest["gate"] == FIRST.as_dict()
    assert manifest["held_back"]["from"] > "2025-04"
    assert manifest["seconds"].keys() >= {"membaca laporan", "melatih dengan semua laporan"}
    assert manifest["files"] == {
        path.relative_to(published).as_posix(): file_hash(path)
        for path in published.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def test_the_evaluation_beside_the_manifest_is_all_that_was_measured(
    published: Path, first: tuple[Path, Learned]
) -> None:
    written = orjson.loads((published / "evaluation.json").read_bytes())
    assert written == orjson.loads(orjson.dumps(first[1].trained.scores))
    assert written["rows"] == 60
    assert written.keys() >= {"answers", "routes", "danger", "classes", "reliability", "intervals", "baselines"}


def test_the_report_page_is_indonesian_stands_alone_and_names_release_and_verdict(published: Path) -> None:
    page = (published / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert '<html lang="id">' in page
    assert f"<title>Penilaian rilis {published.name} – Kota Kecil</title>" in page
    assert FIRST.reasons[0] in page
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\((?!#)|(?:src|href)=\"(?!#)|\son\w+=", page)
    for english in ("accuracy", "coverage", "None", "nan"):
        assert not re.search(rf"\b{english}\b", page), english


def test_the_card_tells_figures_thresholds_and_the_gates_word(published: Path) -> None:
    card = (published / "card.md").read_text("utf-8")
    assert card.startswith(f"# Kartu model {published.name}\n")
    assert f"Dilatih dari {COUNT} laporan berlabel" in card
    assert "Uji banding: lolos. Rilis pertama portal ini." in card
    assert all(f"| {answer} |" in card for answer in ("agency", "category", "urgency", "report_type"))


def readable(path: Path) -> str:
    """Everything a file says, whatever it is packed in."""
    if path.suffix == ".joblib":
        return zlib.decompress(path.read_bytes()).decode("utf-8", "replace")
    if path.suffix == ".parquet":
        return str(pyarrow.parquet.read_table(path).to_pydict())
    return path.read_bytes().decode("utf-8", "replace")


def test_no_file_of_a_release_holds_a_word_of_a_complaint_but_its_vocabulary(
    published: Path, rows: Sequence[Example]
) -> None:
    """Names that occur once are in no vocabulary; two words of a complaint never stand together but in a term."""
    words = Counter(word for row in rows for word in row.complaint.text.split())
    once = {word for word, count in words.items() if count == 1 and len(word) == 8}
    assert len(once) > 50
    assert "lampu" in readable(published / "pipeline.joblib")
    strings = {row.complaint.text[:24] for row in rows}
    for path in published.rglob("*"):
        if path.is_file() and path.parent.name != "portal":
            said = readable(path)
            assert not [word for word in once if word in said], path.name
            assert not [text for text in strings if text in said], path.name


def test_the_pipeline_beside_the_model_opens_and_knows_the_same_terms(published: Path) -> None:
    pipeline = joblib.load(published / "pipeline.joblib")
    kept = sum(len(steps["weigh"].weights_) for _, steps in pipeline["terms"].transformer_list)
    assert kept == len(np.load(published / "weights.npy"))


def test_the_record_holds_answers_and_labels_only(published: Path) -> None:
    columns = set(pyarrow.parquet.read_schema(published / "forward.parquet").names)
    assert columns == {
        "key", "received_at", "held_back", "agency_wanted_p", "danger",
        *(f"{answer}{end}" for answer in ANSWERS for end in ("", "_p", "_wanted")),
    }  # fmt: skip


def test_a_release_keeps_what_the_one_it_met_said_of_the_rows_both_had_not_learned(
    rows: list[Example], refused: tuple[Path, Learned], published: Path
) -> None:
    home, learned = refused
    pairs = read_pairs(home / "registry" / learned.release)
    assert pairs is not None
    assert [pair.new.key for pair in pairs] == [seen_key(row.complaint) for row in rows[340:]]
    compared = learned.verdict.compared
    for answer in ("agency", "category", "urgency", "report_type"):
        found = difference(pairs, answer)
        assert found is not None
        assert compared[answer] == {
            "n": found.n, "champion": found.champion, "challenger": found.challenger, "interval": list(found.interval),
        }  # fmt: skip
    assert read_pairs(published) is None


def test_wishes_made_after_a_training_go_on_until_the_portal_folder_asks_for_others(
    rows: list[Example], folder: Path, home: Path
) -> None:
    registry, day = home / "registry", FIRST_DAY + timedelta(days=1)
    promote(registry, publish_wish(champion(registry), Wish(0.9, 0.8), registry, day))
    learned = learn(rows, folder, registry, now=day)
    policy = Policy.from_values(read_manifest(registry / learned.release)["policy"])
    assert (policy.precision_auto, policy.precision_prefill, learned.in_force) == (0.9, 0.8, True)
    assert "auto 90%, prefill 80%" in (registry / learned.release / "card.md").read_text("utf-8")
    other = Path(shutil.copytree(folder, home / "lain"))
    toml = other / "portal.toml"
    toml.write_text(re.sub(r"(?m)^precision_auto = .*$", "precision_auto = 0.96", toml.read_text("utf-8")), "utf-8")
    learned = learn(rows, other, registry, now=day)
    policy = Policy.from_values(read_manifest(registry / learned.release)["policy"])
    assert (policy.precision_auto, policy.precision_prefill) == (0.96, 0.9)


def test_a_release_does_not_take_the_place_of_one_that_came_into_force_while_it_learned(
    rows: list[Example], folder: Path, home: Path
) -> None:
    registry = home / "registry"
    other = publish_wish(champion(registry), Wish(0.9, 0.8), registry, FIRST_DAY)

    def meanwhile(stage: str, done: int, total: int) -> None:
        if stage == "melatih dengan semua laporan" and done == 0:
            promote(registry, other)

    learned = learn(rows, folder, registry, now=FIRST_DAY + timedelta(days=1), progress=meanwhile)
    assert (learned.verdict.agrees, learned.in_force) == (True, False)
    assert champions(registry) == {TOWN: other}
    assert learned.release in release_ids(registry)
