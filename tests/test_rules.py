"""What the people of a portal know of who has a matter: written in rules.csv, applied after the model."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from router_model.complaint import Complaint
from router_model.errors import PortalError
from router_model.place import FoundPlace, PlaceFinder
from router_model.portal import Portal, load_portal
from router_model.rulebook import Answers, Rulebook
from router_model.rules import PRIOR_WEIGHT, Rule, Tally

AGENCIES = """code,name,short_name,kind,external,aliases,channel,territory,valid_to
dishub,Dinas Perhubungan,Dishub,dinas,,,,,
pu,Dinas Pekerjaan Umum,PU,dinas,,Perhubungan,,,
pu-lama,Dinas Kimpraswil,,dinas,,,,,2010-01-01
buyar,Dinas Buyar,,dinas,,,,,2010-01-01
inspektorat,Inspektorat,,inspektorat,,,,,
provinsi,Dinas Jalan Provinsi,,provinsi,ya,,112,,
kel-melati,Kelurahan Melati,,kelurahan,,Lurah Melati,,1,
kel-mawar,Kelurahan Mawar,,kelurahan,,Lurah Mawar,,2,
"""
CATEGORIES = """code,name,parent
jalan,Jalan,
lubang,Jalan berlubang,jalan
trotoar,Trotoar,jalan
pungli,Pungutan liar,
"""
HEADER = (
    "code,words,without,categories,agencies,report_types,places,from,to,agency,never,reason,certainty,source,note\n"
)
Build = Callable[..., Portal]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Loads a small portal folder with the given rows of `rules.csv`; one of them is on line 2."""

    def load(rules: str = "", header: str = HEADER) -> Portal:
        files = {
            "portal.toml": 'code = "uji"\nname = "Uji"\ngovernment = "Uji"\ntimezone = "Asia/Jakarta"\n'
            'territorial_kinds = ["kelurahan"]\n',
            "agencies.csv": AGENCIES,
            "categories.csv": CATEGORIES,
            "urgency.csv": "code,name\ndarurat,D\ntinggi,T\nsedang,S\nrendah,R\n",
            "territory.csv": "code,name,kind,district_code\n9,Taman Bunga,kecamatan,\n1,Melati,kelurahan,9\n"
            "2,Mawar,kelurahan,9\n",
            "successions.csv": "agency,successor,from,categories\npu-lama,pu,2010-01-01,\n",
            "rules.csv": header + rules,
        }
        for name, content in files.items():
            (tmp_path / name).write_text(content, "utf-8")
        return load_portal(tmp_path)

    return load


def refused(build: Build, rules: str, header: str = HEADER) -> str:
    with pytest.raises(PortalError) as caught:
        build(rules, header)
    return str(caught.value)


def row(**cells: str) -> str:
    """A row that says enough, but for what is changed."""
    usual = {"code": "a", "words": "jalan cempaka", "agency": "pu", "reason": "Jalan ini milik kota."}
    return ",".join((usual | cells).get(column, "") for column in HEADER.strip().split(",")) + "\n"


def fits(
    portal: Portal,
    text: str = "",
    answers: Answers | None = None,
    place: FoundPlace | None = None,
    day: date | None = None,
    **fields: str,
) -> dict[str, float]:
    """The rules that fit, with the probability of their conditions."""
    received = datetime(day.year, day.month, day.day, 23, 59) if day else None
    complaint = Complaint(text, received_at=received, **fields)
    return {fit.rule.code: fit.p for fit in Rulebook(portal).fitting(complaint, answers or {}, place)}


def with_rule(**values: Any) -> Portal:
    """A portal of nothing but one rule, which fits every complaint that says so."""
    portal = Portal("uji", "Uji", "Uji", "Asia/Jakarta", (), (), ())
    return replace(portal, rules=(Rule(**({"code": "a", "reason": "Begitu."} | values)),))


def test_a_row_is_read_with_all_its_conditions_and_what_follows(build: Build) -> None:
    rule = build(
        row(
            words="cempaka+aspal;dahlia",
            without="gang",
            categories="jalan;pungli",
            agencies="@kelurahan;pu",
            report_types="pengaduan",
            places="1;9",
            never="@disebut;provinsi",
            certainty="B",
            source="koran",
            note="catatan",
            to="2025-12-31",
        ).replace("1;9,,", "1;9,2025-01-01,")
    ).rules[0]
    assert (rule.words, rule.without) == (("cempaka+aspal", "dahlia"), ("gang",))
    assert (rule.categories, rule.agencies, rule.places) == (("jalan", "pungli"), ("@kelurahan", "pu"), ("1", "9"))
    assert (rule.since, rule.until) == (date(2025, 1, 1), date(2025, 12, 31))
    assert (rule.agency, rule.never, rule.reason) == ("pu", ("@disebut", "provinsi"), "Jalan ini milik kota.")
    assert (rule.certainty, rule.source, rule.note, rule.where) == ("B", "koran", "catatan", "rules.csv baris 2")


def test_a_folder_without_the_file_has_no_rules_and_columns_may_be_left_out(build: Build, tmp_path: Path) -> None:
    assert build("a,dahlia,pu,Begitu.\n", "code,words,agency,reason\n").rules[0].words == ("dahlia",)
    (tmp_path / "rules.csv").unlink()
    assert load_portal(tmp_path).rules == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"code": ""}, "kolom code"),
        ({"reason": ""}, "kolom reason: tulis kalimat"),
        ({"words": ""}, "tanpa syarat"),
        ({"words": "", "without": "gang"}, "tanpa syarat"),
        ({"agency": ""}, "tanpa akibat"),
        ({"agency": "dpu"}, "kolom agency: 'dpu' tidak ada di agencies.csv"),
        ({"agency": "@desa"}, "kolom agency: '@desa' tidak ada"),
        ({"agency": "buyar"}, "kolom agency: 'buyar' tidak berlaku lagi"),
        ({"never": "pu"}, "kolom never: 'pu' juga tujuan"),
        ({"never": "dpu"}, "kolom never: 'dpu' tidak ada"),
        ({"agencies": "dpu"}, "kolom agencies: 'dpu' tidak ada"),
        ({"categories": "lobang"}, "kolom categories: 'lobang' tidak ada"),
        ({"report_types": "keluhan"}, "kolom report_types: 'keluhan' tidak ada"),
        ({"places": "3"}, "kolom places: '3' tidak ada di territory.csv"),
        ({"words": "cempaka+"}, "kolom words: 'cempaka+' memuat bagian tanpa kata"),
        ({"without": "???"}, "kolom without: '???'"),
        ({"certainty": "E"}, "kolom certainty: 'E'"),
        ({"from": "2025-02-30"}, "kolom from: '2025-02-30' bukan tanggal"),
        ({"from": "2025-02-02", "to": "2025-02-01"}, "kolom to: 2025-02-01 sebelum from (2025-02-02)"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_line_and_column(
    build: Build, changed: dict[str, str], told: str
) -> None:
    message = refused(build, row(**changed))
    assert "rules.csv baris 2" in message
    assert told in message


def test_two_rules_of_one_code_and_headers_that_nobody_knows_are_refused(build: Build) -> None:
    assert "rules.csv baris 3, kolom code: 'a'" in refused(build, row() + row(words="dahlia"))
    misspelled = HEADER.replace("report_types", "report_type")
    assert "rules.csv, kolom report_type: tidak dikenal" in refused(build, row(), misspelled)


def test_a_rule_for_a_body_that_ended_is_one_for_its_heir(build: Build) -> None:
    rule = build(row(agency="pu-lama", never="dishub", agencies="pu-lama")).rules[0]
    assert (rule.agency, rule.agencies, rule.never) == ("pu", ("pu",), ("dishub",))


@pytest.mark.parametrize(
    ("words", "without", "text", "fitting"),
    [
        ("jalan cempaka", "", "Jl. Cempaka berlubang", True),
        ("jalan cempaka", "", "jln cempaka2 rusak", True),
        ("jalan cempaka", "", "jalan bunga cempaka", False),
        ("jalan cempaka", "", "cempakawati", False),
        ("dahlia;jalan cempaka", "", "di JALAN CEMPAKA!", True),
        ("cempaka+aspal", "", "aspal di ujung cempaka", True),
        ("cempaka+aspal", "", "cempaka", False),
        ("cempaka+aspal;dahlia", "", "dahlia", True),
        ("cempaka", "gang", "cempaka gg. 3", False),
        ("cempaka", "gang+sempit", "cempaka gg. 3", True),
        ("cempaka", "", "kepada yang terhormat cempaka, ada lubang", False),
    ],
)
def test_phrases_stand_in_the_text_word_for_word_however_they_are_spelled(
    words: str, without: str, text: str, fitting: bool
) -> None:
    portal = with_rule(words=tuple(words.split(";")), without=tuple(filter(None, without.split(";"))), agency="pu")
    assert bool(fits(portal, text)) == fitting


def test_words_are_looked_for_in_title_text_and_address_but_not_across_them() -> None:
    portal = with_rule(words=("jalan cempaka",), agency="pu")
    assert fits(portal, title="jalan cempaka")
    assert fits(portal, address="Jalan Cempaka")
    assert not fits(portal, "cempaka", title="jalan")
    assert not fits(portal, village="jalan cempaka")


@pytest.mark.parametrize(
    ("since", "until", "day", "holds"),
    [
        (None, None, None, True),
        (date(2025, 1, 1), None, None, True),
        (None, date(2025, 1, 1), None, False),
        (date(2025, 1, 1), date(2025, 1, 31), date(2024, 12, 31), False),
        (date(2025, 1, 1), date(2025, 1, 31), date(2025, 1, 1), True),
        (date(2025, 1, 1), date(2025, 1, 31), date(2025, 1, 31), True),
        (date(2025, 1, 1), date(2025, 1, 31), date(2025, 2, 1), False),
    ],
)
def test_a_rule_holds_from_its_first_to_its_last_day(
    since: date | None, until: date | None, day: date | None, holds: bool
) -> None:
    portal = with_rule(words=("cempaka",), agency="pu", since=since, until=until)
    assert bool(fits(portal, "cempaka", day=day)) == holds


@pytest.mark.parametrize(
    ("answers", "p"),
    [
        ({}, None),
        ({"category": {"lubang": 0.49}}, None),
        ({"category": {"lubang": 0.5}}, 0.5),
        ({"category": {"lubang": 0.3, "trotoar": 0.4, "pungli": 0.3}}, 0.7),
        ({"category": {"lubang": 0.6, "trotoar": 0.5}}, 1.0),
    ],
)
def test_a_condition_on_the_category_holds_where_its_branch_is_likelier_than_not(
    build: Build, answers: Answers, p: float | None
) -> None:
    found = fits(build(row(words="", categories="jalan")), "apa saja", answers)
    assert found == ({} if p is None else {"a": pytest.approx(p)})


def test_conditions_on_several_answers_must_all_hold_and_multiply(build: Build) -> None:
    portal = build(row(words="", categories="pungli", report_types="pengawasan", agencies="@kelurahan"))
    answers: Mapping[str, Mapping[str, float]] = {
        "category": {"pungli": 0.8},
        "report_type": {"pengawasan": 0.5},
        "agency": {"@kelurahan": 0.9},
    }
    assert fits(portal, "x", answers) == {"a": pytest.approx(0.36)}
    assert fits(portal, "x", {**answers, "report_type": {"pengaduan": 1.0}}) == {}
    assert fits(portal, "x", {**answers, "agency": {"pu": 1.0}}) == {}


def test_a_place_is_the_one_acted_on_or_its_district(build: Build) -> None:
    def at(portal: Portal, village: str) -> dict[str, float]:
        place = PlaceFinder(portal).find(Complaint("", village=village))
        return fits(portal, "x", place=place)

    village, district = build(row(words="", places="1")), build(row(words="", places="9"))
    found = PlaceFinder(village).find(Complaint("", village="Melati"))
    assert found and found.p < 1
    assert at(village, "Melati") == at(district, "Melati") == {"a": found.p}
    assert at(village, "Mawar") == fits(village, "x") == {}


def test_the_portals_order_is_kept(build: Build) -> None:
    rules = row(code="b") + row(code="a", words="cempaka") + row(code="c", words="dahlia")
    assert list(fits(build(rules), "lubang di jalan cempaka")) == ["b", "a"]


def test_bodies_are_known_by_name_short_name_alias_and_what_their_offices_are_called(build: Build) -> None:
    rulebook = Rulebook(build())

    def named(text: str, title: str = "") -> set[str]:
        return set(rulebook.named(Complaint(text, title=title)))

    assert named("oknum Dishub minta uang") == {"dishub"}
    assert named("pegawai dinas perhubungan") == {"dishub"}
    assert named("pegawai dinas perhubungan", title="PU") == {"dishub", "pu"}
    assert named("staf lurah melati") == {"kel-melati"}
    assert named("pak lurah minta uang") == {"@kelurahan"}
    assert named("di jalan melati") == set()


def test_what_a_rule_was_right_about_adds_up_and_is_drawn_to_the_prior() -> None:
    assert Tally().precision(0.9) == pytest.approx(0.9)
    assert Tally(10, 0, 10.0).precision(0.8) == pytest.approx(0.4)
    certain = Tally(1000, 900, 1000.0)
    assert certain.precision(0.5) == pytest.approx(0.9, abs=PRIOR_WEIGHT / 1000)
    half_sure = Tally(1000, 400, 500.0)
    assert half_sure.precision(0.8) == pytest.approx(0.8)
    assert Tally(10, 10, 5.0).precision(1.0) == 1.0
