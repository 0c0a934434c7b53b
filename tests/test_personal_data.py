"""What identifies a person is masked; what a city needs to act on stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.personal_data import MASKS, find_personal_data, mask_personal_data
from router_model.portal import Portal
from router_model.tokens import normal_words


def masked(text: str) -> str:
    return mask_personal_data(text)[0]


@pytest.mark.parametrize(
    "number", ["5171014508950001", "5171 0145 0895 0001", "5171.0145.0895.0001", "517101-450895-0001"]
)
@pytest.mark.parametrize("frame", ["NIK saya {}", "no KK: {}.", "({})", "NIK{}", "NIK saya:{},mohon dicek"])
def test_identity_and_family_card_numbers_are_masked(frame: str, number: str) -> None:
    assert masked(frame.format(number)) == frame.format("[KK]" if "KK" in frame else "[NIK]")


@pytest.mark.parametrize(
    "number",
    [
        "081234567890",
        "0812-3456-7890",
        "0812 3456 7890",
        "0812.3456.7890",
        "+6281234567890",
        "+62 812-3456-7890",
        "62 812 3456 7890",
        "0 8 1 2 3 4 5 6 7 8 9 0",
    ],
)
@pytest.mark.parametrize("frame", ["hubungi {} ya", "WA:{}", "Terima kasih.{}", "hubungi,{}", "{}.", "wa.me/{}"])
def test_mobile_numbers_are_masked_however_they_are_written(frame: str, number: str) -> None:
    assert masked(frame.format(number)) == frame.format("[TELEPON]")


@pytest.mark.parametrize("text", ["telp 0361-7654321", "Telepon: (0361) 765432", "wa 0361 765 4321", "hp 0361.765432"])
def test_a_landline_that_is_said_to_be_a_phone_is_masked(text: str) -> None:
    assert "[TELEPON]" in masked(text)
    assert "765" not in masked(text)


@pytest.mark.parametrize("number", ["(0812) 3456 7890", "+62 (0)812 3456 7890"])
def test_no_digit_of_a_number_with_brackets_is_left(number: str) -> None:
    assert not any(character.isdigit() for character in masked(f"hubungi {number}").replace("62", "").replace("0", ""))


@pytest.mark.parametrize("text", ["made.sari@contoh.co.id", "I_Made+adu@contoh.id."])
def test_mail_addresses_are_masked(text: str) -> None:
    assert masked(f"surel {text}") in ("surel [SUREL]", "surel [SUREL].")


@pytest.mark.parametrize("plate", ["DK 1234 AB", "DK1234AB", "B 9 XYZ"])
def test_number_plates_are_masked(plate: str) -> None:
    assert masked(f"mobil {plate} parkir liar") == "mobil [PELAT] parkir liar"


@pytest.mark.parametrize(
    "text",
    [
        "rekening BCA 123-456-7890 atas nama",
        "no rek 7720012345, atas nama",
        "id pelanggan 512345678901",
        "transfer ke 7720012345678.",
    ],
)
def test_account_and_customer_numbers_are_masked(text: str) -> None:
    assert "[NOMOR]" in masked(text)
    assert not any(character.isdigit() for character in masked(text))


@pytest.mark.parametrize(
    "text",
    [
        "biaya Rp 1.500.000 per bulan",
        "anggaran Rp1.250.000.000,00 untuk jalan",
        "dipungut Rp 50.000,- per orang",
        "denda Rp1500000000",
        "sejak 12-04-2025 jam 08.30",
        "sejak 2025-04-07 15:28 padam",
        "pada 07/04/2025 pukul 15:28 WITA",
        "tahun 2023 2024 2025 sama saja",
        "Jl. Gatot Subroto No. 123A, gang 12/45",
        "RT 003 RW 012 blok C 12",
        "jalan nasional km 12 500",
        "tiang PJU nomor 12345",
    ],
)
def test_money_dates_and_road_numbers_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "sudah telepon 112, 110 dan 129",
        "110 112 113 119 129 tidak ada yang angkat",
        "Pusdalops 0361-223333 tidak diangkat",
        "Pusdalops (0361) 223333",
        "SPAN-LAPOR 1708, PLN 123, Halo BPJS 165",
        "call center 1500-123",
    ],
)
def test_official_and_emergency_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_the_emergency_numbers_of_the_portal_stay(portal: Portal) -> None:
    assert portal.emergency_contacts
    for contact in portal.emergency_contacts:
        text = f"sudah coba {contact.name} di {contact.number} berkali-kali"
        assert masked(text) == text


def test_full_width_and_hidden_digits_do_not_slip_through() -> None:
    for number in ("０８１２３４５６７８９０", "08\u200b12\u200b3456\u200b7890", "&#48;812 3456 7890"):
        complaint, found = cleaned(Complaint(text=f"hubungi {number} ya"))
        assert complaint.text == "hubungi [TELEPON] ya"
        assert [item.item.kind for item in found] == ["phone"]


def test_every_free_field_is_masked_and_says_where() -> None:
    number = "081234567890"
    complaint, found = cleaned(Complaint(text=f"a {number}", title=number, address=f"Jl. X {number}"))
    assert [(item.field, item.item.kind) for item in found] == [(f, "phone") for f in ("title", "text", "address")]
    assert number not in repr(complaint)


@given(st.text(st.sampled_from("0123456789 .,-+@abcDKAB[]()\n"), max_size=80))
def test_finds_are_in_order_apart_and_inside_the_text(text: str) -> None:
    found = find_personal_data(text)
    edges = [edge for item in found for edge in (item.start, item.end)]
    assert edges == sorted(edges)
    assert all(0 <= item.start < item.end <= len(text) and item.kind in MASKS for item in found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("BPJS 0001234567890", "BPJS [BPJS]"),
        ("NPWP 09.254.294.3-407.000", "NPWP [NPWP]"),
        ("profil https://www.facebook.com/ketut.rajin.77 itu", "profil [TAUTAN] itu"),
        ("peta https://www.google.com/maps?q=-8.65,115.21", "peta https://www.google.com/maps?q=-8.65,115.21"),
        ("hubungi kosong delapan satu dua tiga empat lima enam tujuh delapan sembilan", "hubungi [TELEPON]"),
        ("Ibu Sari Murti, NIK 5171014508950001", "Ibu [NAMA], NIK [NIK]"),
        ("nama saya tidak terdaftar", "nama saya tidak terdaftar"),
    ],
)
def test_each_kind_has_its_own_mask(text: str, wanted: str) -> None:
    assert masked(text) == wanted


def test_digits_of_other_scripts_and_key_caps_do_not_slip_through() -> None:
    for number in ("٠٨١٢٣٤٥٦٧٨٩٠", "0️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣9️⃣0️⃣"):
        assert cleaned(Complaint(text=f"hubungi {number} ya"))[0].text == "hubungi [TELEPON] ya"


def test_numbers_that_the_portal_gives_out_stay_and_a_persons_do_not(portal: Portal) -> None:
    assert "0361223333" in portal.official_numbers
    text = "telepon 0361-223333 atau +62 361 223333, hp saya 081234567890"
    clean, _ = cleaned(Complaint(text=text), portal.official_numbers)
    assert clean.text == "telepon 0361-223333 atau +62 361 223333, hp saya [TELEPON]"


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_is_no_word(kind: str) -> None:
    assert normal_words(f"air {MASKS[kind]} mati") == ("air", "mati")
