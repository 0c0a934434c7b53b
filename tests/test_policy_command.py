"""Other wishes without training: what they would change, and the same model as a release with other thresholds."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import aduan, assert_named_failure, snapshot, together
from publisher import small_town
from test_learning import learnable, town_history

from router_model.complaint import Complaint
from router_model.policy import Policy, Threshold
from router_model.portal import load_portal
from router_model.registry import champion, champions, history, release_ids
from router_model.release import Release, faults, open_release, read_manifest, router_of
from training.answered import FORWARD_FILE, Answered, read_answered
from training.learning import learn
from training.publishing import SAME_MODEL, publish_policy
from training.thresholds import Effect, choose_policy, effect
from training.wishes import Wish, record_of

TOWN = "kota-kecil"
AUTO, PREFILL = 0.96, 0.85
MONDAY = datetime(2025, 5, 5, 8, tzinfo=UTC)
MATTERS = ("lampu jalan mati di gang", "mohon ditindaklanjuti keluhan warga", "tong sampah penuh sekali")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one release, learned from 400 complaints of a portal with wishes of its own."""
    home = tmp_path_factory.mktemp("home")
    folder = small_town(home / "portal")
    toml, given = folder / "portal.toml", (folder / "portal.toml").read_text("utf-8")
    for name, wish in (("precision_auto", AUTO), ("precision_prefill", PREFILL), ("emergency_threshold", 0.2)):
        given = re.sub(rf"(?m)^{name} = .*$", f"{name} = {wish}", given)
    toml.write_text(given, "utf-8")
    rows = learnable(town_history(400), load_portal(folder))
    learn(rows, folder, home / "registry", now=MONDAY)
    return home


@pytest.fixture
def home(learned: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(learned, tmp_path / "home"))


@pytest.fixture(scope="module")
def release(learned: Path) -> Release:
    return champion(learned / "registry")


@pytest.fixture(scope="module")
def record(release: Release) -> list[Answered]:
    return read_answered(release.folder / FORWARD_FILE)


def wished(record: Sequence[Answered], release: Release, auto: float, prefill: float) -> Policy:
    now = Policy.from_values(release.manifest["policy"])
    wishes = {"precision_auto": auto, "precision_prefill": prefill, "emergency_threshold": now.emergency}
    return choose_policy(record, wishes, now.place_precision)


def said(agency: str, p: float, wanted: str = "", *, held_back: bool = True, unit: str = "") -> Answered:
    labels = {"agency": wanted, "unit": wanted} if wanted else {"category": "sampah"}
    return Answered(1, None, held_back, {"agency": (agency, p), "unit": (unit or agency, p)}, labels, 0.0, 0.0)


def test_the_effect_counts_held_back_complaints_above_each_threshold_and_how_many_were_right() -> None:
    policy = Policy(auto=Threshold(0.9, {"rare": 0.99, "sure": 0.5}), prefill=Threshold(0.6, {"sure": 0.5}))
    rows = [
        said("a", 0.95, "a"),
        said("a", 0.9, "b"),
        said("a", 0.89, "a"),
        said("a", 0.6, "b"),
        said("a", 0.59, "a"),
        said("rare", 0.95, "rare"),
        said("sure", 0.5, "sure"),
        said("kelurahan-a", 0.55, "kelurahan-a", unit="sure"),
        said("@kelurahan", 0.95, "kelurahan-a"),
        said("a", 0.95),
        said("a", 0.95, "a", held_back=False),
    ]
    assert effect(policy, rows) == Effect(rows=9, auto=4, auto_right=3, prefill=3, prefill_right=2)


def test_the_effect_leaves_out_what_takes_another_route() -> None:
    policy = Policy(auto=Threshold(0.9), prefill=Threshold(0.6), emergency=0.12)
    rows = [said("a", 0.95, "a"), replace(said("a", 0.95, "a"), danger=0.12), said("pln", 0.95, "pln")]
    found = effect(policy, rows, frozenset({"pln"}))
    assert found == Effect(rows=3, auto=1, auto_right=1, prefill=0, prefill_right=0)


@pytest.mark.parametrize(
    ("found", "routes"),
    [
        (Effect(10, 4, 3, 5, 5), {"auto": (0.4, 0.75), "prefill": (0.5, 1.0)}),
        (Effect(10, 0, 0, 5, 0), {"auto": (0.0, None), "prefill": (0.5, 0.0)}),
        (Effect(0, 0, 0, 0, 0), {"auto": (0.0, None), "prefill": (0.0, None)}),
    ],
)
def test_an_effect_is_told_as_share_and_precision(found: Effect, routes: dict[str, tuple[float, float | None]]) -> None:
    assert {name: (row["share"], row.get("precision")) for name, row in found.routes().items()} == routes


def test_a_lower_wish_lets_more_pass_and_a_higher_one_less(release: Release, record: list[Answered]) -> None:
    passed = [effect(wished(record, release, auto, 0.5), record).auto for auto in (0.999, 0.93, 0.85, 0.7)]
    assert passed == sorted(passed)
    assert passed[0] == 0
    assert passed[0] < passed[1] < passed[-1] <= 60


def foreseen(release: Release, auto: float, prefill: float) -> Effect:
    """Thresholds chosen on the earlier answers, counted on those held back."""
    wish = Wish(auto, prefill)
    return record_of(release.folder, release.manifest, release.portal).foreseen([wish])[wish]


def test_without_apply_the_numbers_of_both_are_shown_and_nothing_is_changed(learned: Path, release: Release) -> None:
    before = snapshot(learned / "registry")
    people, program = together(
        learned,
        ("policy", "--auto", "0.9", "--prefill", "0.8"),
        ("policy", "--auto", "0.9", "--prefill", "0.8", "--json"),
    )
    now, then = foreseen(release, AUTO, PREFILL), foreseen(release, 0.9, 0.8)
    assert now.auto < then.auto
    assert json.loads(program.stdout) == {
        "release": release.id,
        "rows": 60,
        "wishes": {"now": {"auto": AUTO, "prefill": PREFILL}, "wished": {"auto": 0.9, "prefill": 0.8}},
        "now": now.routes(),
        "wished": then.routes(),
        "published": None,
    }
    assert "Pada 60 laporan yang disisihkan" in people.stdout
    for name, wishes, found in (
        ("sekarang", ("96,0 %", "85,0 %"), now),
        ("diusulkan", ("90,0 %", "80,0 %"), then),
    ):
        (line,) = (line for line in people.stdout.splitlines() if name in line)
        wish, *cells = (cell.strip() for cell in line.strip("│").split("│"))
        assert all(text in wish for text in wishes)
        assert [int(cell) for cell in cells] == [
            found.auto, found.auto - found.auto_right, found.prefill, found.prefill - found.prefill_right,
        ]  # fmt: skip
    assert "Tidak ada yang diubah" in people.stderr
    assert "--apply" in people.stderr
    assert snapshot(learned / "registry") == before


def test_a_wish_that_is_not_named_stays_as_it_is(learned: Path, release: Release) -> None:
    only, none = together(learned, ("policy", "--prefill", "0.7", "--json"), ("policy", "--json"))
    assert json.loads(only.stdout)["wished"] == foreseen(release, AUTO, 0.7).routes()
    unchanged = json.loads(none.stdout)
    assert unchanged["now"] == unchanged["wished"]


@pytest.mark.parametrize("prefill", [0.7, PREFILL])
def test_the_same_wishes_on_the_record_give_the_policy_that_was_published(
    release: Release, record: list[Answered], prefill: float
) -> None:
    """The record of a release is enough to choose its thresholds again."""
    now = Policy.from_values(release.manifest["policy"])
    assert (wished(record, release, AUTO, prefill) == now) == (prefill == PREFILL)


def test_applied_wishes_are_a_release_of_their_own_with_the_same_model(home: Path) -> None:
    registry = home / "registry"
    before = champion(registry)
    outcome = aduan(home, "policy", "--auto", "0.9", "--prefill", "0.8", "--apply", "--json")
    assert outcome.returncode == 0, outcome.stderr
    published = json.loads(outcome.stdout)["published"]
    after = champion(registry)
    assert after.id == published != before.id
    assert faults(after.folder) == []
    for name in ("coefficients.npy", "weights.npy", "model.json", "seen.npy", "forward.parquet"):
        assert (after.folder / name).read_bytes() == (before.folder / name).read_bytes(), name
    manifest = after.manifest
    policy = Policy.from_values(manifest["policy"])
    assert (policy.precision_auto, policy.precision_prefill) == (0.9, 0.8)
    old = Policy.from_values(before.manifest["policy"])
    assert policy.auto.shared < old.auto.shared
    assert (policy.emergency, policy.place_precision) == (0.2, old.place_precision)
    assert manifest["parent"] == before.id
    assert manifest["gate"] == {"agrees": True, "against": before.id, "reasons": [SAME_MODEL], "compared": {}}
    assert asdict(policy) == asdict(wished(read_answered(before.folder / FORWARD_FILE), before, 0.9, 0.8))
    assert manifest["scores"]["routes"] == json.loads(outcome.stdout)["wished"]
    assert manifest["scores"]["answers"] == before.manifest["scores"]["answers"]
    for name in ("format", "portal", "data", "code", "labels", "held_back"):
        assert manifest[name] == before.manifest[name], name
    assert "auto 90%, prefill 80%" in (after.folder / "card.md").read_text("utf-8")


def test_the_page_of_the_release_with_other_thresholds_names_that_release(home: Path, record: list[Answered]) -> None:
    registry = home / "registry"
    before = champion(registry)
    policy = wished(record, before, 0.8, 0.7)
    after = publish_policy(before, policy, effect(policy, record), registry, MONDAY)
    assert f"<title>Penilaian rilis {after} " in (registry / after / "report.html").read_text("utf-8")


def test_the_release_with_other_thresholds_believes_the_same_and_advises_otherwise(
    home: Path, record: list[Answered]
) -> None:
    registry = home / "registry"
    before = champion(registry)
    policy = wished(record, before, 0.8, 0.7)
    after = open_release(registry / publish_policy(before, policy, effect(policy, record), registry, MONDAY))
    routes = []
    for matter in MATTERS:
        old, new = (router_of(release).suggest(Complaint(matter)) for release in (before, after))
        assert new.prediction == old.prediction
        routes.append((old.route, new.route))
    assert any(old != new for old, new in routes)


def test_people_are_told_of_the_new_release_and_a_rollback_returns_to_the_old_one(home: Path) -> None:
    registry = home / "registry"
    (before,) = champions(registry).values()
    outcome = aduan(home, "policy", "--auto", "0.9", "--apply")
    (after,) = champions(registry).values()
    assert outcome.returncode == 0
    assert f"Rilis {after} berlaku." in outcome.stderr
    event = history(registry)[-1]
    assert (event.action, event.release, event.previous) == ("promote", after, before)
    assert event.by
    verified, back = aduan(home, "release", "verify", after), aduan(home, "release", "rollback")
    assert (verified.stdout, back.returncode) == (f"{after}: utuh\n", 0)
    assert champions(registry) == {TOWN: before}


def test_wishes_go_on_from_the_release_that_holds_the_last_ones(home: Path) -> None:
    registry = home / "registry"
    for wish in (("--auto", "0.9"), ("--prefill", "0.7")):
        assert aduan(home, "policy", *wish, "--apply").returncode == 0
    policy = Policy.from_values(champion(registry).manifest["policy"])
    assert (policy.precision_auto, policy.precision_prefill) == (0.9, 0.7)
    events = history(registry)
    chain = [read_manifest(registry / event.release)["parent"] for event in events]
    assert chain == [None, events[0].release, events[1].release]


def test_the_same_thresholds_on_the_same_day_are_the_same_release(home: Path, record: list[Answered]) -> None:
    registry = home / "registry"
    before = champion(registry)
    policy = wished(record, before, 0.9, 0.8)
    ids = [
        publish_policy(before, changed, effect(changed, record), registry, MONDAY + timedelta(days=days))
        for changed, days in ((policy, 0), (policy, 0), (policy, 1), (replace(policy, emergency=0.3), 0))
    ]
    assert ids[0] == ids[1]
    assert len({before.id, *ids}) == 4
    assert sorted(release_ids(registry)) == sorted({before.id, *ids})
    assert asdict(policy) == read_manifest(registry / ids[0])["policy"]
    assert champions(registry) == {TOWN: before.id}


def test_a_wish_that_makes_no_sense_is_wrong_usage(home: Path) -> None:
    before = snapshot(home / "registry")
    wishes = (
        ("--auto", "1.5"), ("--auto", "1"), ("--auto", "0"), ("--prefill", "-0.9"), ("--prefill", "sembilan"),
        ("--prefill", "95"), ("--prefil", "0.8"),
    )  # fmt: skip
    for wish, outcome in zip(wishes, together(home, *(("policy", *wish, "--apply") for wish in wishes)), strict=True):
        assert (outcome.returncode, outcome.stdout) == (2, ""), wish
        assert wish[0] in outcome.stderr
    assert snapshot(home / "registry") == before


def test_without_a_release_there_are_no_thresholds_to_choose(tmp_path: Path) -> None:
    assert_named_failure(aduan(tmp_path, "policy", "--auto", "0.9"), "Belum ada rilis", str(tmp_path))


def test_thresholds_of_a_release_that_is_not_in_force_do_not_replace_the_one_that_is(home: Path) -> None:
    registry = home / "registry"
    (old,) = champions(registry).values()
    assert aduan(home, "policy", "--auto", "0.9", "--apply").returncode == 0
    in_force = champions(registry)
    before = release_ids(registry)
    shown = aduan(home, "policy", "--release", old, "--auto", "0.95", "--json")
    assert json.loads(shown.stdout)["release"] == old
    refused = aduan(home, "policy", "--release", old, "--auto", "0.95", "--apply")
    assert_named_failure(refused, old, "tidak sedang berlaku")
    assert champions(registry) == in_force
    assert release_ids(registry) == before


def test_a_wish_for_auto_below_that_for_prefill_is_refused(home: Path) -> None:
    outcome = aduan(home, "policy", "--auto", "0.7", "--prefill", "0.9")
    assert (outcome.returncode, outcome.stdout) == (2, "")


def test_a_wish_that_nothing_proves_is_told_with_the_evidence_it_would_take(learned: Path) -> None:
    outcome = aduan(learned, "policy", "--auto", "0.995", "--prefill", "0.9")
    said = " ".join(outcome.stderr.split())
    assert "Tidak ada laporan untuk auto 99,5 %: perlu sedikitnya 598 laporan yang semuanya tepat" in said
    assert "prefill 90,0 %" not in said


def test_a_broken_release_is_named_and_left_alone(home: Path) -> None:
    registry = home / "registry"
    before = champion(registry)
    (registry / before.id / FORWARD_FILE).write_bytes(b"")
    outcome = aduan(home, "policy", "--auto", "0.9", "--apply")
    assert_named_failure(outcome, FORWARD_FILE)
    assert release_ids(registry) == [before.id]
    assert champions(registry) == {TOWN: before.id}
    assert list(registry.glob(".*")) == []
