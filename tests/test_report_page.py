"""The page of a report: what it says, that it stands alone, and that its charts can be read without seeing them."""

import copy
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from router_model.suggestion import Router
from training.charts import bar_chart, month_chart, number, percent, reliability_chart, risk_coverage_chart
from training.dataset import Example
from training.report import full_report
from training.report_page import cautions, report_page, statements

HEADING = {
    "release": "contoh-20260131-abcdef12",
    "portal": "Portal Contoh",
    "created_at": "2026-01-31T08:00:00+00:00",
    "rows": 12_345,
    "from": "2024-01-01T00:00:00",
    "until": "2025-12-31T23:59:00",
    "held_back_from": "2025-08-17T00:00:00",
    "held_back_until": "2025-12-31T23:59:00",
}
SHARE = {"n": 10, "share": 0.5, "interval": [0.2, 0.8]}


@pytest.fixture(scope="module")
def report(router: Router, examples: list[Example]) -> dict[str, Any]:
    return full_report(router, examples[-150:], examples[:600])


@pytest.fixture(scope="module")
def page(report: dict[str, Any]) -> str:
    return report_page(report, HEADING)


def counted(**changes: Any) -> dict[str, Any]:
    """A report of 2,162 rows with round figures."""
    figures = {"n": 2_162, "accuracy": 0.796, "top3": 0.907, "macro_f1": 0.5, "coverage_at_95": 0.58, "ece": 0.02}
    span = {"accuracy": [0.778, 0.813], "top3": [0.9, 0.92], "macro_f1": [0.45, 0.55], "coverage_at_95": [0.5, 0.6]}
    answers = ("agency", "agency_kind")
    table = [
        {"class": "a", "name": "Dinas A", "support": 2_000, "recall": 0.9, "precision": 0.9},
        {"class": "b", "name": "Dinas B", "support": 140, "recall": 0.25, "precision": 0.5},
        {"class": "e", "name": "Dinas E", "support": 100, "recall": 0.79, "precision": 0.8},
        {"class": "c", "name": "Dinas C", "support": 19, "recall": 0.0, "precision": None},
        {"class": "d", "name": "Dinas D", "support": 0, "recall": None, "precision": 0.0},
    ]
    pair = {"wanted_name": "Dinas B", "given_name": "Dinas A", "count": 105, "support": 140, "share": 0.75}
    line = [{"share": share, "precision": 1 - share / 5, "p": 1 - share / 2} for share in (0.1, 0.5, 1.0)]
    bins = [{"confidence": 0.6, "right": 0.5, "n": 1_081}, {"confidence": 0.9, "right": 0.95, "n": 1_081}]
    none = {"share": 0.0, "n": 0, "labelled": 0}
    routes = {
        "auto": {"share": 0.243, "n": 526, "labelled": 526, "precision": 0.987, "interval": [0.973, 0.995]},
        "prefill": {"share": 0.448, "n": 969, "labelled": 969, "precision": 0.885, "interval": [0.86, 0.9]},
        "review": {"share": 0.309, "n": 667, "labelled": 0},
        "emergency": none,
        "external": none,
        "incomplete": none,
    }
    return {
        "rows": 2_162,
        "answers": dict.fromkeys(answers, figures),
        "intervals": dict.fromkeys(answers, span),
        "classes": dict.fromkeys(answers, table),
        "confusion": {key: [pair] for key in answers},
        "risk_coverage": dict.fromkeys(answers, line),
        "reliability": dict.fromkeys(answers, bins),
        "stated": dict.fromkeys(answers, bins),
        "by_month": {key: [] for key in answers},
        "by_channel": {key: [] for key in answers},
        "by_length": {key: [] for key in answers},
        "routes": routes,
    } | changes


def baselines(value: float, low: float, high: float) -> dict[str, Any]:
    lead = {"accuracy": {"value": value, "interval": [low, high]}, "macro_f1": {"value": 0.1, "interval": [0.0, 0.2]}}
    plain = {"accuracy": 0.796 - value, "macro_f1": 0.4, "lead": lead}
    return {"agency_kind": {"majority": {"accuracy": 0.22, "macro_f1": 0.01, "lead": lead}, "plain": plain}}


def danger(raised: float) -> dict[str, Any]:
    emergencies = {"n": 24, "share": raised, "interval": [0.6, 1.0]}
    alarms = {"n": 333, "share": 0.045, "interval": [0.02, 0.07]}
    return {"danger": {"emergencies": emergencies, "levels": SHARE, "urgent": SHARE, "alarms": alarms}}


def sentences(changed: Mapping[str, Any]) -> list[str]:
    return [statement.sentence for statement in statements(changed)]


def test_the_first_sentences_say_how_many_of_a_hundred_go_right() -> None:
    assert sentences(counted())[:2] == [
        "Dari 100 laporan baru, 80 langsung ke instansi yang tepat; 91 kali instansi yang tepat ada di tiga teratas.",
        "24 dari 100 laporan dapat diteruskan otomatis; dari itu 98,7\u00a0% tepat.",
    ]
    first, second = statements(counted())[:2]
    assert "79,6\u00a0% dari 2.162 laporan uji (rentang 95\u00a0%: 77,8–81,3\u00a0%)" in first.note
    assert "45 dari 100 sudah dipilihkan instansinya, 88,5\u00a0% tepat" in second.note


def test_of_fewer_than_a_hundred_rows_the_rows_themselves_are_counted(router: Router, examples: list[Example]) -> None:
    small = full_report(router, examples[:7])
    right = round(7 * small["answers"]["agency"]["accuracy"])
    assert sentences(small)[0].startswith(f"Dari 7 laporan baru, {right} langsung")
    assert cautions(small)[0].startswith("Hanya 7 laporan yang diuji")
    assert not any(caution.startswith("Hanya") for caution in cautions(counted()))


def test_a_release_that_lets_nothing_pass_by_itself_says_so() -> None:
    changed = counted()
    changed["routes"]["auto"] = {"share": 0.0, "n": 0, "labelled": 0}
    assert sentences(changed)[1].startswith("Belum ada laporan yang dapat diteruskan otomatis")


@pytest.mark.parametrize(("raised", "figure", "tone"), [(0.875, "21 dari 24", "danger"), (1.0, "24 dari 24", "good")])
def test_missed_danger_is_counted_and_never_looks_good(raised: float, figure: str, tone: str) -> None:
    statement = statements(counted(**danger(raised)))[2]
    assert (statement.figure, statement.tone) == (figure, tone)
    assert "dari 100 laporan lain, 4 ikut terangkat" in statement.sentence


def test_danger_that_could_not_be_measured_is_not_passed_over() -> None:
    assert "data uji tidak memuat label urgensi" in sentences(counted())[2]
    nobody = {"danger": danger(1.0)["danger"] | {"emergencies": {"n": 0}}}
    assert "data uji tidak memuat laporan darurat" in sentences(counted(**nobody))[2]


@pytest.mark.parametrize(
    ("lead", "verdict", "tone"),
    [
        ((0.037, 0.025, 0.05), "keunggulan yang nyata", "good"),
        ((0.01, -0.01, 0.03), "belum dapat disebut berbeda", "warn"),
        ((-0.03, -0.05, -0.01), "Aduan kalah", "warn"),
    ],
)
def test_the_lead_over_the_plain_model_is_called_what_its_interval_allows(
    lead: tuple[float, float, float], verdict: str, tone: str
) -> None:
    statement = statements(counted(baselines=baselines(*lead)))[-1]
    assert verdict in statement.note
    assert statement.tone == tone


def test_a_plain_model_that_is_better_is_a_caution() -> None:
    found = cautions(counted(baselines=baselines(-0.031, -0.073, 0.003)))
    assert found[-1].endswith(
        "lebih sering benar, tetapi belum tentu lebih baik. Selisih −3,1 poin (rentang 95\u00a0%: −7,3 sampai 0,3)."
    )
    assert "lebih sering benar. Selisih" in cautions(counted(baselines=baselines(-0.03, -0.05, -0.01)))[-1]
    assert not any("pembanding" in caution for caution in cautions(counted(baselines=baselines(0.03, 0.01, 0.05))))


def test_the_weakest_agencies_with_enough_rows_and_the_confused_pairs_are_named() -> None:
    assert cautions(counted()) == [
        "Dinas B: 35 dari 140 laporannya langsung tepat (25\u00a0%; rata-rata 80\u00a0%).",
        "Laporan untuk Dinas B kadang diberikan kepada Dinas A: 105 dari 140 laporan.",
    ]


def test_the_head_of_the_page_names_release_portal_period_and_rows(page: str) -> None:
    for part in (
        "contoh-20260131-abcdef12",
        "Portal Contoh",
        "disusun 31 Januari 2026",
        "12.345 laporan<small>1 Januari 2024 sampai 31 Desember 2025</small>",
        "150 laporan<small>17 Agustus 2025 sampai 31 Desember 2025</small>",
    ):
        assert part in page


def test_a_heading_without_dates_is_no_fault(report: dict[str, Any]) -> None:
    assert "tanpa tanggal" in report_page(report, HEADING | dict.fromkeys(("from", "until", "created_at")))


def test_the_page_stands_alone_and_does_nothing(page: str) -> None:
    assert not re.search(r"https?:|//|@import|<script|<link|<iframe|<img|\ssrc=|\son\w+=|javascript:|xlink|xmlns", page)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert set(re.findall(r"href=\"(.)", page)) <= {"#"}
    assert page.startswith("<!doctype html>")
    assert '<html lang="id">' in page


def test_everything_a_chart_refers_to_is_in_the_page(page: str) -> None:
    wanted = re.findall(r"(?:href=\"|url\()#([^\")]+)", page)
    assert wanted
    assert set(wanted) <= set(re.findall(r"\sid=\"([^\"]+)\"", page))


def test_every_tag_that_opens_is_closed(page: str) -> None:
    never_closed = {"meta", "br"}
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in never_closed:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Balance().feed(page)
    assert open_tags == []


def test_the_page_holds_no_complaint(page: str, examples: list[Example]) -> None:
    parts = [part for row in examples[-150:] for part in row.complaint.text.split(". ") if len(part) > 30]
    assert len(parts) > 100
    assert [part for part in parts if part in page] == []


def test_the_same_report_gives_the_same_bytes(report: dict[str, Any], page: str) -> None:
    assert report_page(copy.deepcopy(report), dict(HEADING)) == page


def test_names_are_shown_as_written_and_never_read_as_markup() -> None:
    name = 'Dinas <b onclick="x()">A</b> & "B" $x$ 🏛'
    changed = copy.deepcopy(counted())
    for table in changed["classes"].values():
        table[0]["name"] = table[1]["name"] = name
    mapping = {"label": name, "agency": name, "count": 3, "rule": name}
    shown = report_page(
        changed,
        HEADING | {"portal": name, "mappings": [mapping], "gate": {"agrees": True, "against": name, "reasons": [name]}},
    )
    assert "<b" not in shown.replace("<body", "")
    assert "Dinas &lt;b onclick=&#34;x()&#34;&gt;A&lt;/b&gt; &amp; &#34;B&#34; $x$ 🏛" in shown
    assert 'aria-label="Rata-rata' in shown


def test_every_chart_has_a_title_and_says_its_finding(page: str) -> None:
    charts = re.findall(r'<svg [^>]*role="img"[^>]*aria-label="([^"]+)"><title>([^<]+)</title>', page)
    assert len(charts) == page.count("<svg") == 6
    assert all(finding.endswith(".") and len(finding) > 30 for finding, _ in charts)
    for finding, title in charts:
        assert f"<h3>{title}</h3><p>{finding}</p>" in page


def test_without_baselines_and_gate_the_page_does_not_speak_of_them(router: Router, examples: list[Example]) -> None:
    report = full_report(router, examples[:30])
    shown = report_page({key: value for key, value in report.items() if key != "candidates"}, HEADING)
    assert "Dibandingkan dengan model sederhana" not in shown
    assert "pemeriksaan mutu" not in shown
    assert "Nama instansi yang disamakan" not in shown
    assert "Daftar calon" not in shown
    assert "tidak dipakai saat melatihnya" in shown


def test_measured_forward_in_time_the_page_says_so(report: dict[str, Any], page: str) -> None:
    assert "hanya belajar dari laporan yang lebih dulu" in page
    assert "hanya belajar dari laporan yang lebih dulu" not in report_page(report, HEADING | {"forward": False})


@pytest.mark.parametrize(("agrees", "words"), [(True, "Rilis ini lolos"), (False, "Rilis ini tidak lolos")])
def test_the_verdict_of_the_gate_is_shown_with_its_reasons(agrees: bool, words: str) -> None:
    gate = {"agrees": agrees, "against": "contoh-lama", "reasons": ["Ketepatan instansi turun 2 poin."]}
    shown = report_page(counted(), HEADING | {"gate": gate})
    assert words in shown
    assert "contoh-lama" in shown
    assert "Ketepatan instansi turun 2 poin." in shown
    alone = report_page(counted(), HEADING | {"gate": gate | {"against": None, "reasons": []}})
    assert "Belum ada rilis lain" in alone


def test_mapped_labels_and_candidates_are_shown_when_they_are_there() -> None:
    mapping = {"label": "Dishub", "agency": "Dinas Perhubungan", "count": 1_240, "rule": "singkatan"}
    candidates = {"wanted": 0.95, "holding": 0.942, "mean_size": 3.14}
    shown = report_page(counted(candidates=candidates), HEADING | {"mappings": [mapping]})
    assert all(part in shown for part in ("Dishub", "Dinas Perhubungan", "1.240", "singkatan"))
    assert "pada 95\u00a0% laporan; pada laporan uji 94,2\u00a0%, dengan rata-rata 3,1 calon" in shown


def test_what_the_model_says_and_what_is_so_stand_side_by_side() -> None:
    assert "Bila model berkata sekitar 90\u00a0%, nyatanya benar 95\u00a0% (1.081 laporan)." in report_page(
        counted(), HEADING
    )


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_page_of_hardly_any_rows_is_still_a_page(router: Router, examples: list[Example], rows: int) -> None:
    for known in (None, examples[100:130]):
        shown = report_page(full_report(router, examples[:rows], known), HEADING)
        assert f"{rows} laporan" in shown
        assert ("Tidak ada laporan berlabel yang dapat dinilai." in shown) == (rows == 0)


def test_numbers_are_written_as_in_indonesian() -> None:
    assert [number(1_234_567), number(0.05, 2), number(-3.14, 1)] == ["1.234.567", "0,05", "−3,1"]
    assert percent(0.987, 1) == "98,7\u00a0%"


def test_charts_of_one_point_and_of_long_or_empty_names_are_drawn() -> None:
    point = {"share": 1.0, "precision": 0.0, "p": 0.2}
    assert "Instansi" in risk_coverage_chart({"Instansi": [point]}, "t", "f")
    assert "terlalu yakin" in reliability_chart([{"confidence": 0.3, "right": 0.0, "n": 1}], "t", "f")
    bars = bar_chart([("Dinas " + "Panjang " * 20, 0.5, 1_500), ("", 0.0, 1)], "t", "f")
    assert "50\u00a0% dari 1.500" in bars
    assert "…" in bars
    month = [{"group": "2026-08", "n": 3, "accuracy": 1.0}]
    assert "Agu 26" in month_chart({"Instansi": month, "Kategori": []}, "t", "f")


def test_a_chart_takes_the_font_of_its_page_and_has_no_ground() -> None:
    drawn = bar_chart([("Dinas", 0.5, 30)], "t", "f")
    assert "font-family" not in drawn
    assert "<text" in drawn
    assert not any(part in drawn for part in ("#ffffff", "<style"))


def test_a_name_is_drawn_letter_by_letter_even_if_the_measuring_font_lacks_one() -> None:
    assert ">Dinas 🏛 $a$ ᬩᬮᬶ</text>" in bar_chart([("Dinas 🏛 $a$ ᬩᬮᬶ", 0.5, 30)], "t", "f")
