"""A portal is changed whole or not at all, with every version before kept."""

import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from publisher import PROCESSES, small_town

from router_model.complaint import Complaint
from router_model.errors import PortalError, ReleaseError
from router_model.portal import OPTIONAL_PORTAL_FILES, PORTAL_FILES, Agency, Portal, load_portal
from router_model.registry import champion, champions, history, rollback
from router_model.release import faults, router_of
from router_model.resemblance_limits import ResemblanceLimits
from router_model.time_limits import CLOSES, TimeLimit
from service import portal_editing as editing
from service import portal_folders
from service.backup import backup, restore
from service.database.database import Database
from service.limit_editing import set_closing, set_deadlines, set_repeats
from service.portal_editing import EditRefusedError, on_folder
from service.portal_folders import NoPortalFolderError, PortalChangedError, fingerprint
from service.portal_release import differences, needs_training, publish_contacts, publish_portal
from service.settings import Settings

TOWN = "kota-kecil"
LAMPS, RUBBISH, ROADS = "dinas-perhubungan", "dinas-kebersihan", "dinas-pekerjaan-umum"
KILLS = 8
PROCESSES.set_forkserver_preload(["training.publishing", "training.portal_derivation", "service.portal_editing"])
DAY = date(2026, 3, 1)
BEFORE, AFTER = date(2026, 2, 28), date(2026, 3, 2)
DETAILS = {"kind": "dinas", "aliases": "", "responsibilities": "lampu, rambu", "territory": "", "external": "tidak"}


@pytest.fixture
def folder(denpasar: Path, tmp_path: Path) -> Path:
    """A copy of the shipped folder to change."""
    copy = tmp_path / "denpasar"
    copy.mkdir()
    for name in (*PORTAL_FILES, *OPTIONAL_PORTAL_FILES):
        if (denpasar / name).is_file():
            shutil.copyfile(denpasar / name, copy / name)
    return copy


def done(folder: Path, edit: Callable[..., editing.Edited], *args: Any, **more: Any) -> Portal:
    """The portal after an edit of its files."""
    on_folder(lambda files: edit(files, *args, **more))(folder)
    return load_portal(folder)


def in_charge(portal: Portal, label: str, category: str = "", day: date | None = None) -> str:
    """The code of the body that has a label's matter today, "" for nobody."""
    agency = portal.find_agency(label)
    assert agency
    heir = portal.in_charge(agency, category, day)
    return heir.code if heir else ""


def agency_of(portal: Portal, name: str) -> Agency:
    found = portal.find_agency(name)
    assert found
    return found


def test_a_body_that_is_renamed_is_found_by_both_names(folder: Path) -> None:
    portal = done(folder, editing.rename_agency, "dishub", "Dinas Mobilitas Kota Denpasar")
    assert portal.agency["dishub"].name == "Dinas Mobilitas Kota Denpasar"
    assert agency_of(portal, "dinas perhubungan kota denpasar").code == "dishub"
    again = done(folder, editing.rename_agency, "dishub", "Dinas Perhubungan Kota Denpasar")
    assert "Dinas Perhubungan Kota Denpasar" not in again.agency["dishub"].aliases
    spelled = done(folder, editing.rename_agency, "dishub", "DINAS Perhubungan Kota Denpasar")
    assert spelled.agency["dishub"].name == "DINAS Perhubungan Kota Denpasar"


def test_a_new_body_takes_the_place_of_an_old_one_from_a_day_on(folder: Path) -> None:
    portal = done(folder, editing.succeed_agency, "dishub", "Dinas Mobilitas Kota Denpasar", DAY)
    heir = agency_of(portal, "Dinas Mobilitas Kota Denpasar")
    assert (heir.valid_from, portal.agency["dishub"].valid_to) == ("2026-03-01", "2026-02-28")
    assert heir.responsibilities == portal.agency["dishub"].responsibilities
    assert in_charge(portal, "Dinas Perhubungan Kota Denpasar") == heir.code
    assert heir.code in portal.category["penerangan-jalan-umum"].units


def test_several_bodies_become_one(folder: Path) -> None:
    into_new = done(folder, editing.merge_agencies, ["dishub", "dlhk"], "", "Dinas Perkotaan Kota Denpasar", DAY)
    heir = agency_of(into_new, "Dinas Perkotaan Kota Denpasar").code
    assert {in_charge(into_new, "dishub"), in_charge(into_new, "dlhk")} == {heir}
    into_old = done(folder, editing.merge_agencies, ["perkim", "pupr"], "pupr", "", DAY)
    assert in_charge(into_old, "perkim") == "pupr"
    assert "pupr" not in into_old.retired


def test_matters_of_a_body_that_lives_on_go_to_another_from_a_day_on(folder: Path) -> None:
    lamps = "penerangan-jalan-umum"
    portal = done(folder, editing.hand_over, "dishub", [lamps], "", "Dinas Penerangan Kota Denpasar", DAY)
    heir = agency_of(portal, "Dinas Penerangan Kota Denpasar")
    assert heir.responsibilities == ""
    assert in_charge(portal, "dishub", lamps, BEFORE) == heir.code
    assert in_charge(portal, "dishub", lamps, AFTER) == "dishub"
    assert in_charge(portal, "dishub", "parkir-liar", BEFORE) == "dishub"
    assert heir.code in portal.category[lamps].units


def test_a_body_that_is_divided_up_ends_with_heirs_for_each_part(folder: Path) -> None:
    done(folder, editing.hand_over, "dishub", ["penerangan-jalan-umum"], "pupr", "", DAY)
    portal = done(folder, editing.retire_agency, "dishub", DAY, "satpolpp")
    assert in_charge(portal, "dishub", "penerangan-jalan-umum") == "pupr"
    assert in_charge(portal, "dishub", "parkir-liar") == "satpolpp"


def test_a_body_can_end_without_an_heir(folder: Path) -> None:
    portal = done(folder, editing.retire_agency, "bkpsdm", DAY)
    assert in_charge(portal, "bkpsdm") == ""
    assert "bkpsdm" not in portal.units


def test_a_new_body_gets_a_code_of_its_own_and_the_columns_it_needs(tmp_path: Path) -> None:
    folder = small_town(tmp_path / "kecil")
    assert "channel" not in (folder / "agencies.csv").read_text("utf-8").splitlines()[0]
    values = {**DETAILS, "name": "Dinas  Perhubungan", "channel": "0361-1"}
    with pytest.raises(PortalError, match="dipakai dua kali"):
        done(folder, editing.add_agency, values)
    shutil.rmtree(folder)
    folder = small_town(tmp_path / "kecil")
    portal = done(folder, editing.add_agency, {**values, "name": "Dinas\nPasar Malam"}, DAY)
    made = portal.agency["dinas-pasar-malam"]
    assert (made.name, made.channel, made.valid_from) == ("Dinas Pasar Malam", "0361-1", "2026-03-01")
    assert done(folder, editing.add_agency, {**values, "name": "Dinas Pasar-Malam 2"}).agency["dinas-pasar-malam-2"]


def test_a_category_keeps_its_labels_when_it_is_renamed_or_ends_in_another(folder: Path) -> None:
    renamed = done(folder, editing.change_category, "jembatan", {"name": "Jembatan dan gorong-gorong", "parent": ""})
    assert renamed.find_category("Jembatan") == renamed.category["jembatan"]
    ended = done(folder, editing.retire_category, "kebakaran", "pohon-tumbang")
    assert "kebakaran" not in ended.leaf
    assert {ended.find_category(label) for label in ("Kebakaran", "kebakaran")} == {ended.leaf["pohon-tumbang"]}
    assert {rule.categories for rule in ended.successions if rule.agency == "bpbd"} == {
        frozenset({"pohon-tumbang", "evakuasi-hewan-dan-penyelamatan"})
    }


def test_a_category_that_ends_without_another_leaves_no_rule_about_everything(folder: Path) -> None:
    done(folder, editing.retire_category, "kebakaran")
    portal = done(folder, editing.retire_category, "evakuasi-hewan-dan-penyelamatan")
    assert portal.successions == ()
    assert "bpbd" not in portal.retired


def test_a_new_category_stands_with_the_others_of_its_branch(folder: Path) -> None:
    parent = load_portal(folder).category["jembatan"].parent
    portal = done(folder, editing.add_category, {"name": "Terowongan", "parent": parent, "agencies": "pupr"})
    codes = [category.code for category in portal.categories]
    assert portal.leaf["terowongan"].units == {"pupr"}
    assert portal.category[codes[codes.index("terowongan") - 1]].parent == parent


def test_numbers_and_deadlines_change_and_comments_stay(folder: Path) -> None:
    comments = [line for line in (folder / "portal.toml").read_text("utf-8").splitlines() if line.startswith("#")]
    contacts = [
        {"name": "Satu nomor", "number": "112", "certainty": "A"},
        {"name": 'Dua "b"', "number": "0361 1", "certainty": "B"},
    ]
    done(folder, editing.set_contacts, contacts)
    limit = {"working_days": 10, "source": "Perwali", "certainty": "B"}
    portal = done(folder, set_deadlines, {("pengaduan", ""): limit})
    assert [(one.name, one.number) for one in portal.emergency_contacts] == [
        ("Satu nomor", "112"),
        ('Dua "b"', "0361 1"),
    ]
    assert portal.settings["deadlines"]["pengaduan"] == limit
    assert portal.settings["deadlines"]["informasi"]["working_days"] == 5
    text = (folder / "portal.toml").read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == comments
    assert done(folder, editing.set_contacts, []).emergency_contacts == ()


def test_limits_for_one_urgency_come_and_go_beside_those_of_the_report_type(folder: Path) -> None:
    before = load_portal(folder).limits
    limit = {"working_days": 2, "source": "SOP", "certainty": "B"}
    portal = done(folder, set_deadlines, {("pengaduan", "tinggi"): limit, ("pengawasan", ""): {}})
    assert portal.limits.of("pengaduan", "tinggi") == TimeLimit(2, "SOP", "B")
    assert portal.limits.of("pengaduan", "sedang") == before.of("pengaduan")
    assert portal.limits.of("pengawasan", "sedang") is None
    done(folder, set_deadlines, {("pengawasan", "darurat"): limit})
    taken = {("pengaduan", "tinggi"): {}, ("pengaduan", "rendah"): {}, ("pengawasan", "darurat"): {}}
    portal = done(folder, set_deadlines, taken)
    assert portal.limits.of("pengaduan", "tinggi") == before.of("pengaduan")
    assert "pengawasan" not in portal.settings["deadlines"]
    nothing = {(step, ""): {} for step in portal.settings["deadlines"]}
    assert done(folder, set_deadlines, nothing).limits.rows == {}


def test_the_closing_time_comes_and_goes(folder: Path) -> None:
    portal = done(folder, set_closing, "15.30", "Perwali", "A")
    assert portal.limits.closes.isoformat("minutes") == "15:30"
    assert portal.settings["office_hours"] == {"closes": "15:30", "source": "Perwali", "certainty": "A"}
    for wrong in ("25.00", "sore", "15.30+08:00", "15"):
        with pytest.raises(EditRefusedError, match=r"contoh 15\.30"):
            done(folder, set_closing, wrong, "", "D")
    assert done(folder, set_closing, "", "", "D").limits.closes == CLOSES
    assert "office_hours" not in load_portal(folder).settings


def test_limits_of_repeats_change_and_those_of_a_category_stay(folder: Path) -> None:
    with (folder / "portal.toml").open("a", encoding="utf-8") as file:
        file.write("[resemblance.category.jembatan]\nobject_days = 60 # jembatan lama diperbaiki\n")
    portal = done(folder, set_repeats, {"days": "45", "same_text": "0,8"}, "Rapat", "C")
    assert portal.resemblance.limits == ResemblanceLimits(days=45, same_text=0.8)
    assert portal.resemblance.of("jembatan") == ResemblanceLimits(days=45, object_days=60, same_text=0.8)
    portal = done(folder, set_repeats, {}, "", "D")
    assert portal.resemblance.limits == ResemblanceLimits()
    assert portal.settings["resemblance"] == {"category": {"jembatan": {"object_days": 60}}}
    assert "# jembatan lama diperbaiki" in (folder / "portal.toml").read_text("utf-8")


@pytest.mark.parametrize(("name", "typed"), [("days", "400"), ("campaign", "1"), ("same_text", "0,1"), ("days", "dua")])
def test_a_limit_of_repeats_that_cannot_be_is_refused_by_its_field(folder: Path, name: str, typed: str) -> None:
    with pytest.raises(EditRefusedError, match="harus") as refused:
        done(folder, set_repeats, {name: typed}, "", "D")
    assert refused.value.field == name


def test_days_of_the_calendar_are_kept_in_order_and_once(folder: Path) -> None:
    done(folder, editing.add_day, date(2026, 12, 24), "libur", "Cuti bersama Natal", "SKB", "A")
    portal = done(folder, editing.add_day, DAY, "kerja", "Hari pengganti", "", "D")
    assert [(one.day, one.kind, one.name) for one in portal.calendar] == [
        (DAY, "kerja", "Hari pengganti"),
        (date(2026, 12, 24), "libur", "Cuti bersama Natal"),
    ]
    with pytest.raises(EditRefusedError, match="sudah ada"):
        done(folder, editing.add_day, DAY, "libur", "Lagi", "", "D")
    assert len(done(folder, editing.drop_day, "2026-03-01").calendar) == 1


def test_what_an_edit_leaves_alone_stays_as_it_is_to_the_byte(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done(folder, editing.rename_agency, "dishub", "Dinas Mobilitas")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"agencies.csv"}
    lines = zip(before["agencies.csv"].splitlines(), after["agencies.csv"].splitlines(), strict=True)
    assert [old.split(b",")[0] for old, new in lines if old != new] == [b"dishub"]


@pytest.mark.parametrize(
    ("field", "edit"),
    [
        ("name", partial(editing.rename_agency, code="dishub", name=" ")),
        ("name", partial(editing.rename_agency, code="dishub", name="INSPEKTORAT kota Denpasar")),
        ("code", partial(editing.rename_agency, code="tidak-ada", name="Baru")),
        ("name", partial(editing.succeed_agency, code="dishub", name="", day=DAY)),
        ("codes", partial(editing.merge_agencies, codes=["dishub"], into="", name="Baru", day=DAY)),
        ("codes", partial(editing.merge_agencies, codes=["dishub"], into="dishub", name="", day=DAY)),
        ("categories", partial(editing.hand_over, code="dishub", categories=[], into="pupr", name="", day=DAY)),
        ("into", partial(editing.hand_over, code="dishub", categories=["jembatan"], into="dishub", name="", day=DAY)),
        ("into", partial(editing.retire_agency, code="dishub", day=DAY, into="dishub")),
        ("kind", partial(editing.add_agency, values={"name": "Kantor Baru"})),
        ("code", partial(editing.add_agency, values={**DETAILS, "name": "Kantor Baru", "code": "dishub"})),
        ("code", partial(editing.add_agency, values={**DETAILS, "name": "Kantor Baru", "code": "Kode Aneh"})),
        ("note", partial(editing.add_agency, values={**DETAILS, "name": "Kantor Baru", "note": "x" * 3_000})),
        ("into", partial(editing.retire_category, code="pekerjaan-umum-dan-penataan-ruang")),
        ("into", partial(editing.retire_category, code="jembatan", into="jembatan")),
        ("number-0", partial(editing.set_contacts, contacts=[{"name": "Polisi", "number": "", "certainty": "D"}])),
        ("kind", partial(editing.add_day, day=DAY, kind="setengah", name="x", source="", certainty="D")),
        ("date", partial(editing.drop_day, day="2026-03-01")),
        ("row", partial(editing.drop_succession, place=7)),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_its_field(folder: Path, field: str, edit: editing.Edit) -> None:
    before = fingerprint(folder)
    with pytest.raises(EditRefusedError) as refused:
        on_folder(edit)(folder)
    assert refused.value.field == field
    assert fingerprint(folder) == before


def test_a_body_ends_only_once(folder: Path) -> None:
    done(folder, editing.retire_agency, "bkpsdm", DAY)
    with pytest.raises(EditRefusedError, match="sudah berakhir pada 28 Feb 2026"):
        done(folder, editing.retire_agency, "bkpsdm", DAY)


@pytest.fixture
def town(tmp_path: Path) -> Settings:
    """A home with the plain folder of a small portal, as an operator puts it there, and a history beside it."""
    settings = Settings(home=tmp_path / "home")
    (settings.home / "portals").mkdir(parents=True)
    small_town(settings.home / "portals" / TOWN)
    return settings


def named(settings: Settings) -> str:
    return load_portal(portal_folders.portal_folder(settings, TOWN)).agency[LAMPS].name


def seen(settings: Settings) -> str:
    return fingerprint(portal_folders.described(settings, TOWN))


def rename(settings: Settings, name: str, seen: str) -> portal_folders.Version | None:
    edit = on_folder(lambda files: editing.rename_agency(files, LAMPS, name))
    return portal_folders.change(settings, TOWN, seen, edit, by="user:sari")


def test_a_change_makes_a_version_and_the_folder_of_the_operator_is_the_first(town: Settings) -> None:
    place = town.home / "portals" / TOWN
    before = seen(town)
    version = rename(town, "Dinas Lampu", before)
    assert version is not None
    assert (version.number, version.by, version.what) == (
        2,
        "user:sari",
        "Dinas Perhubungan berganti nama menjadi Dinas Lampu.",
    )
    assert named(town) == "Dinas Lampu"
    assert place.is_symlink()
    assert (place / "complaints.csv").is_file()
    assert [(one.number, one.in_use) for one in portal_folders.versions(town, TOWN)] == [(2, True), (1, False)]
    assert portal_folders.restore(town, TOWN, 1, seen(town), "user:sari")
    assert named(town) == "Dinas Perhubungan"
    assert seen(town) == before
    assert [one.number for one in portal_folders.versions(town, TOWN)] == [3, 2, 1]


def test_files_that_are_edited_by_hand_are_what_the_next_change_begins_with(town: Settings) -> None:
    rename(town, "Dinas Lampu", seen(town))
    old = seen(town)
    categories = town.home / "portals" / TOWN / "categories.csv"
    categories.write_text(categories.read_text("utf-8") + "taman,Taman,\n", "utf-8")
    with pytest.raises(PortalChangedError, match="diubah orang lain"):
        rename(town, "Dinas Terang", old)
    rename(town, "Dinas Terang", seen(town))
    portal = load_portal(portal_folders.portal_folder(town, TOWN))
    assert (portal.agency[LAMPS].name, "taman" in portal.leaf) == ("Dinas Terang", True)


def test_nothing_changes_where_the_whole_would_not_fit(town: Settings) -> None:
    before = seen(town)

    def no_owner(folder: Path) -> str:
        done(folder, editing.change_category, "sampah", {"name": "Sampah", "agencies": "entah"})
        return ""

    with pytest.raises(PortalError) as refused:
        portal_folders.change(town, TOWN, before, no_owner, by="user:sari")
    assert refused.value.problems == ("categories.csv, sampah, kolom agencies: 'entah' bukan instansi portal ini",)
    assert seen(town) == before
    assert portal_folders.versions(town, TOWN) == []
    assert not (town.home / "portals" / TOWN).is_symlink()


def test_a_portal_keeps_its_code(town: Settings) -> None:
    def other_code(folder: Path) -> str:
        settings = (folder / "portal.toml").read_text("utf-8")
        (folder / "portal.toml").write_text(settings.replace('code = "kota-kecil"', 'code = "kota-lain"'), "utf-8")
        return ""

    with pytest.raises(PortalError, match="code harus tetap kota-kecil"):
        portal_folders.change(town, TOWN, seen(town), other_code, by="user:sari")


def test_what_makes_no_difference_makes_no_version(town: Settings) -> None:
    assert portal_folders.change(town, TOWN, seen(town), lambda folder: "", by="user:sari") is None
    assert portal_folders.versions(town, TOWN) == []


def test_of_two_who_change_the_same_state_at_once_one_is_told_to_look_again(town: Settings) -> None:
    before = seen(town)

    def attempt(name: str) -> str:
        try:
            rename(town, name, before)
        except PortalChangedError:
            return ""
        return name

    with ThreadPoolExecutor(8) as many:
        won = [name for name in many.map(attempt, [f"Dinas Lampu {number}" for number in range(8)]) if name]
    assert won == [named(town)]


def test_only_so_many_versions_are_kept(town: Settings) -> None:
    for number in range(portal_folders.MOST_VERSIONS + 3):
        rename(town, f"Dinas Lampu {number}", seen(town))
    kept = portal_folders.versions(town, TOWN)
    assert len(kept) == portal_folders.MOST_VERSIONS
    assert (kept[0].in_use, kept[0].number) == (True, portal_folders.MOST_VERSIONS + 4)
    assert not (town.home / "portals" / f"{TOWN}.versions" / "0001").exists()


def test_a_reader_goes_on_with_the_version_it_began_with(town: Settings) -> None:
    rename(town, "Dinas Lampu", seen(town))
    begun = portal_folders.portal_folder(town, TOWN)
    rename(town, "Dinas Terang", seen(town))
    assert load_portal(begun).agency[LAMPS].name == "Dinas Lampu"


def change_forever(home: Path, first: int, done: Connection) -> None:
    """Renames an agency again and again, and tells of each time."""
    settings = Settings(home=home)
    for number in count(first):
        rename(settings, f"Dinas Lampu {number}", seen(settings))
        done.send(number)


def test_a_change_that_is_killed_leaves_a_whole_folder(town: Settings) -> None:
    finished = -1
    for round_ in range(KILLS):
        hears, says = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=change_forever, args=(town.home, finished + 2, says))
        process.start()
        says.close()
        finished = hears.recv()
        began = time.monotonic()
        finished = hears.recv()
        # Each round dies at another step of the next change.
        time.sleep((time.monotonic() - began) * round_ / KILLS)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        while hears.poll():
            try:
                finished = hears.recv()
            except EOFError:
                break
        portal = load_portal(portal_folders.portal_folder(town, TOWN))
        assert portal.agency[LAMPS].name in (f"Dinas Lampu {finished}", f"Dinas Lampu {finished + 1}")
        finished = max(finished, int(portal.agency[LAMPS].name.rpartition(" ")[2]))
        for version in portal_folders.versions(town, TOWN):
            load_portal(version.folder)
    rename(town, "Dinas Terakhir", seen(town))
    assert named(town) == "Dinas Terakhir"
    assert list((town.home / "portals" / f"{TOWN}.versions").glob(".draft-*")) == []


def test_a_change_that_died_between_taking_a_folder_up_and_linking_it_is_found_again(town: Settings) -> None:
    store = town.home / "portals" / f"{TOWN}.versions"
    store.mkdir()
    (town.home / "portals" / TOWN).rename(store / "0001")
    assert named(town) == "Dinas Perhubungan"
    rename(town, "Dinas Lampu", seen(town))
    assert [one.number for one in portal_folders.versions(town, TOWN)] == [2, 1]


def test_versions_are_in_a_backup_and_go_on_where_it_is_restored(town: Settings, tmp_path: Path) -> None:
    rename(town, "Dinas Lampu", seen(town))
    other = Settings(home=tmp_path / "lain")
    with closing(Database(town.database)) as database:
        backup(database.engine, town.home, tmp_path / "aduan.zip", force=False, progress=lambda *_: None)
    with closing(Database(other.database)) as database:
        restore(database, other.home, tmp_path / "aduan.zip", replace=False, by="cli:root", progress=lambda *_: None)
    assert named(other) == "Dinas Lampu"
    assert seen(other) == seen(town)
    rename(other, "Dinas Terang", seen(other))
    assert [one.what for one in portal_folders.versions(other, TOWN)][:1] == [
        "Dinas Lampu berganti nama menjadi Dinas Terang."
    ]
    assert named(other) == "Dinas Terang"


@pytest.fixture
def served(towns: Path, tmp_path: Path) -> Settings:
    """A home whose registry may be changed, without a folder of its own."""
    shutil.copytree(towns, tmp_path / "home" / "registry", symlinks=True)
    return Settings(home=tmp_path / "home")


def test_the_first_change_of_a_portal_that_is_only_in_its_release_begins_a_folder(served: Settings) -> None:
    release = champions(served.registry)[TOWN]
    rename(served, "Dinas Lampu", seen(served))
    assert named(served) == "Dinas Lampu"
    assert [(one.number, one.by) for one in portal_folders.versions(served, TOWN)] == [(2, "user:sari"), (1, "")]
    portal_folders.restore(served, TOWN, 1, seen(served), "user:sari")
    assert named(served) == "Dinas Perhubungan"
    assert champion(served.registry, TOWN).portal.agency[LAMPS].name == "Dinas Perhubungan"
    assert faults(served.registry / release) == []


def test_numbers_come_into_force_without_a_training_whatever_else_waits(served: Settings) -> None:
    before = champion(served.registry, TOWN)
    assert publish_contacts(served.registry, portal_folders.described(served, TOWN), "user:sari") is None
    rename(served, "Dinas Lampu", seen(served))
    contacts = on_folder(
        lambda files: editing.set_contacts(files, [{"name": "Polisi", "number": "110", "certainty": "B"}])
    )
    portal_folders.change(served, TOWN, seen(served), contacts, by="user:sari")
    event = publish_contacts(served.registry, portal_folders.described(served, TOWN), "user:sari")
    assert event is not None
    assert (event.action, event.previous, event.by) == ("promote", before.id, "user:sari")
    after = champion(served.registry, TOWN)
    assert [one.number for one in after.portal.emergency_contacts] == ["110"]
    assert after.portal.agency[LAMPS].name == "Dinas Perhubungan"
    complaint = Complaint(text="lampu jalan mati depan pasar")
    assert router_of(after).suggest(complaint).agencies == router_of(before).suggest(complaint).agencies
    rollback(served.registry, TOWN)
    assert champion(served.registry, TOWN).id == before.id


def test_names_come_into_force_without_a_training_but_new_classes_do_not(served: Settings) -> None:
    rename(served, "Dinas Lampu", seen(served))
    publish_portal(served.registry, TOWN, portal_folders.described(served, TOWN), "user:sari")
    in_force = champion(served.registry, TOWN)
    assert in_force.portal.agency[LAMPS].name == "Dinas Lampu"
    assert in_force.id == history(served.registry)[-1].release
    more = on_folder(lambda files: editing.add_agency(files, {**DETAILS, "name": "Dinas Taman"}))
    portal_folders.change(served, TOWN, seen(served), more, by="user:sari")
    described = load_portal(portal_folders.described(served, TOWN))
    assert needs_training(in_force.portal, described)
    assert differences(in_force.portal, described) == ["Instansi baru: Dinas Taman."]
    with pytest.raises(PortalError, match="setelah pelatihan berikutnya"):
        publish_portal(served.registry, TOWN, portal_folders.described(served, TOWN), "user:sari")
    assert champion(served.registry, TOWN).id == in_force.id


def test_nothing_is_put_under_a_model_that_is_not_there(town: Settings) -> None:
    folder = portal_folders.described(town, TOWN)
    assert publish_contacts(town.registry, folder, "") is None
    with pytest.raises(ReleaseError, match="Belum ada rilis"):
        publish_portal(town.registry, TOWN, folder, "")


def test_portals_are_known_by_their_releases_and_folders(served: Settings, denpasar: Path) -> None:
    assert portal_folders.known_portals(served) == {"kota-besar": "Kota Besar", TOWN: "Kota Kecil"}
    version = portal_folders.adopt(served, "denpasar", denpasar, "user:sari")
    assert version is not None
    assert portal_folders.known_portals(served)["denpasar"] == "Pro Denpasar"
    assert sorted(path.name for path in portal_folders.described(served, "denpasar").iterdir()) == sorted(
        name for name in (*PORTAL_FILES, *OPTIONAL_PORTAL_FILES) if (denpasar / name).exists()
    )
    portal_folders.check_known(served, "denpasar")
    with pytest.raises(NoPortalFolderError, match=r"badung tidak dikenal.*denpasar, kota-besar, kota-kecil"):
        portal_folders.check_known(served, "badung")
    with pytest.raises(PortalChangedError):
        portal_folders.adopt(served, "denpasar", denpasar, "user:sari")
