"""Whether two complaints are the same one sent again, a campaign, or about the same thing: signatures and spots."""

import csv
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_model.complaint import Complaint
from router_model.errors import PortalError
from router_model.place import PlaceFinder
from router_model.point import MOST_METRES, Point, cells, metres, point_of
from router_model.portal import Portal, load_portal
from router_model.resemblance import (
    BANDS,
    MOST_KEYS,
    SKETCH,
    Kind,
    Reported,
    Signature,
    keys_of,
    resembling,
    signature_of,
    similarity,
    text_key,
)
from router_model.resemblance_limits import ResemblanceLimits
from router_model.spots import GANG, ROAD, Spot, differ, hashed, kind_of, spots_in
from router_model.tokens import tokens

CASES = Path(__file__).parent / "data" / "resemblance_cases.csv"
DAY = datetime(2026, 3, 1, 8)
LIMITS = ResemblanceLimits()
PETITION = (
    "Kami menolak rencana pembangunan hotel di tepi pantai karena merusak terumbu karang, menutup jalan nelayan dan "
    "belum pernah dibicarakan dengan warga sekitar"
)
HERE = Point(-8.6705, 115.2126)
VOCABULARY = ("lampu", "jalan", "mati", "gelap", "got", "air", "sampah", "pohon", "bau", "lubang", "rusak", "banjar")
WORDS = st.lists(st.sampled_from(VOCABULARY), max_size=90)


def signed(text: str, **fields: str) -> Signature:
    found = signature_of(Complaint(text=text, **fields))
    assert found
    return found


def said(
    text: str,
    days: float = 0,
    category: str = "lampu",
    sender: str = "",
    point: Point | None = None,
    **fields: str,
) -> Reported:
    return Reported(signed(text, **fields), DAY + timedelta(days=days), category, sender, point)


def moved(point: Point, north: float, east: float = 0) -> Point:
    """So many metres away, as coarse as points are."""
    found = point_of(point.lat + north / 111_195, point.lon + east / 109_900)
    assert found
    return found


def kinds(new: Reported, *earlier: Reported, limits: ResemblanceLimits = LIMITS) -> list[str]:
    return [item.kind.value for item in resembling(new, earlier, limits)]


def named(text: str, *, is_address: bool = False) -> list[str]:
    words = tokens(text)
    return [
        text[words[item.first].start : words[item.last - 1].end]
        for item in spots_in(text, words, is_address=is_address)
    ]


def cases(portal: Portal, half: str) -> Iterator[tuple[str, str]]:
    """What a pair is, and what was found."""
    finder = PlaceFinder(portal)
    with CASES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["half"] != half:
                continue
            two = []
            for side, days in (("a", 0), ("b", int(row["days"]))):
                texts = {"address": row[f"address_{side}"], "village": row[f"village_{side}"]}
                complaint = Complaint(text=row[f"text_{side}"], **texts)
                signature = signature_of(complaint, finder.find(complaint))
                assert signature
                point = point_of(*map(float, row[f"point_{side}"].split())) if row[f"point_{side}"] else None
                two.append(Reported(signature, DAY + timedelta(days=days), row[f"category_{side}"], point=point))
            found = kinds(two[1], two[0]) if {*keys_of("p", two[0])} & {*keys_of("p", two[1])} else []
            yield row["kind"], found[0] if found else "different"


@pytest.mark.parametrize("half", ["tune", "test"])
def test_the_kinds_are_told_apart_on_our_own_pairs(portal: Portal, half: str) -> None:
    """The `test` half was not looked at while the rules were made."""
    told = Counter(cases(portal, half))
    for kind in ("resent", "same_object"):
        right = told[kind, kind]
        precision = right / sum(count for (_, found), count in told.items() if found == kind)
        recall = right / sum(count for (true, _), count in told.items() if true == kind)
        assert precision >= 0.9 and recall >= 0.8, (kind, precision, recall, told)


@pytest.mark.parametrize(
    ("text", "spots"),
    [
        ("Lampu mati di Jl. Hayam Wuruk No. 12", ["Jl. Hayam Wuruk", "No. 12"]),
        ("jl mawar gang 3 rt 02 gelap", ["jl mawar", "gang 3", "rt 02"]),
        ("jalan rusak parah depan banjar", []),
        ("got di depan Br. Kaja meluap", ["Br. Kaja"]),
        ("Jl Tukad Badung XX no 7", ["Jl Tukad Badung", "XX", "no 7"]),
        ("di jalan. Mohon diperbaiki", []),
        ("Tumpukan di Pasar Kumbasari, bau", ["Pasar Kumbasari"]),
    ],
)
def test_spots_are_named_roads_numbers_and_landmarks(text: str, spots: list[str]) -> None:
    assert sorted(named(text)) == sorted(spots)


def test_an_address_may_leave_out_the_word_for_a_road() -> None:
    assert named("Kerta Petasikan 12, Sidakarya", is_address=True) == ["12", "Kerta Petasikan"]
    assert named("Kerta Petasikan 12, Sidakarya") == []


def test_spots_of_one_kind_with_other_names_rule_each_other_out() -> None:
    road, other, gang = Spot(kind_of(ROAD), 1, 2), Spot(kind_of(ROAD), 1, 3), Spot(kind_of(GANG), 1)
    assert differ([road], [other])
    assert not differ([road], [gang])
    assert not differ([road], [replace_second(road)])
    assert not differ([road, other], [other])
    assert not differ([], [road])


def replace_second(spot: Spot) -> Spot:
    return Spot(spot.kind, spot.first)


def test_the_same_words_again_are_sent_again_whatever_is_added_in_politeness() -> None:
    text = "Lampu jalan di depan sekolah mati sejak Senin sehingga anak pulang dalam gelap"
    (found,) = resembling(said(f"{text}. Terima kasih"), [said(text)], LIMITS)
    assert (found.number, found.kind) == (0, Kind.RESENT)
    assert found.similarity == 1
    (found,) = resembling(said(text.replace("Senin", "kemarin")), [said(text)], LIMITS)
    assert 0.7 < found.similarity < 1
    assert kinds(said(text, days=LIMITS.days + 0.1), said(text)) == []


def test_a_few_words_are_the_same_only_where_place_or_sender_is() -> None:
    assert kinds(said("lampu mati"), said("lampu mati")) == []
    assert kinds(said("lampu mati", village="Ubung"), said("lampu mati", village="Ubung")) == ["resent"]
    assert kinds(said("lampu mati", village="Ubung"), said("lampu mati", village="Renon")) == []
    assert kinds(said("lampu mati", sender="x"), said("lampu mati", sender="x")) == ["resent"]
    assert kinds(said("lampu mati", sender="x"), said("lampu mati", sender="y")) == []


def test_many_senders_of_one_text_are_a_campaign_and_the_own_one_is_sent_again() -> None:
    others = [said(PETITION, sender=f"s{turn}") for turn in range(4)]
    assert kinds(said(PETITION, sender="s9"), *others) == ["campaign"] * 4
    assert kinds(said(PETITION, sender="s9"), *others[:3]) == ["resent"] * 3
    assert kinds(said(PETITION, sender="s0"), *others) == ["resent"] * 4
    more = [*others, said(PETITION, sender="s4")]
    found = resembling(said(PETITION, sender="s0"), more, LIMITS)
    assert [(item.number, item.kind.value) for item in found] == [
        (0, "resent"),
        *[(n, "campaign") for n in range(1, 5)],
    ]
    assert kinds(said(PETITION, sender="s9"), *others[:2], limits=replace(LIMITS, campaign=3)) == ["campaign"] * 2


def test_one_sender_of_many_copies_is_no_campaign() -> None:
    assert kinds(said(PETITION, sender="s"), *[said(PETITION, sender="s")] * 9) == ["resent"] * 9


def test_a_campaign_comes_from_many_villages_but_one_reporter_of_many_lamps_is_none() -> None:
    villages = ("Ubung", "Renon", "Panjer", "Sesetan", "Tonja")
    senders = [said(PETITION, sender=f"s{n}", village=village) for n, village in enumerate(villages)]
    assert kinds(said(PETITION, sender="s9", village="Kesiman"), *senders) == ["campaign"] * 5
    unknown = [said(PETITION, village=village) for village in villages]
    assert kinds(said(PETITION, village="Kesiman"), *unknown) == []


def test_other_words_about_the_same_lamp_are_about_the_same_thing() -> None:
    lamp = said("Lampu jalan mati di Jl. Hayam Wuruk No. 12")
    again = said("Sudah dua malam gelap di depan rumah", address="Jl. Hayam Wuruk 12")
    assert kinds(again, lamp) == ["same_object"]
    assert kinds(replace(again, category="pohon"), lamp) == []
    assert kinds(replace(again, category=""), replace(lamp, category="")) == []
    assert kinds(replace(again, at=DAY + timedelta(days=LIMITS.object_days + 1)), lamp) == []
    assert kinds(said("Gelap di depan rumah", address="Jl. Hayam Wuruk 90"), lamp) == []


def test_a_long_road_alone_needs_words_in_common() -> None:
    hole = said("Aspal berlubang di Jl. Imam Bonjol", category="jalan")
    assert kinds(said("Ada lubang di aspal Jl. Imam Bonjol arah kota", category="jalan"), hole) == ["same_object"]
    assert kinds(said("Kapan Jl. Imam Bonjol dilebarkan", category="jalan"), hole) == []


def test_points_near_each_other_are_one_spot_and_far_ones_are_two() -> None:
    lamp, other = said("Lampu padam di depan rumah", point=HERE), "Gelap sekali tiap malam"
    assert kinds(said(other), lamp) == []
    assert kinds(said(other, point=moved(HERE, 40)), lamp) == ["same_object"]
    assert kinds(said(other, point=moved(HERE, 90)), lamp) == []
    assert kinds(said(other, point=moved(HERE, 90)), lamp, limits=replace(LIMITS, metres=100)) == ["same_object"]
    elsewhere = said("Lampu padam di depan rumah", point=HERE, village="Renon")
    assert kinds(said(other, point=moved(HERE, 40), village="Ubung"), elsewhere) == []
    assert kinds(said("lampu mati", point=moved(HERE, 20)), said("lampu mati", point=HERE)) == ["resent"]


def test_the_same_words_from_far_apart_are_about_two_things() -> None:
    text = "Lampu jalan mati sudah seminggu sehingga gelap sekali"
    lamp = said(text, point=HERE)
    assert kinds(said(text), lamp) == kinds(said(text, point=moved(HERE, 450)), lamp) == ["resent"]
    assert kinds(said(text, point=moved(HERE, 550)), lamp) == []
    assert kinds(said(text, point=moved(HERE, 550)), lamp, limits=replace(LIMITS, metres=60)) == ["resent"]


def test_an_exact_place_in_words_counts_for_more_than_points() -> None:
    text = "Lampu jalan mati di Jl. Hayam Wuruk No. 12"
    far = moved(HERE, 3_000, 2_000)
    assert kinds(said(text, point=far), said(text, point=HERE)) == ["resent"]
    assert kinds(said("Gelap", address="Jl. Hayam Wuruk 12", point=far), said(text, point=HERE)) == ["same_object"]
    assert kinds(said("Gelap", address="Jl. Hayam Wuruk 90", point=HERE), said(text, point=HERE)) == []


def test_a_campaign_is_sent_from_where_its_senders_are() -> None:
    senders = [said(PETITION, sender=f"s{n}", point=moved(HERE, 1_000 * n)) for n in range(1, 6)]
    assert kinds(said(PETITION, sender="s9", point=HERE), *senders) == ["campaign"] * 5
    edited = said(PETITION.replace("warga", "penduduk"), sender="s9", point=HERE)
    assert kinds(edited, *senders) == ["campaign"] * 5
    unknown = [said(PETITION, point=moved(HERE, 1_000 * n)) for n in range(1, 6)]
    assert kinds(said(PETITION, point=HERE), *unknown) == []


def test_another_category_is_the_same_thing_only_at_an_exact_place_in_much_the_same_words() -> None:
    drain = said("Air got meluap ke badan jalan setiap hujan", address="Jl. Tukad Balian 21", category="drainase")
    road = said("Badan jalan tergenang air got yang meluap", address="Jl. Tukad Balian No. 21", category="jalan")
    assert kinds(road, drain) == kinds(replace(road, category=""), drain) == ["same_object"]
    assert kinds(said("Badan jalan tergenang air got yang meluap", address="Jl. Tukad Balian"), drain) == []
    assert kinds(said("Lampu jalan mati", address="Jl. Tukad Balian 21"), drain) == []
    near = said("Badan jalan tergenang air got yang meluap", point=moved(HERE, 30))
    assert kinds(near, said("Air got meluap ke badan jalan", category="drainase", point=HERE)) == ["same_object"]


def test_metres_are_those_of_the_earth() -> None:
    denpasar, surabaya = Point(-8.6705, 115.2126), Point(-7.2575, 112.7521)
    assert metres(denpasar, surabaya) == pytest.approx(312_500, rel=0.005)
    assert metres(denpasar, denpasar) == 0
    assert metres(Point(0, 179.9999), Point(0, -179.9999)) < 30


def test_points_are_no_finer_than_eleven_metres_and_no_device_stands_at_zero() -> None:
    assert point_of(-8.670512345, 115.212698765) == (-8.6705, 115.2127)
    assert point_of(0.0, 0.0) is point_of(None, 115.2) is point_of(-8.6, None) is None


@given(st.floats(-11, 6), st.floats(95, 141), st.floats(0, MOST_METRES), st.floats(0, 360))
def test_points_that_may_be_one_spot_share_a_cell(lat: float, lon: float, apart: float, way: float) -> None:
    one = Point(round(lat, 4), round(lon, 4))
    north, east = apart * math.cos(math.radians(way)), apart * math.sin(math.radians(way))
    other = Point(round(one.lat + north / 111_195, 4), round(one.lon + east / 111_195 / math.cos(math.radians(lat)), 4))
    if metres(one, other) <= MOST_METRES:
        assert {*cells(one)} & {*cells(other)}


@given(WORDS, WORDS)
def test_similarity_is_a_share_that_both_sides_agree_on(one: list[str], other: list[str]) -> None:
    ours, theirs = signature_of(Complaint(text=" ".join(one))), signature_of(Complaint(text=" ".join(other)))
    if ours is None or theirs is None:
        assert not one or not other
        return
    assert similarity(ours, theirs) == similarity(theirs, ours)
    assert 0 <= similarity(ours, theirs) <= 1
    assert similarity(ours, ours) == 1
    assert len(ours.sketch) <= SKETCH and list(ours.sketch) == sorted(ours.sketch)


@given(WORDS, st.text(max_size=20))
def test_equal_texts_always_share_a_key_and_other_portals_never_the_text(words: list[str], sender: str) -> None:
    signature = signature_of(Complaint(text=" ".join([*words, "lampu"])))
    assert signature
    keys, others = (keys_of(portal, Reported(signature, DAY, "x", sender, HERE)) for portal in ("p", "q"))
    assert BANDS < len(keys) <= MOST_KEYS
    assert text_key("p", signature) in keys
    assert text_key("p", signature) not in others
    assert all(-(2**31) <= key < 2**31 for key in keys)


def test_of_texts_that_are_nearly_the_same_nearly_all_share_a_key() -> None:
    words = [f"kata{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200)]
    pairs = [(words[n : n + 40], [*words[n : n + 36], "lain", "sekali", "pula", "nanti"]) for n in range(0, 150)]
    shared = [
        bool({*keys_of("p", said(" ".join(one)))} & {*keys_of("p", said(" ".join(other)))}) for one, other in pairs
    ]
    assert sum(shared) > 0.95 * len(pairs)


def test_hashes_are_the_same_in_every_process() -> None:
    assert hashed("lampu") == 1445288193
    assert signed("lampu jalan mati").sketch == signed("Lampu JALAN mati!").sketch


def with_settings(denpasar: Path, tmp_path: Path, settings: str) -> Path:
    folder = tmp_path / "portal"
    folder.mkdir()
    for file in denpasar.iterdir():
        if file.suffix in (".csv", ".toml"):
            (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "portal.toml").open("a", encoding="utf-8") as toml:
        toml.write(settings)
    return folder


def test_a_portal_sets_its_own_limits_and_others_for_a_category(denpasar: Path, tmp_path: Path) -> None:
    settings = "[resemblance]\ndays = 10\n[resemblance.category.jalan-rusak-dan-berlubang]\nobject_days = 40\n"
    found = load_portal(with_settings(denpasar, tmp_path, settings)).resemblance
    assert (found.limits.days, found.limits.campaign) == (10, LIMITS.campaign)
    assert found.of("jalan-rusak-dan-berlubang") == replace(LIMITS, days=10, object_days=40)
    assert found.of("lain") == found.limits
    assert found.longest == 40


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("[resemblance]\ndays = 0.5", "resemblance: days harus bilangan bulat dari 0 sampai 365"),
        ("[resemblance]\nsame_text = 2", "resemblance: same_text harus angka dari 0.3 sampai 1"),
        ("[resemblance]\nhari = 2", "resemblance.hari: harus salah satu dari days,"),
        ("[resemblance.category.tidak-ada]\ndays = 2", "resemblance.category.tidak-ada: bukan kode subkategori"),
        ("[resemblance]\nmetres = 500", "resemblance: metres harus bilangan bulat dari 20 sampai 100"),
        ("[resemblance]\ncategory = 3", "resemblance.category: harus berupa tabel"),
    ],
)
def test_a_fault_is_told_with_its_key(denpasar: Path, tmp_path: Path, settings: str, told: str) -> None:
    with pytest.raises(PortalError) as caught:
        load_portal(with_settings(denpasar, tmp_path, settings))
    assert f"portal.toml, {told}" in str(caught.value)
