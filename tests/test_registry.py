"""Which release is in force is what the last complete line of the history says, whoever writes and whatever
is killed in between."""

import resource
import shutil
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
import pytest
from publisher import PROCESSES, copy_release, promote_often, publish_first, small_town

from router_model.errors import ReleaseError
from router_model.registry import (
    HISTORY,
    champion,
    champions,
    entries,
    history,
    lineage,
    objections,
    promote,
    release_folder,
    release_ids,
    rollback,
)
from router_model.release import MANIFEST

TOWN = "kota-kecil"
A, B, C = (f"{TOWN}-2025010{day}-aaaaaaaa" for day in (1, 2, 3))


@pytest.fixture(scope="module")
def three_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("three")
    first = here / publish_first(36, small_town(tmp_path_factory.mktemp("town") / "portal"), here)
    for day, release_id in enumerate((A, B, C), 1):
        copy_release(first, here, release_id, created_at=f"2025-01-0{day}T00:00:00+00:00")
    shutil.rmtree(first)
    return here


@pytest.fixture
def registry(three_releases: Path, tmp_path: Path) -> Path:
    """Three small releases, none in force."""
    return Path(shutil.copytree(three_releases, tmp_path / "registry"))


def actions(registry: Path) -> list[tuple[str, str, str | None]]:
    return [(event.action, event.release, event.previous) for event in history(registry)]


def test_a_promoted_release_is_in_force_and_the_history_says_who_and_why(registry: Path) -> None:
    moment = datetime(2025, 2, 1, 8, tzinfo=UTC)
    promote(registry, A, by="made", reason="awal tahun", now=moment)
    assert champions(registry) == {TOWN: A}
    assert champion(registry).id == champion(registry, TOWN).id == A
    (line,) = (registry / HISTORY).read_bytes().splitlines()
    assert orjson.loads(line) == {
        "at": "2025-02-01T08:00:00+00:00",
        "portal": TOWN,
        "release": A,
        "previous": None,
        "action": "promote",
        "by": "made",
        "reason": "awal tahun",
        "verdict": None,
        "request": "",
    }
    assert sorted(path.name for path in registry.iterdir()) == sorted([A, B, C, HISTORY])


def test_a_reason_with_bytes_that_are_no_text_is_recorded_as_far_as_it_is_text(registry: Path) -> None:
    promote(registry, A, by="made\udcff", reason=" baris satu\nbaris dua \udcff ")
    (event,) = history(registry)
    assert (event.by, event.reason) == ("made?", "baris satu\nbaris dua ?")


def test_the_history_only_grows(registry: Path) -> None:
    before = b""
    for step in (lambda: promote(registry, A), lambda: promote(registry, B), lambda: rollback(registry, TOWN)):
        step()
        after = (registry / HISTORY).read_bytes()
        assert after.startswith(before)
        assert len(after) > len(before)
        before = after
    assert actions(registry) == [("promote", A, None), ("promote", B, A), ("rollback", A, B)]


def test_rolling_back_twice_goes_back_twice_and_then_there_is_nothing(registry: Path) -> None:
    for release_id in (A, B, C):
        promote(registry, release_id)
    for expected in (B, A):
        rollback(registry, TOWN, by="made", reason="salah pilih")
        assert champions(registry) == {TOWN: expected}
    with pytest.raises(ReleaseError, match=f"{A} tidak punya pendahulu"):
        rollback(registry, TOWN)
    assert champions(registry) == {TOWN: A}


def test_what_was_rolled_back_is_not_returned_to(registry: Path) -> None:
    promote(registry, A)
    promote(registry, B)
    rollback(registry, TOWN)
    promote(registry, C)
    assert lineage(history(registry), TOWN) == [A, C]
    assert rollback(registry, TOWN).release == A


def test_a_release_promoted_again_after_another_goes_back_to_that_one(registry: Path) -> None:
    for release_id in (A, B, B, A):
        promote(registry, release_id)
    assert [rollback(registry, TOWN).release for _ in range(2)] == [B, A]


def test_a_rollback_to_a_faulty_release_is_refused_and_changes_nothing(registry: Path) -> None:
    promote(registry, A)
    promote(registry, B)
    (registry / A / "weights.npy").unlink()
    before = (registry / HISTORY).read_bytes()
    with pytest.raises(ReleaseError, match=r"weights\.npy"):
        rollback(registry, TOWN)
    assert (registry / HISTORY).read_bytes() == before


def test_a_faulty_champion_names_the_way_back_and_the_way_back_works(registry: Path) -> None:
    promote(registry, A)
    promote(registry, B)
    shutil.rmtree(registry / B)
    with pytest.raises(ReleaseError, match=f"{B}(?s:.*)aduan release rollback --portal {TOWN}"):
        champion(registry)
    rollback(registry, TOWN)
    assert champion(registry).id == A


def test_nothing_is_promoted_that_is_faulty_or_not_there(registry: Path) -> None:
    (registry / B / "catatan.txt").write_text("asing")
    for release_id in (B, "kota-kecil-20250101-00000000"):
        with pytest.raises(ReleaseError, match=release_id):
            promote(registry, release_id, reason="tetap saja")
    assert not (registry / HISTORY).exists()


@pytest.mark.parametrize("release_id", ["", ".", "..", ".draft-x", "../registry", "a/b", "/a", "a\0b"])
def test_an_id_does_not_lead_out_of_the_registry_or_to_a_draft(registry: Path, release_id: str) -> None:
    with pytest.raises(ReleaseError, match="bukan nomor rilis"):
        release_folder(registry, release_id)


def test_a_registry_without_a_release_in_force_says_how_to_train(registry: Path, tmp_path: Path) -> None:
    promote(registry, A)
    for folder, portal in ((tmp_path, None), (tmp_path / "tidak-ada", None), (registry, "bandung")):
        with pytest.raises(ReleaseError, match="aduan train"):
            champion(folder, portal)
    with pytest.raises(ReleaseError, match="bandung"):
        rollback(registry, "bandung")


def test_portals_share_a_registry_and_go_their_own_ways(registry: Path) -> None:
    toml = registry / C / "portal" / "portal.toml"
    toml.write_text(toml.read_text("utf-8").replace(f'code = "{TOWN}"', 'code = "kota-lain"'), "utf-8")
    other = copy_release(registry / C, registry, "kota-lain-20250103-aaaaaaaa", portal="kota-lain")
    for release_id in (A, other, B):
        promote(registry, release_id)
    rollback(registry, TOWN)
    assert champions(registry) == {TOWN: A, "kota-lain": other}
    assert champion(registry, "kota-lain").id == other
    with pytest.raises(ReleaseError, match="kota-kecil, kota-lain"):
        champion(registry)
    with pytest.raises(ReleaseError, match="pendahulu"):
        rollback(registry, "kota-lain")


def test_releases_are_listed_by_age_and_the_broken_ones_last(registry: Path) -> None:
    (registry / A / MANIFEST).write_bytes(b"{")
    (registry / "separuh").mkdir()
    (registry / ".draft-x").mkdir()
    (registry / "catatan.txt").write_text("bukan rilis")
    copy_release(registry / B, registry, "z-tertua", created_at="2024-01-01T00:00:00+00:00")
    assert [(entry.id, bool(entry.fault)) for entry in entries(registry)] == [
        ("z-tertua", False), (B, False), (C, False), (A, True), ("separuh", True),
    ]  # fmt: skip
    assert release_ids(registry) == ["z-tertua", B, C]


@pytest.mark.parametrize("kept", ["nothing", "one byte", "half", "all but the end of the line", "zeros"])
def test_a_torn_last_line_does_not_count_and_the_next_starts_on_its_own(registry: Path, kept: str) -> None:
    promote(registry, A)
    whole = (registry / HISTORY).read_bytes()
    promote(registry, B)
    line = (registry / HISTORY).read_bytes()[len(whole) :]
    torn = {
        "nothing": b"", "one byte": line[:1], "half": line[: len(line) // 2],
        "all but the end of the line": line[:-1], "zeros": bytes(len(line)),
    }[kept]  # fmt: skip
    (registry / HISTORY).write_bytes(whole + torn)
    assert champions(registry) == {TOWN: A}
    promote(registry, C)
    assert actions(registry) == [("promote", A, None), ("promote", C, A)]
    assert (registry / HISTORY).read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b'"teks"', b'{"portal": "kota-kecil"}', b"\xff", b"<release>1</release>"]
)
def test_a_broken_complete_line_is_named_and_nothing_is_guessed(registry: Path, line: bytes) -> None:
    promote(registry, A)
    whole = (registry / HISTORY).read_bytes()
    (registry / HISTORY).write_bytes(whole + line + b"\n" + whole)
    for step in (lambda: champion(registry), lambda: promote(registry, B), lambda: rollback(registry, TOWN)):
        with pytest.raises(ReleaseError, match=r"history\.jsonl baris 2 rusak"):
            step()
    assert (registry / HISTORY).read_bytes() == whole + line + b"\n" + whole


def test_a_line_with_a_foreign_type_is_broken(registry: Path) -> None:
    event = promote(registry, A)
    values = {"at": event.at, "portal": TOWN, "release": 7, "previous": None, "action": "promote", "by": ""}
    (registry / HISTORY).write_bytes(orjson.dumps({**values, "reason": "", "verdict": None}) + b"\n")
    with pytest.raises(ReleaseError, match="baris 1 rusak"):
        champions(registry)


def test_a_full_disk_leaves_no_piece_of_a_line_and_is_named(registry: Path) -> None:
    promote(registry, A)
    before = (registry / HISTORY).read_bytes()
    hears, says = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=promote_on_a_full_disk, args=(registry, B, len(before) + 20, says))
    process.start()
    process.join()
    assert hears.poll()
    assert hears.recv().startswith(f"{registry / HISTORY} tidak dapat ditulis: ruang penyimpanan penuh")
    assert (registry / HISTORY).read_bytes() == before
    promote(registry, B)
    assert actions(registry) == [("promote", A, None), ("promote", B, A)]


def promote_on_a_full_disk(registry: Path, release_id: str, room: int, says: Connection) -> None:
    """For a process of its own, in which no file can grow beyond `room` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        promote(registry, release_id)
    except ReleaseError as error:
        says.send(str(error))


def test_promotions_of_several_processes_at_once_lose_no_line(registry: Path) -> None:
    promote(registry, A)
    processes = [PROCESSES.Process(target=promote_often, args=(registry, name, 15)) for name in (A, B, C)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        assert champion(registry).id in (A, B, C)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    _, *events = history(registry)
    assert sorted((event.by, int(event.reason)) for event in events) == sorted(
        (name, turn) for name in (A, B, C) for turn in range(15)
    )
    in_force = A
    for event in events:
        assert event.previous == in_force
        in_force = event.release


GATE = {"against": A, "agrees": True, "reasons": []}


@pytest.mark.parametrize(
    ("gate", "in_force", "words"),
    [
        (None, None, []),
        (None, A, []),
        (GATE | {"against": None}, None, []),
        (GATE, A, []),
        (GATE, B, [f"diuji dengan {A}"]),
        (GATE | {"against": None}, A, ["diuji dengan rilis mana pun"]),
        (GATE, C, []),
        (GATE | {"agrees": False, "reasons": ["instansi turun", "darurat turun"]}, A, ["instansi", "darurat"]),
        (GATE | {"agrees": False, "reasons": ["instansi turun"]}, B, ["instansi", "Belum diuji banding"]),
        (GATE | {"agrees": False}, A, ["tanpa menyebut sebab"]),
        (GATE | {"agrees": False, "reasons": ["terlalu sedikit"]}, None, ["terlalu sedikit"]),
        (GATE | {"agrees": False, "reasons": ["instansi turun"]}, C, []),
    ],
)  # fmt: skip
def test_objections_are_what_the_gate_said_and_whom_it_did_not_meet(
    gate: dict[str, Any] | None, in_force: str | None, words: list[str]
) -> None:
    found = objections({"id": C, "gate": gate}, in_force)
    assert len(found) == len(words)
    assert all(word in objection for word, objection in zip(words, found, strict=True))


def test_a_release_that_the_gate_refused_is_promoted_only_for_a_reason_which_is_recorded(registry: Path) -> None:
    promote(registry, A)
    refused = {"against": A, "agrees": False, "reasons": ["ketepatan instansi turun 4 poin"]}
    worse = copy_release(registry / B, registry, f"{TOWN}-20250104-aaaaaaaa", gate=refused)
    for reason in ("", "  "):
        with pytest.raises(ReleaseError, match=r"(?s)ketepatan instansi turun 4 poin.*--reason"):
            promote(registry, worse, reason=reason)
    assert champions(registry) == {TOWN: A}
    event = promote(registry, worse, by="made", reason="instansi baru, angka lama tidak berlaku")
    assert (event.action, event.verdict) == ("overrule", refused)
    assert history(registry)[-1] == event
    assert champions(registry) == {TOWN: worse}
    assert promote(registry, worse).action == "promote"


def test_a_newer_verdict_counts_in_place_of_the_one_in_the_manifest(registry: Path) -> None:
    old = {"against": A, "agrees": True, "reasons": []}
    tried = copy_release(registry / B, registry, f"{TOWN}-20250104-aaaaaaaa", gate=old)
    promote(registry, C)
    with pytest.raises(ReleaseError, match=C):
        promote(registry, tried)
    event = promote(registry, tried, verdict=old | {"against": C})
    assert (event.action, event.verdict) == ("promote", old | {"against": C})


def test_a_request_that_is_repeated_counts_once_even_when_others_acted_in_between(registry: Path) -> None:
    promote(registry, A)
    first = promote(registry, B, request="permintaan-1")
    back = rollback(registry, TOWN, request="permintaan-2")
    promote(registry, C)
    assert promote(registry, B, request="permintaan-1") == first
    assert rollback(registry, TOWN, request="permintaan-2") == back
    assert actions(registry) == [("promote", A, None), ("promote", B, A), ("rollback", A, B), ("promote", C, A)]
    promote(registry, B, request="permintaan-3")
    assert champions(registry) == {TOWN: B}


def test_a_request_of_several_processes_at_once_counts_once(registry: Path) -> None:
    processes = [PROCESSES.Process(target=promote_on_request, args=(registry, A, "satu")) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert actions(registry) == [("promote", A, None)]


def promote_on_request(registry: Path, release_id: str, request: str) -> None:
    promote(registry, release_id, request=request)


def test_a_history_of_the_first_version_is_still_read(registry: Path) -> None:
    promote(registry, A)
    line = orjson.loads((registry / HISTORY).read_bytes())
    del line["request"]
    (registry / HISTORY).write_bytes(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    promote(registry, B, request="baru")
    assert [event.request for event in history(registry)] == ["", "baru"]
