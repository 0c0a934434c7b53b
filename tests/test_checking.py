"""A check names what stands in the way of learning, how often, where, and what to do; it shows nobody's data."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from command_line import assert_named_failure, together
from publisher import alone
from typer.testing import CliRunner, Result

from router_model.portal import Agency, Category, Portal, UrgencyLevel
from router_model.succession import Succession
from service.cli import app
from training.checking import Checkup, check_table
from training.column_mapping import load_mapping
from training.doubtful_labels import doubtful_labels, left_out_scores
from training.drift import shifts
from training.findings import Finding
from training.reading import Row, RowFault, Table, read_rows

TODAY = date(2026, 1, 31)
AIR, ROAD, OLD, SPLIT = "Dinas Air", "Dinas Jalan", "Dinas Pekerjaan Umum", "Dinas Pertanahan"
SMALL = Portal(
    code="uji",
    name="Portal Uji",
    government="Kota Uji",
    timezone="Asia/Makassar",
    agencies=(
        Agency("air", AIR, "dinas", aliases=("Dinas Pengairan",)),
        Agency("jalan", ROAD, "dinas"),
        Agency("lama", OLD, "dinas", valid_to="2020-12-31"),
        Agency("tanah", SPLIT, "dinas", valid_to="2020-12-31"),
        Agency("sepi", "Badan Sepi", "badan"),
    ),
    categories=(
        Category("umum", "Pekerjaan umum"),
        Category("got", "Got mampet", "umum", units=frozenset({"air"})),
        Category("lubang", "Jalan berlubang", "umum"),
    ),
    urgency=tuple(UrgencyLevel(code, code) for code in ("darurat", "tinggi", "sedang", "rendah")),
    successions=(Succession("lama", "jalan"),),
)
WORDS = (
    "got", "mampet", "air", "meluap", "bau", "selokan", "sampah", "hujan", "deras", "banjir", "lumpur", "pasar",
    "sekolah", "gang", "warung", "rumah", "tetangga", "saluran", "pompa", "bocor", "keran", "meteran", "keruh",
)  # fmt: skip


def rows(*values: Mapping[str, str]) -> list[Row]:
    """Rows of a file `data.csv` from its second line on; what is not given is filled in, unlike for each row."""
    return [
        Row(
            f"data.csv baris {number}",
            {"text": f"laporan {WORDS[number % 23]} {WORDS[number % 7]} nomor {number}", "agency": AIR, **given},
        )
        for number, given in enumerate(values, 2)
    ]


def check(*values: Mapping[str, str], portal: Portal | None = SMALL, faults: Sequence[RowFault] = ()) -> Checkup:
    return check_table(Table(rows(*values), list(faults)), "data.csv", portal, TODAY)


def found(checkup: Checkup, code: str) -> Finding:
    return next(finding for finding in checkup.findings if finding.code == code)


def test_rows_period_and_labels_are_counted() -> None:
    checkup = check({"received_at": "2025-01-31"}, {"received_at": "3 Mei 2025"}, {"agency": "", "text": "x"})
    overview = found(checkup, "rows")
    assert (overview.count, overview.share) == (3, 1.0)
    assert overview.examples[0] == "31 Januari 2025 sampai 3 Mei 2025"
    assert overview.examples[1].startswith("Berlabel: instansi 66,7\u00a0%, kategori 0,0\u00a0%")
    assert (checkup.total, checkup.learned) == (3, 2)


def test_rows_that_cannot_be_read_count_in_every_share() -> None:
    checkup = check({"text": ""}, faults=[RowFault("data.csv baris 9", "1 kolom, seharusnya 2")])
    assert found(checkup, "unreadable").examples == ("baris 9: 1 kolom, seharusnya 2",)
    assert (found(checkup, "unreadable").share, found(checkup, "no_text").share) == (0.5, 0.5)


def test_without_a_portal_only_what_needs_none_is_checked_and_said() -> None:
    bare = {finding.code for finding in check({}, portal=None).findings}
    full = {finding.code for finding in check({}).findings}
    assert full - bare == {
        "unknown_label", "branch_label", "unresolved_label", "mapped_label", "impossible_pair", "empty_class",
    }  # fmt: skip
    assert len(check({}, portal=None).not_checked) == 2
    assert [reason for reason in check({}).not_checked if "200 sampai 20000" in reason]


def test_unknown_labels_are_put_together_with_the_name_that_was_probably_meant() -> None:
    checkup = check(
        *[{"agency": "Dinas Jalaan", "received_at": f"2025-03-0{day}"} for day in (1, 2, 3)],
        {"agency": "Kantor Antah Berantah", "category": "Pekerjaan umum"},
    )
    unknown = found(checkup, "unknown_label")
    assert (unknown.count, unknown.share, unknown.severity) == (2, 1.0, "salah")
    assert unknown.examples == (
        "instansi ‘Dinas Jalaan’: 3 laporan, 1 Maret 2025 sampai 3 Maret 2025; mungkin maksudnya ‘Dinas Jalan’ "
        "(baris 2, 3, 4)",
        "instansi ‘Kantor Antah Berantah’: 1 laporan (baris 5)",
    )
    assert found(checkup, "branch_label").examples == ("kategori ‘Pekerjaan umum’: 1 laporan (baris 5)",)


def test_ended_bodies_are_read_as_their_heirs_or_await_a_person() -> None:
    checkup = check({"agency": OLD}, {"agency": OLD}, {"agency": SPLIT}, {"agency": "Dinas Pengairan"})
    assert found(checkup, "mapped_label").examples == (
        f"‘{OLD}’ menjadi ‘{ROAD}’ (penerusnya): 2 laporan",
        f"‘Dinas Pengairan’ menjadi ‘{AIR}’ (sebutan lain): 1 laporan",
    )
    assert found(checkup, "unresolved_label").examples == (f"instansi ‘{SPLIT}’: 1 laporan (baris 4)",)


def test_several_names_for_one_agency_are_proposed_also_without_a_portal() -> None:
    checkup = check({"agency": "Dinas Perhubungan"}, {"agency": "Dinas Perhubungan"}, {"agency": "Dishub"}, portal=None)
    assert found(checkup, "similar_names").count == 1
    assert found(checkup, "similar_names").examples[0].startswith("‘Dishub’ (1) dan ‘Dinas Perhubungan’ (2)")
    # The portal says already that these are one.
    assert found(check({"agency": AIR}, {"agency": "Dinas Pengairan"}), "similar_names").count == 0


def test_an_agency_that_cannot_own_its_category_is_named() -> None:
    pair = found(check({"agency": ROAD, "category": "Got mampet"}, {"category": "Got mampet"}), "impossible_pair")
    assert pair.examples == (f"‘{ROAD}’ dengan ‘Got mampet’: 1 laporan (baris 2)",)


def test_one_text_with_two_answers_is_shown_with_how_often_each_was_given() -> None:
    same = {"text": "Got di depan pasar mampet!"}
    told = found(
        check(same, {**same, "text": "got di depan PASAR mampet"}, {**same, "agency": ROAD}, {"agency": ROAD}),
        "conflicting",
    )
    assert (told.count, told.share) == (1, 0.75)
    assert told.examples[0] == f"baris 2, 3, 4: ‘{AIR}’ (2), ‘{ROAD}’ (1) – “Got di depan pasar mampet!”"


def test_two_spellings_of_one_agency_are_no_conflict() -> None:
    same = {"text": "Got di depan pasar mampet"}
    assert found(check(same, {**same, "agency": "dinas pengairan"}), "conflicting").count == 0
    assert found(check(same, {**same, "agency": "DINAS  AIR"}, portal=None), "conflicting").count == 0


def test_each_further_copy_is_counted_once() -> None:
    same = {"text": "Got di depan pasar mampet"}
    again = found(check(same, same, same, {}), "repeated")
    assert (again.count, again.share, again.left_out) == (2, 0.5, 0)
    assert again.examples == ("baris 2, 3, 4: “Got di depan pasar mampet”",)


def test_empty_texts_are_no_copies_of_each_other() -> None:
    checkup = check({"text": ""}, {"text": ""}, {"text": "!!!"})
    assert [found(checkup, code).count for code in ("repeated", "near_copies", "campaign")] == [0, 0, 0]


@pytest.mark.parametrize(("days", "campaigns"), [(3, 1), (20, 0)])
def test_near_copies_close_in_time_are_a_campaign(days: int, campaigns: int) -> None:
    text = "Mohon gang kami dipaving karena becek sekali setiap hujan dan anak sekolah sering terpeleset, warga blok"
    first = date(2025, 3, 1)
    sent = [
        {"text": f"{text} {letter}", "received_at": str(first + n * timedelta(days=days))}
        for n, letter in enumerate("abcdef")
    ]
    sent[0]["agency"] = ROAD
    checkup = check(*sent, *[{}] * 34)
    assert found(checkup, "near_copies").count == 1
    assert f"‘{AIR}’ (5), ‘{ROAD}’ (1)" in found(checkup, "near_conflicting").examples[0]
    campaign = found(checkup, "campaign")
    assert (campaign.count, campaign.share) == (campaigns, campaigns * 5 / 40)
    if campaigns:
        assert campaign.examples[0].startswith(
            "5 laporan, 1 Maret 2025 sampai 13 Maret 2025, baris 2, 3, 4, 5, 6: “Mohon"
        )


def test_nothing_personal_is_shown() -> None:
    same = "nama saya wayan rahasia, pak Made Sutarja tidak membantu, hubungi 081338765210 atau rahasia@contoh.id"
    checkup = check(
        {"text": f"Got mampet, {same}"},
        {"text": f"Got mampet, {same}", "agency": ROAD},
        {"text": f"Yth. Bapak Ketut Rahasia, {same}", "agency": ""},
        {"agency": "Budi 081338765210"},
    )
    shown = json.dumps([finding.as_dict() for finding in checkup.findings], ensure_ascii=False)
    for secret in ("081338765210", "rahasia@", "wayan", "Sutarja", "Ketut"):
        assert secret not in shown
    assert "[TELEPON]" in shown
    personal = found(checkup, "personal_data")
    assert personal.examples == (
        "Nomor telepon: 3 laporan (baris 2, 3, 4)",
        "Alamat surel: 3 laporan (baris 2, 3, 4)",
        "Nama orang: 3 laporan (baris 2, 3, 4)",
    )
    assert (personal.count, found(checkup, "leaked").count) == (3, 1)


def test_long_texts_and_long_lists_are_cut() -> None:
    checkup = check(*[{"agency": "", "text": "panjang sekali " * 40} for _ in range(12)])
    bare = found(checkup, "no_label")
    assert (bare.count, len(bare.examples), bare.left_out) == (12, 10, 2)
    assert max(map(len, bare.examples)) < 140


def test_small_and_empty_classes_are_named_by_answer() -> None:
    checkup = check(*[{} for _ in range(5)], {"agency": ROAD, "category": "lubang"})
    assert found(checkup, "small_class").examples == (
        "Instansi: 1 dari 2 kelas",
        "Kategori: 1 dari 1 kelas",
        f"instansi ‘{ROAD}’ (1)",
        "kategori ‘Jalan berlubang’ (1)",
    )
    empty = found(checkup, "empty_class")
    assert (empty.count, empty.share) == (2, 0)
    assert empty.examples[2:] == ("instansi ‘Badan Sepi’", "kategori ‘Got mampet’")


def test_dates_that_are_missing_or_impossible_are_told_apart() -> None:
    checkup = check(
        *[{"received_at": day} for day in ("kemarin", "", "11/25/2025", "2026-02-01", "1998-05-21", "2026-01-31")]
    )
    assert found(checkup, "no_date").examples == (
        "tanggal tidak terbaca ‘kemarin’: baris 2",
        "tanggal tidak terbaca ‘11/25/2025’: baris 4",
        "tanggal kosong: baris 3",
    )
    assert found(checkup, "odd_date").examples == ("baris 5: ‘2026-02-01’", "baris 6: ‘1998-05-21’")
    assert checkup.period == (TODAY, TODAY)


def weekly_rows(*counts: int, **values: str) -> list[dict[str, str]]:
    """So many rows in each week from Monday 6 January 2025 on."""
    first = date(2025, 1, 6)
    days = [str(first + timedelta(weeks=week, days=n % 7)) for week, count in enumerate(counts) for n in range(count)]
    return [{"received_at": day, **values} for day in days]


def test_weeks_without_a_complaint_and_weeks_with_far_more_are_named() -> None:
    checkup = check(*weekly_rows(6, 6, 0, 0, 6, 6, 27, 6, 6))
    assert found(checkup, "gap").examples == ("20 Januari 2025 sampai 2 Februari 2025 (2 minggu)",)
    assert (found(checkup, "gap").count, found(checkup, "gap").severity) == (2, "perlu dilihat")
    assert found(checkup, "jump").examples == (
        f"minggu 17 Februari 2025: 27 laporan, biasanya 6; terbanyak ‘{AIR}’ (100\u00a0%)",
    )
    assert [found(check(*weekly_rows(6, 6, 6, 25)), code).count for code in ("gap", "jump")] == [0, 0]
    assert found(check(*weekly_rows(1, 0, 0, 1)), "gap").severity == "keterangan"


def test_a_renamed_agency_is_found_with_the_one_it_follows() -> None:
    days = [str(date(2025, 1, 1) + timedelta(days=n)) for n in range(300)]
    lots = [
        {"received_at": day, "agency": agency, "category": category}
        for n, day in enumerate(days)
        for agency, category in (
            ("Badan Umum", ("Surat", "Parkir")[n % 2]),
            ("Badan Kebencanaan" if n < 150 else "Dinas Damkar", "Banjir" if n % 5 else "Surat"),
        )
    ]
    lots[5]["agency"] = "Dinas Damkar"  # a stray row of wrong date hides nothing
    told = found(check(*lots, portal=None), "label_span")
    assert told.count == 2
    assert told.examples == (
        "instansi ‘Dinas Damkar’ (151 laporan): baru sejak 2 Juni 2025; mungkin pengganti ‘Badan Kebencanaan’ "
        "(kategori 100\u00a0% sama)",
        "instansi ‘Badan Kebencanaan’ (149 laporan): berhenti 28 Mei 2025",
    )


def test_steady_labels_do_not_drift_and_changed_ones_do() -> None:
    steady = ["a", "a", "b"] * 200
    assert shifts("agency", steady) == []
    moved = shifts("agency", steady[:400] + ["c" if n % 4 == 0 else label for n, label in enumerate(steady[:200])])
    assert [(shift.label, shift.before, shift.after, shift.of) for shift in moved] == [("c", 0, 50, 200)]
    # The square of z is Pearson's chi-square of the table 50, 150 against 0, 200.
    assert moved[0].z ** 2 == pytest.approx(400 * (50 * 200) ** 2 / (50 * 350 * 200 * 200))


def test_leaving_rows_out_in_closed_form_is_the_same_as_learning_without_them() -> None:
    generator = np.random.default_rng(5)
    features = generator.normal(size=(40, 12)).astype(np.float32)
    wanted = generator.integers(0, 2, size=(40, 3)).astype(np.float32)
    groups = np.array([0, 1, 2, 1, 4, 5, 2, 2, *range(8, 40)])
    products = features @ features.T
    quick = left_out_scores(products.copy(), wanted, groups, 1.5)
    for group in np.unique(groups):
        out, rest = groups == group, groups != group
        duals = np.linalg.solve(products[np.ix_(rest, rest)] + 1.5 * np.eye(rest.sum()), wanted[rest])
        np.testing.assert_allclose(quick[out], products[np.ix_(out, rest)] @ duals, atol=1e-4)


def doubts_about_triplets(copies: Sequence[int]) -> set[int]:
    """Rows in doubt among 100 about water, 100 about roads and one text about water sent three times, called roads."""
    generator = np.random.default_rng(2)
    water = ["pipa", "bocor", "keran", "mati", "meteran", "tagihan", "keruh", "pompa"]
    roads = ["lubang", "aspal", "retak", "tambal", "trotoar", "ambles", "marka", "kerikil"]
    texts = [generator.choice(words, 5, replace=False).tolist() for words in (water, roads) for _ in range(100)]
    labels = ["air"] * 100 + ["jalan"] * 103
    found = doubtful_labels([*texts, water, water, water], {"unit": labels}, np.array([*range(200), *copies]))
    assert all(doubt.other == "air" for doubt in found)
    return {doubt.row for doubt in found}


def test_copies_with_one_wrong_label_do_not_vouch_for_each_other() -> None:
    assert doubts_about_triplets([200, 200, 200]) == {200, 201, 202}
    assert doubts_about_triplets([200, 201, 202]) == set()


def test_texts_without_a_common_word_raise_no_doubt() -> None:
    assert doubtful_labels([["satu"], ["dua"], []], {"unit": ["a", "b", "a"]}, np.arange(3)) == []


def test_most_labels_that_were_swapped_on_purpose_are_listed_and_stand_in_front(denpasar: Path, portal: Portal) -> None:
    generator = np.random.default_rng(7)
    original = read_rows(denpasar / "complaints.csv")
    names = sorted({row.get("agency") for row in original})
    swapped = set(generator.choice(len(original), len(original) // 20, replace=False).tolist())
    changed = []
    for number, row in enumerate(original):
        unit = (portal.find_agency(row.get("agency")) or portal.agencies[0]).unit
        others = [name for name in names if (portal.find_agency(name) or portal.agencies[0]).unit != unit]
        wrong = {"agency": str(generator.choice(others))} if number in swapped else {}
        changed.append(replace(row, values={**row.values, **wrong}))
    doubtful = found(check_table(Table(changed, []), "complaints.csv", portal, TODAY), "doubtful_agency")
    where = {row.where.removeprefix("complaints.csv "): number for number, row in enumerate(changed)}
    listed = [where[text.partition(":")[0]] for text in doubtful.examples]
    hits = [number in swapped for number in listed]
    assert sum(hits[:40]) >= 36
    assert sum(hits) >= 0.7 * len(hits)
    assert sum(hits) >= 0.5 * len(swapped)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


FOREIGN = """Waktu Lapor;Isi Aduan;Nama Dinas
2025-03-01;Got mampet di depan pasar;Dinas Air
2025-03-02;Jalan berlubang;Dinas Jalan
"""


def test_unknown_headers_are_answered_with_a_mapping_that_can_be_used(tmp_path: Path) -> None:
    data, mapping = tmp_path / "ekspor.csv", tmp_path / "kolom.toml"
    data.write_text(FOREIGN, "utf-8")
    first = run(data)
    assert first.exit_code == 0, first.stderr
    assert "--columns kolom.toml" in first.stderr
    mapping.write_text(first.stdout, "utf-8")
    assert load_mapping(mapping) == {"Waktu Lapor": "received_at", "Isi Aduan": "text", "Nama Dinas": "agency"}
    program = json.loads(run(data, "--json").stdout)
    assert [(finding["code"], finding["severity"]) for finding in program] == [("header", "salah")]
    second = json.loads(run(data, "--columns", mapping, "--json").stdout)
    assert {"rows": 2, "no_text": 0, "no_label": 0}.items() <= {f["code"]: f["count"] for f in second}.items()


def test_a_label_column_under_another_name_is_pointed_out(tmp_path: Path) -> None:
    data = tmp_path / "ekspor.csv"
    data.write_text(FOREIGN.replace("Isi Aduan", "text"), "utf-8")
    header = next(finding for finding in json.loads(run(data, "--json").stdout) if finding["code"] == "header")
    assert header["count"] == 2
    assert any("‘Nama Dinas’ mungkin agency" in example for example in header["examples"])


def test_the_command_prints_table_advice_json_and_page(tmp_path: Path, denpasar: Path) -> None:
    data, page = tmp_path / "kotor.csv", tmp_path / "hasil.html"
    data.write_text("text,agency\nGot mampet di pasar,Dinas Antah Berantah\nJalan rusak,Dishub\n,BPBD\n", "utf-8")
    portal = Path(shutil.copytree(denpasar, tmp_path / "sendiri"))
    alone(portal)
    people = run(data, "--portal", portal, "--html", page)
    assert people.exit_code == 0, people.stderr
    for told in ("Label yang tidak dikenal portal", "belum dapat dilatih", "agencies.csv", "Antah Berantah", "salah"):
        assert told in people.stdout
    assert str(page) in people.stderr
    assert "Antah Berantah" in page.read_text("utf-8")
    program = json.loads(run(data, "--portal", denpasar, "--json").stdout)
    assert {"code", "title", "count", "share", "examples", "advice", "severity"} <= program[0].keys()


def test_a_missing_file_or_a_broken_mapping_is_a_named_failure(tmp_path: Path) -> None:
    (tmp_path / "kolom.toml").write_text("[columns", "utf-8")
    (tmp_path / "a.csv").write_text(FOREIGN, "utf-8")
    missing, broken = together(
        tmp_path,
        ("check", tmp_path / "tidak-ada.csv"),
        ("check", tmp_path / "a.csv", "--columns", tmp_path / "kolom.toml"),
    )
    assert_named_failure(missing, "tidak-ada.csv")
    assert_named_failure(broken, "kolom.toml")


def where(*numbers: int) -> tuple[str, ...]:
    return tuple(f"data.csv baris {number}" for number in numbers)


def test_a_label_that_can_be_mended_names_its_rows_and_what_was_meant() -> None:
    checkup = check({"agency": "Dinas Jalaan"}, {}, {"agency": "Dinas Jalaan"}, {"agency": "Kantor Antah Berantah"})
    first, second = found(checkup, "unknown_label").cases
    assert (first.rows, first.column, first.label, first.proposed) == (where(2, 4), "agency", "Dinas Jalaan", ROAD)
    assert (second.rows, second.label, second.proposed) == (where(5), "Kantor Antah Berantah", "")
    assert first.told == found(checkup, "unknown_label").examples[0]


def test_labels_that_conflict_have_their_sides_and_the_newest_of_them() -> None:
    text = "got mampet di depan pasar"
    (case,) = found(
        check(
            {"text": text, "agency": ROAD, "received_at": "2025-03-01"},
            {"text": text, "agency": AIR, "received_at": "2025-02-01"},
            {"text": text.upper(), "agency": AIR},
            {"text": text, "agency": ""},
        ),
        "conflicting",
    ).cases
    assert case.sides == {AIR: where(3, 4), ROAD: where(2)}
    assert (set(case.rows), case.newest) == (set(where(2, 3, 4)), ROAD)
    undated = check({"text": text, "agency": ROAD}, {"text": text})
    same_day = check(*({"text": text, "agency": agency, "received_at": "2025-03-01"} for agency in (AIR, ROAD)))
    assert [found(checkup, "conflicting").cases[0].newest for checkup in (undated, same_day)] == ["", ""]


def test_a_copy_is_one_that_teaches_nothing_else() -> None:
    same = {"text": "got mampet di depan pasar", "agency": AIR}
    repeated = found(check(same, same, same | {"agency": ROAD}, same, same | {"category": "got"}), "repeated")
    assert repeated.count == 4
    assert [case.rows for case in repeated.cases] == [where(3, 5)]


@pytest.mark.parametrize(
    ("code", "faulty"),
    [
        ("no_text", {"text": "", "title": "Got"}),
        ("no_date", {"received_at": "entah"}),
        ("odd_date", {"received_at": "2099-01-01"}),
        ("leaked", {"text": "Yth. Dinas Air, mohon ditindaklanjuti. Got mampet di gang"}),
    ],
)
def test_what_is_mended_all_at_once_names_all_its_rows(code: str, faulty: Mapping[str, str]) -> None:
    dated = {"received_at": "2025-01-01"}
    (case,) = found(check(dated | faulty, dated, dated | faulty), code).cases
    assert case.rows == where(2, 4)
    assert found(check(dated), code).cases == ()


def test_names_that_may_be_one_body_are_mended_in_the_rows_of_the_rarer_one() -> None:
    rarer, usual = "Dinas Pekerjan Umum Kota", "Dinas Pekerjaan Umum Kota"
    (case,) = found(check({"agency": rarer}, {"agency": usual}, {"agency": usual}), "similar_names").cases
    assert (case.rows, case.label, case.proposed) == (where(2), rarer, usual)
