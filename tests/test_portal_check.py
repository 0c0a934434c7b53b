"""What stands in the way of using a portal folder is found, graded, and said with its place."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router_model.landmark import Landmark
from router_model.office_calendar import CalendarDay
from router_model.portal import Agency, EmergencyContact, Portal, load_portal
from router_model.rules import Rule
from service.cli import app
from training.portal_check import GRADES, Lack, lacks
from training.portal_derivation import derive_from_names

TODAY = date(2026, 11, 22)


def found(portal: Portal) -> dict[str, Lack]:
    return {lack.code: lack for lack in lacks(portal, TODAY)}


def each(portal: Portal, change: Callable[[Agency], Agency | None]) -> Portal:
    changed = (change(agency) for agency in portal.agencies)
    return replace(portal, agencies=tuple(agency for agency in changed if agency))


def without(portal: Portal, *codes: str) -> Portal:
    return replace(each(portal, lambda agency: None if agency.code in codes else agency), successions=(), rules=())


def test_the_gravest_stand_first_and_each_says_where_and_what_to_do(portal: Portal) -> None:
    told = lacks(replace(portal, timezone="Asia/Denpasar", emergency_contacts=()), TODAY)
    grades = [GRADES.index(lack.grade) for lack in told]
    assert grades == sorted(grades)
    assert [lack.code for lack in told if lack.grade == "harus"] == ["timezone", "emergency_none"]
    assert all(lack.where and lack.told and lack.todo for lack in told)


def test_denpasar_lacks_nothing_it_must_have(portal: Portal) -> None:
    assert [lack.code for lack in lacks(portal, TODAY) if lack.grade == "harus"] == []


@pytest.mark.parametrize(
    ("certainties", "code", "grade"),
    [("", "emergency_none", "harus"), ("DD", "emergency_unproven", "harus"), ("AD", "emergency_doubtful", "sebaiknya")],
)
def test_emergency_numbers_must_be_there_and_one_of_them_verified(
    portal: Portal, certainties: str, code: str, grade: str
) -> None:
    contacts = tuple(EmergencyContact(f"Nomor {n}", f"11{n}", letter) for n, letter in enumerate(certainties))
    lack = found(replace(portal, emergency_contacts=contacts))[code]
    assert lack.grade == grade
    assert lack.examples == tuple(f"Nomor {n}: 11{n}" for n, letter in enumerate(certainties) if letter == "D")


def test_verified_emergency_numbers_are_not_spoken_of(portal: Portal) -> None:
    told = found(replace(portal, emergency_contacts=(EmergencyContact("Darurat", "112", "A"),)))
    assert not any(code.startswith("emergency") for code in told)


@pytest.mark.parametrize(
    ("deadlines", "told"),
    [
        ({}, {"deadline_none": ()}),
        ("lima hari", {"deadline_none": ()}),
        (
            {
                "pengaduan": {"working_days": 14, "source": "Perwali 1/2020", "certainty": "A"},
                "informasi": {"working_days": 5, "certainty": "A"},
                "aspirasi": {"working_days": 5, "source": "kebiasaan"},
            },
            {"deadline_absent": ("pengawasan",), "deadline_source": ("informasi",), "deadline_doubtful": ("aspirasi",)},
        ),
    ],
)
def test_deadlines_must_be_there_for_each_report_type_with_their_source(
    portal: Portal, deadlines: object, told: dict[str, tuple[str, ...]]
) -> None:
    lacking = found(replace(portal, settings={**portal.settings, "deadlines": deadlines}))
    assert {code: lack.examples for code, lack in lacking.items() if code.startswith("deadline")} == told


def test_a_government_without_a_health_office_cannot_go_live(portal: Portal) -> None:
    assert "matter_harus" not in found(portal)
    assert found(without(portal, "dinkes"))["matter_harus"].examples == ("Kesehatan",)


def test_an_office_of_another_government_does_not_stand_in_for_one_of_ones_own(portal: Portal) -> None:
    assert "disdikpora-bali" in portal.agency
    assert found(without(portal, "dikpora"))["matter_harus"].examples == ("Pendidikan",)


def test_without_an_inspectorate_complaints_about_staff_would_reach_the_accused(portal: Portal) -> None:
    assert "supervision" not in found(portal)
    assert found(without(portal, "inspektorat"))["supervision"].grade == "harus"


def test_a_portal_that_knows_no_other_body_closes_the_door(portal: Portal) -> None:
    alone = each(portal, lambda agency: None if agency.external else agency)
    assert found(alone)["outside_none"].grade == "harus"
    assert "outside_channel" not in found(alone)


def test_other_bodies_without_a_channel_are_named(portal: Portal) -> None:
    named = found(portal)["outside_channel"].examples
    assert portal.agency["bpn"].name in named
    assert portal.agency["pln"].name not in named


def test_an_agency_nobody_can_reach_is_told_apart_from_one_that_only_has_its_name(portal: Portal) -> None:
    mute = each(portal, lambda agency: replace(agency, responsibilities="") if agency.code == "dinkes" else agency)
    hermit = Agency("menara", "Badan Menara", "badan", source="-", certainty="A")
    told = found(replace(mute, agencies=(*mute.agencies, hermit)))
    assert told["responsibilities"].examples == (portal.agency["dinkes"].name,)
    assert told["agency_unreachable"].examples == ("Badan Menara",)
    assert told["agency_category"].examples == ("Badan Menara",)


def test_categories_that_anyone_may_own_are_noted(portal: Portal) -> None:
    free = tuple(replace(c, units=frozenset()) if c.code == "rabies" else c for c in portal.categories)
    assert found(replace(portal, categories=free))["category_anyone"].examples == ("Rabies",)
    assert found(replace(portal, categories=()))["category_none"].grade == "sebaiknya"


def test_a_village_without_an_office_is_named_and_one_with_it_is_not(portal: Portal) -> None:
    assert "place_alone" not in found(portal)
    assert found(without(portal, "kel-renon"))["place_alone"].examples == ("51.71.01.1005 Renon",)


def test_villages_may_all_be_their_districts_but_a_district_nobody_serves_is_named(portal: Portal) -> None:
    districts = {"kec-denpasar-selatan", "kec-denpasar-timur", "kec-denpasar-barat", "kec-denpasar-utara"}
    only = each(portal, lambda a: a if a.code in districts or not a.territorial else None)
    assert "place_alone" not in found(only)
    told = found(without(only, "kec-denpasar-utara"))["place_alone"].examples
    assert len(told) == 12
    assert told[0] == "51.71.04 Denpasar Utara"


def test_an_empty_territory_is_grave_only_where_offices_are_found_by_place(portal: Portal) -> None:
    assert found(replace(portal, places=()))["territory_none"].grade == "harus"
    flat = each(portal, lambda agency: None if agency.territorial else agency)
    assert found(replace(flat, places=()))["territory_none"].grade == "sebaiknya"


def test_offices_without_a_territory_and_codes_of_another_form_are_named(portal: Portal) -> None:
    odd = tuple(replace(place, code="renon") if place.name == "Renon" else place for place in portal.places)
    told = found(replace(portal, places=odd))
    assert told["territory_code"].examples == ("renon Renon",)
    assert portal.agency["adat-renon"].name in told["office_nowhere"].examples
    assert portal.agency["kel-panjer"].name not in told["office_nowhere"].examples


def test_facts_that_nobody_verified_are_named_where_they_decide(portal: Portal) -> None:
    guessed = replace(portal.successions[0], certainty="D")
    rules = tuple(Rule(f"aturan-{letter}", "Alasan.", agency="dishub", certainty=letter) for letter in "AD")
    marks = tuple(Landmark(f"Pasar {letter}", "tempat", "51.71.01", certainty=letter) for letter in "BD")
    told = found(replace(portal, successions=(guessed,), rules=rules, landmarks=marks))
    assert told["doubtful_rules"].examples == ("aturan-D",)
    assert told["doubtful_landmarks"].examples == ("Pasar D",)
    assert told["doubtful_successions"].examples == ("bpbd ke damkar",)
    assert portal.agency["pln"].name in told["doubtful_agencies"].examples
    assert portal.agency["dishub"].name not in told["doubtful_agencies"].examples


def test_a_rule_that_another_always_precedes_and_one_that_is_over_are_named(portal: Portal) -> None:
    wide = Rule("lebar", "Semua lampu.", words=("lampu", "tiang"), agency="dishub", certainty="A")
    narrow = replace(wide, code="sempit", words=("lampu",), categories=("penerangan-jalan-umum",), agency="pupr")
    over = replace(wide, code="lewat", words=("got",), until=date(2025, 1, 1))
    lasting = replace(wide, code="berlaku", words=("got",), until=TODAY)
    told = found(replace(portal, rules=(wide, narrow, over, lasting)))
    assert told["rule_covered"].examples == ("sempit (didahului lebar)",)
    assert told["rule_past"].examples == ("lewat",)
    assert "rule_covered" not in found(replace(portal, rules=(narrow, wide, over)))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"without": ("provinsi",)}, {}),
        ({"since": date(2026, 1, 1)}, {}),
        ({"until": date(2026, 1, 1)}, {}),
        ({"report_types": ("pengaduan",)}, {}),
        ({"places": ("51.71.01",)}, {"places": ("51.71.02",)}),
    ],
)
def test_a_rule_that_leaves_complaints_to_the_next_does_not_cover_it(
    portal: Portal, earlier: dict[str, object], later: dict[str, object]
) -> None:
    first = Rule("satu", "Alasan.", words=("lampu",), agency="dishub", certainty="A")
    second = replace(first, code="dua", agency="pupr")
    rules = (replace(first, **earlier), replace(second, **later))  # type: ignore[arg-type]
    assert "rule_covered" not in found(replace(portal, rules=rules))


def test_a_year_without_joint_leave_is_told_when_deadlines_reach_into_it(portal: Portal) -> None:
    def told(day: date, *free: date) -> list[str]:
        known = replace(portal, calendar=tuple(CalendarDay(one, "libur", "Cuti bersama") for one in free))
        return [lack.told for lack in lacks(known, day) if lack.code == "calendar_leave"]

    assert told(date(2026, 12, 1)) == []
    assert "Cuti bersama tahun 2099 belum dikenal" in told(date(2098, 12, 1))[0]
    assert told(date(2098, 12, 1), date(2098, 12, 24)) != []
    assert told(date(2098, 12, 1), date(2099, 1, 2)) == told(date(2026, 6, 1)) == []


def test_an_agency_that_ended_without_an_heir_is_named(portal: Portal) -> None:
    ended = each(portal, lambda a: replace(a, valid_to="2025-01-01") if a.code == "balitbang" else a)
    assert found(ended)["succession_lost"].examples == (portal.agency["balitbang"].name,)
    heir = replace(portal.successions[0], agency="balitbang", successor="bappeda", categories=frozenset())
    part = replace(heir, categories=frozenset({"penelitian-dan-inovasi"}))
    assert "succession_lost" in found(replace(ended, successions=(*portal.successions, part)))
    assert "succession_lost" not in found(replace(ended, successions=(*portal.successions, heir)))


def aduan(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["portal", "check", *map(str, words)], env={"COLUMNS": "200"})


def test_the_command_ends_well_only_where_nothing_must_be_mended(denpasar: Path, tmp_path: Path) -> None:
    outcome = aduan(denpasar)
    assert outcome.exit_code == 0
    assert "Tidak ada yang menghalangi pemakaian." in outcome.stdout
    folder = Path(shutil.copytree(denpasar, tmp_path / "portal"))
    settings = (folder / "portal.toml").read_text("utf-8")
    (folder / "portal.toml").write_text(settings.split("[[emergency_contacts]]", 1)[0], "utf-8")
    outcome = aduan(folder)
    assert outcome.exit_code == 1
    assert "Belum siap dipakai. 1 harus diselesaikan" in outcome.stdout
    assert "1. Tidak ada nomor darurat. (harus; portal.toml, [[emergency_contacts]])" in outcome.stdout


def test_programs_read_the_same_as_json(denpasar: Path, portal: Portal) -> None:
    told = json.loads(aduan(denpasar, "--json").stdout)
    assert told == json.loads(json.dumps([asdict(lack) for lack in lacks(portal, date.today())]))


def test_a_folder_from_a_list_of_names_is_told_all_that_names_cannot_say(tmp_path: Path) -> None:
    names = ["Dinas Kesehatan", "Dinas Pendidikan", "Kelurahan Sukamaju"]
    derive_from_names(names, [("Sukamaju", "Kota Baru")], tmp_path / "kota", "Kota")
    told = found(load_portal(tmp_path / "kota"))
    assert {"emergency_none", "deadline_none", "matter_harus", "supervision", "outside_none"} <= told.keys()
    assert {"Kesehatan", "Pendidikan"}.isdisjoint(told["matter_harus"].examples)
    assert "Sosial" in told["matter_harus"].examples
    assert told["territory_code"].examples != ()
    silent = {
        name for code in ("responsibilities", "agency_unreachable") if code in told for name in told[code].examples
    }
    assert set(names) <= silent
