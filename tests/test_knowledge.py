"""Shipped knowledge: what names of agencies tell, and what a portal without labels learns from it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from command_line import aduan

from router_model.complaint import Complaint
from router_model.policy import NEVER, Route
from router_model.portal import Agency, Portal, load_portal
from training.dataset import Example
from training.history import History, shares
from training.knowledge import SAMPLE, Owners, affairs, affairs_named, known_complaints, matters
from training.portal_derivation import derive_from_names
from training.ridge import Learning
from training.trainer import Trained, train

NAMES = {
    "Dinas Pangan dan Perikanan": {"pangan", "perikanan"},
    "Dinas Ketahanan Pangan dan Pertanian": {"pangan", "pertanian"},
    "Dinas Pekerjaan Umum, Bina Marga, dan Sumber Daya Air": {"pekerjaan-umum", "bina-marga", "sumber-daya-air"},
    "DPUPR": set(),
    "Dinas PUPR": {"pekerjaan-umum"},
    "Dinas PU Kab. Contoh": {"pekerjaan-umum"},
    "Dinas Perumahan Rakyat, Kawasan Permukiman, dan Pertanahan": {"permukiman", "pertanahan"},
    "Kantor Pertanahan Kota Contoh": {"sertifikat-tanah"},
    "Dinas Kesehatan": {"kesehatan"},
    "BPJS Kesehatan Cabang Contoh": {"jaminan-kesehatan"},
    "BPJS Ketenagakerjaan": {"jaminan-ketenagakerjaan"},
    "RSUD dr. Contoh": {"rumah-sakit"},
    "UPTD Puskesmas Mawar": {"puskesmas"},
    "Dinas Pendidikan, Kepemudaan dan Olahraga": {"pendidikan", "olahraga"},
    "Badan Kepegawaian, Pendidikan dan Pelatihan": {"kepegawaian"},
    "Dinas Kependudukan dan Pencatatan Sipil": {"kependudukan"},
    "Dinas Pengendalian Penduduk dan Keluarga Berencana": {"keluarga-berencana"},
    "Dinas Pemberdayaan Perempuan dan Perlindungan Anak": {"perempuan-anak"},
    "Dinas Pemberdayaan Masyarakat dan Desa": {"pemberdayaan-masyarakat"},
    "Dinas Sosial": {"sosial"},
    "Bagian Kesejahteraan Rakyat Setda": {"kesejahteraan-rakyat"},
    "Dinas Komunikasi dan Informatika": {"informatika"},
    "Bagian Protokol dan Komunikasi Pimpinan": {"humas"},
    "Satpol PP Kota Contoh": {"ketertiban"},
    "Dinas Pemadam Kebakaran dan Penyelamatan": {"pemadam"},
    "Badan Perencanaan Pembangunan Daerah": {"perencanaan"},
    "Bagian Administrasi Pembangunan": {"pembangunan"},
    "Badan Pengelolaan Keuangan dan Aset Daerah": {"keuangan", "aset"},
    "Badan Pendapatan Daerah": {"pajak-daerah"},
    "Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu": {"perizinan"},
    "Dinas Tenaga Kerja dan Transmigrasi": {"tenaga-kerja", "transmigrasi"},
    "Bagian Perekonomian dan Sumber Daya Alam": {"perekonomian"},
    "Perumda Air Minum Tirta Contoh": {"air-minum"},
    "PDAM Contoh": {"air-minum"},
    "Inspektorat Daerah": {"pengawasan"},
    "Sekretariat DPRD": {"dprd"},
    "Balai Pelaksanaan Jalan Nasional": {"jalan-nasional"},
    "Balai Wilayah Sungai": {"sungai"},
    "Kantor Kementerian Agama": {"agama"},
    "Kantor Wilayah Kementerian Hukum": {"hukum-umum"},
    "Bagian Hukum dan Kerjasama": {"hukum", "kerja-sama"},
    "Dinas Budi Pekerti": set(),
}
NEW_CITY = (
    "Dinas Lingkungan Hidup", "Dinas Perhubungan", "Dinas Pekerjaan Umum dan Penataan Ruang", "Dinas Sosial",
    "Dinas Kesehatan", "Dinas Pendidikan dan Kebudayaan", "Dinas Kependudukan dan Pencatatan Sipil",
    "Satuan Polisi Pamong Praja", "Inspektorat Daerah", "Perumda Air Minum Tirta Jaya", "Kelurahan Melati",
    "Kelurahan Kenanga", "Kecamatan Taman",
)  # fmt: skip
PLACES = (("Melati", "Taman"), ("Kenanga", "Taman"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kota") / "kota-baru"
    derive_from_names(NEW_CITY, PLACES, out, "Kota Baru")
    return out


@pytest.fixture(scope="module")
def city(folder: Path) -> Portal:
    return load_portal(folder)


@pytest.fixture(scope="module")
def first_day(city: Portal) -> Trained:
    return train([], city)


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_a_name_shows_its_affairs(name: str, shown: set[str]) -> None:
    assert affairs_named(name) == shown


def test_the_tables_name_only_what_there_is() -> None:
    leaves = {leaf.code for leaf in load_portal(SAMPLE).leaves}
    assert matters().keys() <= leaves
    assert {affair for found in matters().values() for affair in found} <= affairs().keys()
    assert {other for affair in affairs().values() for other in affair.otherwise} <= affairs().keys()
    assert all(affair.law for affair in affairs().values())


def test_what_nobody_is_named_after_falls_to_the_nearest_agency(city: Portal) -> None:
    def owners(affair: str) -> list[str]:
        return [city.unit_name(unit) for unit in Owners(city).of(affair)]

    assert owners("penerangan-jalan") == ["Dinas Perhubungan"]
    assert owners("pemadam") == ["Satuan Polisi Pamong Praja"]
    assert owners("kelurahan-desa") == ["Kelurahan"]
    assert owners("imigrasi") == []


def test_a_body_of_this_government_comes_before_one_outside_it(city: Portal) -> None:
    outside = Agency("pln", "PLN Kota Baru", "bumn", external=True)
    roads = Agency("dpu-provinsi", "Dinas Pekerjaan Umum Provinsi", "dinas", external=True)
    owners = Owners(replace(city, agencies=(*city.agencies, outside, roads)))
    assert owners.of("listrik") == ["pln"]
    assert owners.of("pekerjaan-umum") == ["dinas-pekerjaan-umum-dan-penataan-ruang"]


def test_two_spellings_of_one_name_are_one_owner(city: Portal) -> None:
    short = Agency("dinsos", "Dinas Sosial Kab. Baru", "dinas")
    full = Agency("dinas-sosial-kabupaten", "Dinas Sosial Kabupaten Baru", "dinas")
    owners = Owners(replace(city, agencies=(short, full)))
    assert owners.of("sosial") == ["dinas-sosial-kabupaten"]


def test_the_sample_speaks_of_the_agencies_and_categories_of_any_portal(city: Portal) -> None:
    known = known_complaints(city)
    counted = Counter(row.labels["unit"] for row in known)
    assert len(known) > 1_500
    assert set(counted) == set(city.units)
    assert all(row.received_at is None and not row.complaint.address and not row.complaint.village for row in known)
    assert all(city.may_own(city.category[row.labels["category"]], row.labels["unit"]) for row in known
               if "category" in row.labels)  # fmt: skip
    assert known_complaints(replace(city, settings={"knowledge": False})) == []


def test_a_history_made_of_the_sample_does_not_hear_it_twice(portal: Portal, city: Portal) -> None:
    sample = known_complaints(portal)
    assert History(portal, sample[:40]).knowledge == []
    own = [Example("", str(n), None, "", Complaint(f"antrean loket {n} panjang sekali"), {}) for n in range(50)]
    assert len(History(city, own).knowledge) == len(known_complaints(city))


def test_a_new_city_is_answered_on_its_first_day(first_day: Trained, city: Portal) -> None:
    asked = {
        "Lampu penerangan jalan di gang kami padam sudah tiga malam, gelap sekali.": "Dinas Perhubungan",
        "Sampah di pinggir jalan menumpuk seminggu tidak diangkut, baunya menyengat.": "Dinas Lingkungan Hidup",
        "Aspal di jalan masuk perumahan berlubang dalam, banyak motor jatuh.": (
            "Dinas Pekerjaan Umum dan Penataan Ruang"
        ),
        "Air keran di rumah tidak mengalir sejak dua hari lalu.": "Perumda Air Minum Tirta Jaya",
        "KTP elektronik saya belum juga dicetak padahal sudah rekam tiga bulan lalu.": (
            "Dinas Kependudukan dan Pencatatan Sipil"
        ),
        "Nama ibu saya hilang dari daftar penerima bantuan sosial, mohon dicek.": "Dinas Sosial",
    }
    for text, agency in asked.items():
        suggestion = first_day.router.suggest(Complaint(text))
        assert suggestion.agency.name == agency
        assert suggestion.best("category") and suggestion.best("urgency") and suggestion.best("report_type")


def test_nothing_is_automatic_before_anything_was_measured_there(first_day: Trained) -> None:
    assert first_day.router.policy.auto.shared == NEVER
    assert first_day.scores["shipped"]
    assert first_day.answered == ()


def test_an_office_is_found_by_its_place_on_the_first_day(first_day: Trained) -> None:
    text = "Surat pengantar di kantor lurah lama sekali, petugasnya tidak ada di tempat."
    there = first_day.router.suggest(Complaint(text, village="Kenanga"))
    assert there.agency.name == "Kelurahan Kenanga"
    assert first_day.router.suggest(Complaint(text)).route is Route.INCOMPLETE


WORKS = "dinas-pekerjaan-umum-dan-penataan-ruang"


def lamps_of_the_works_office() -> list[Example]:
    """A hundred complaints, one a day, in a city whose street lamps are the public works office's."""
    lamps = ("lampu jalan", "lampu penerangan", "penerangan jalan umum", "PJU", "lampu gang")
    states = ("padam", "mati total", "berkedip terus", "tidak menyala", "belum diperbaiki")
    places = ("depan toko roti", "di simpang empat", "dekat sekolah dasar", "belakang pasar ikan")
    return [
        Example(
            "",
            str(number),
            datetime(2026, 1, 1) + timedelta(days=number),
            "",
            Complaint(f"{lamp} {place} {state}"),
            {"agency": WORKS, "unit": WORKS},
        )
        for number, (state, place, lamp) in enumerate(product(states, places, lamps))
    ]


def test_labels_overrule_knowledge_where_they_speak_and_leave_it_the_rest(city: Portal) -> None:
    router = train(lamps_of_the_works_office(), city).router
    assert router.suggest(Complaint("Lampu jalan di gang kami padam")).agency.code == WORKS
    assert router.suggest(Complaint("Sampah tidak diangkut seminggu, bau")).agency.name == "Dinas Lingkungan Hidup"


def test_an_agency_with_many_labels_hears_less_of_knowledge(city: Portal) -> None:
    shipped = [row for row in known_complaints(city) if row.labels["unit"] in (WORKS, "dinas-sosial")]
    many = lamps_of_the_works_office() * 3
    counted = dict(zip([row.labels["unit"] for row in shipped], shares(shipped, many, Learning(knowledge=0.4)),
                       strict=True))  # fmt: skip
    assert counted == {WORKS: pytest.approx(0.2), "dinas-sosial": pytest.approx(0.4)}


def test_knowledge_is_left_out_of_a_model_where_it_counts_nothing(city: Portal) -> None:
    rows = lamps_of_the_works_office()
    alone = History(replace(city, settings={"knowledge": False}), rows)
    beside = History(city, rows)
    asked = [row.complaint for row in rows[:5]]
    without = Learning(knowledge=0.0)
    columns = len(city.units)
    assert beside.fit(100, without).predict(asked)[:, :columns] == pytest.approx(
        alone.fit(100, without).predict(asked)[:, :columns], abs=1e-5
    )


def test_from_a_list_of_names_to_an_answer_on_the_command_line(tmp_path: Path) -> None:
    agencies, places = tmp_path / "instansi.txt", tmp_path / "wilayah.csv"
    agencies.write_text("\n".join(NEW_CITY), "utf-8")
    places.write_text("village,district\n" + "\n".join(map(",".join, PLACES)), "utf-8")
    made = aduan(tmp_path, "portal", "init", "--agencies", agencies, "--territory", places, "--out", tmp_path / "kota")
    assert made.returncode == 0, made.stderr
    trained = aduan(tmp_path, "train", "--portal", tmp_path / "kota")
    assert trained.returncode == 0, trained.stderr
    (release,) = (tmp_path / "registry").glob("kota-*")
    assert "belum punya cukup laporan berlabel" in (release / "report.html").read_text("utf-8")
    assert "contoh bawaan" in (release / "card.md").read_text("utf-8")
    answer = aduan(tmp_path, "predict", "Sampah di depan pasar tidak diangkut seminggu, bau sekali")
    assert "Dinas Lingkungan Hidup" in answer.stdout
