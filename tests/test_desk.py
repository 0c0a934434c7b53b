"""The review desk over HTTP, as a browser without script uses it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk_visitor import LAMPS, ROADS, RUBBISH_OFFICE, Visitor, changed, emptied, visiting
from served import LAMP, RUBBISH, Service, serving
from sqlalchemy import select

from service.database.schema import dispositions, judgements, skips, suggestions

EVERYWHERE = ("/desk", "/desk/riwayat", "/desk/kemajuan")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, towns: Path) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("desk")
    with serving(home, towns, f"sqlite:///{home / 'aduan.db'}") as found:
        yield found


@pytest.fixture
def service(running: Service) -> Service:
    """Without a complaint."""
    emptied(running)
    return running


@pytest.fixture(scope="module")
def luh(running: Service) -> Iterator[Visitor]:
    with visiting(running, "luh") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def made(running: Service) -> Iterator[Visitor]:
    with visiting(running, "made") as visitor:
        yield visitor


def asked(service: Service, **complaint: object) -> str:
    found: str = service.asked(**complaint)["id"]
    return found


def checked(page: str) -> set[str]:
    """Values of the radio buttons that are on, and of the options that are chosen in a list that is."""
    return set(re.findall(r'value="([^"]+)"[^>]* (?:checked|selected)>', page)) - {""}


def test_the_desk_opens_on_the_next_complaint_with_everything_filled_in(service: Service, luh: Visitor) -> None:
    title, text = "Lampu mati <b>gelap</b>", f"{LAMP}. Hubungi saya 0812 3456 7890"
    location = {"address": "Jl. Melati 4", "village": "Sumberejo"}
    suggestion_id = asked(
        service, title=title, text=text, external_id="A-17", channel="whatsapp", location=location, confidential=True,
        report_type="pengaduan",
    )  # fmt: skip
    page = luh.get("/desk")
    assert luh.gets() == suggestion_id
    assert re.search(r'<mark class="strength-3">Lampu</mark> <mark class="strength-\d">jalan</mark>', page)
    assert "0812" not in page
    assert "[TELEPON]" in page
    assert "<b>gelap" not in page
    for told in (
        "Jl. Melati 4, Sumberejo",
        "whatsapp",
        "A-17",
        "Rahasia",
        "Model belum cukup yakin",
        "Tenggat</dt><dd>–",
    ):
        assert told in page, told
    assert {LAMPS, "lampu-jalan", "pengaduan"} <= checked(page)
    names = re.findall(r'data-candidate data-name="([^"]+)"', page)
    assert (names[0], len(names)) == ("Dinas Perhubungan", 3)
    ranked = page[page.index("data-candidate") :]
    assert ranked.index(names[0]) < ranked.index("hampir selalu ada di atas") < ranked.index(names[1])


def test_a_right_suggestion_is_saved_by_the_one_button_and_the_next_complaint_comes(
    service: Service, luh: Visitor
) -> None:
    first, second = asked(service), asked(service, text=RUBBISH)
    shown = luh.gets()
    page = luh.get("/desk")
    answer = luh.decide(shown, kategori="lampu-jalan", detik="3.4", alasan="=SUM(A1) dari 0812 3456 7890")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk?pesan=tersimpan")
    assert {shown, luh.gets()} == {first, second}
    after = luh.get(answer.headers["location"])
    assert "Tersimpan: Dinas Perhubungan. Tekan z untuk membatalkan." in after
    assert f'action="/desk/{shown}/batal" data-undo' in after
    assert "Anda hari ini: <strong>1</strong>" in after
    assert "Anda hari ini: <strong>0</strong>" in page
    with service.database.connect() as connection:
        kept = connection.execute(select(dispositions)).mappings().one()
        said = connection.execute(select(judgements)).mappings().one()
    assert (kept["agency"], kept["category"], kept["by"], kept["source"]) == (LAMPS, "lampu-jalan", "luh", "review")
    assert kept["reason"] == "=SUM(A1) dari [TELEPON]"
    assert said["seconds"] == 3.4


def test_the_browser_is_not_believed_any_time_on_the_screen(service: Service, luh: Visitor) -> None:
    typed = {"": None, "-3": None, "nan": None, "x": None, "1e9": 3_600.0, "2.5": 2.5}
    for number, seconds in enumerate(typed):
        asked(service, text=f"{LAMP} nomor {number}")
        assert luh.decide(luh.gets(), detik=seconds).status_code == 303
    with service.database.connect() as connection:
        kept = connection.scalars(select(judgements.c.seconds).order_by(judgements.c.created_at))
        assert list(kept) == list(typed.values())


def test_a_form_sent_twice_is_kept_once(service: Service, luh: Visitor) -> None:
    asked(service)
    shown = luh.gets()
    assert [luh.decide(shown).status_code for _ in range(2)] == [303, 303]
    with service.database.connect() as connection:
        assert len(connection.execute(select(dispositions)).all()) == 1


def test_any_agency_can_be_chosen_from_the_list_of_all(service: Service, luh: Visitor) -> None:
    asked(service)
    luh.decide(luh.gets(), "lain", instansi_lain=ROADS)
    with service.database.connect() as connection:
        assert connection.scalar(select(dispositions.c.agency)) == ROADS


def test_a_form_that_cannot_be_kept_comes_back_with_what_was_typed(service: Service, luh: Visitor) -> None:
    asked(service)
    address, typed = f"/desk/{luh.gets()}/putusan", {"alasan": "sudah <tanya> lurah", "urgensi": "tinggi"}
    for fault, fields in {
        "Pilih dahulu instansinya.": {"instansi": "lain"},
        "Pilih salah satu.": {"instansi": LAMPS, "instansi_lain": ROADS},
        "Instansi tidak dikenal.": {"instansi": "tidak-ada"},
        "Kategori tidak dikenal.": {"instansi": LAMPS, "kategori": "tidak-ada"},
    }.items():
        answer = luh.post(address, **typed, **fields)
        assert (answer.status_code, answer.text.count(fault)) == (422, 2), fault
        assert 'value="sudah &lt;tanya&gt; lurah"' in answer.text
        assert {"tinggi", fields.get("instansi_lain", "tinggi")} <= checked(answer.text)
    with service.database.connect() as connection:
        assert connection.execute(select(dispositions)).all() == []


def test_who_skips_gives_a_reason_and_does_not_get_it_again(service: Service, luh: Visitor, made: Visitor) -> None:
    suggestion_id = asked(service)
    assert luh.gets() == suggestion_id
    assert luh.post(f"/desk/{suggestion_id}/lewati").status_code == 422
    answer = luh.post(f"/desk/{suggestion_id}/lewati", alasan="Bukan bidang saya")
    assert answer.headers["location"] == "/desk?pesan=dilewati"
    assert "Dilewati: Bukan bidang saya. Tekan z untuk membatalkan." in luh.get("/desk?pesan=dilewati")
    assert luh.gets() == ""
    assert made.gets() == suggestion_id
    assert luh.post(f"/desk/{suggestion_id}/batal").status_code == 303
    with service.database.connect() as connection:
        assert connection.execute(select(skips)).all() == []


def test_what_was_saved_is_taken_back_and_shown_again(service: Service, luh: Visitor) -> None:
    first, _ = asked(service), asked(service, text=RUBBISH)
    changed(service, first, priority=900.0)
    luh.decide(luh.gets(), RUBBISH_OFFICE)
    answer = luh.post(f"/desk/{first}/batal")
    assert answer.headers["location"] == f"/desk/{first}?pesan=dibatalkan"
    page = luh.get(answer.headers["location"])
    assert "Dibatalkan. Laporan ini kembali kepada Anda." in page
    assert f'data-hold="/desk/{first}/pegang"' in page
    assert LAMPS in checked(page)


def test_two_people_get_two_complaints_and_who_comes_too_late_loses_nothing(
    service: Service, luh: Visitor, made: Visitor
) -> None:
    asked(service), asked(service, text=RUBBISH)
    mine, theirs = luh.gets(), made.gets()
    assert mine != theirs
    refused = made.decide(mine, RUBBISH_OFFICE, alasan="catatan panjang", kategori="sampah")
    assert refused.status_code == 409
    for told in ("sedang dilihat luh", "Dinas Kebersihan", "Sampah", "catatan panjang", "/desk/riwayat/"):
        assert told in refused.text, told
    assert made.get(f"/desk/{mine}", 409).count("sedang dilihat luh") == 1
    assert luh.decide(mine).status_code == 303
    assert "sudah diputuskan" in made.get(f"/desk/{mine}", 409)


def test_the_lease_is_kept_while_the_page_is_open_and_given_back_on_leaving(
    service: Service, luh: Visitor, made: Visitor
) -> None:
    suggestion_id = asked(service)
    luh.gets()
    header = {"X-CSRF-Token": luh.csrf}
    assert luh.client.post(f"/desk/{suggestion_id}/pegang", headers=header).json() == {"held": True}
    assert made.gets() == ""
    left = luh.post(f"/desk/{suggestion_id}/kembali")
    assert left.headers["location"] == "/desk/kemajuan?pesan=dikembalikan"
    assert "dikembalikan ke antrean" in luh.get(left.headers["location"])
    assert made.gets() == suggestion_id
    assert luh.client.post(f"/desk/{suggestion_id}/pegang", headers=header).json() == {"held": False}


def test_every_act_needs_the_token_of_the_session(service: Service, luh: Visitor, made: Visitor) -> None:
    suggestion_id = asked(service)
    luh.gets()
    for act in ("putusan", "lewati", "batal", "pegang", "kembali"):
        for token in ({}, {"csrf": made.csrf}):
            fields = {"instansi": LAMPS, "alasan": "x", **token}
            assert luh.client.post(f"/desk/{suggestion_id}/{act}", data=fields).status_code == 403, act
    with service.database.connect() as connection:
        assert connection.execute(select(dispositions)).all() == []


def test_only_those_who_review_open_the_desk(service: Service, luh: Visitor) -> None:
    suggestion_id = asked(service)
    stranger = luh.client.get("/desk", headers={"Cookie": ""})
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/masuk?lanjut=/desk")
    with visiting(service, "wayan", "auditor") as auditor:
        for path in ("/desk", f"/desk/{suggestion_id}", "/desk/alarm", "/desk/kemajuan"):
            auditor.get(path, 403)
        assert auditor.decide(suggestion_id).status_code == 403
        assert "data-alarm" not in auditor.get("/desk/riwayat")
    for role in ("senior", "admin"):
        with visiting(service, role, role) as visitor:
            assert "Meja tinjau" in visitor.get("/desk")


def test_complaints_of_another_portal_do_not_exist(service: Service, luh: Visitor) -> None:
    foreign = service.big.post("/v1/suggestions", json={"text": "pohon tumbang menutup jalan"}).json()["id"]
    assert luh.gets() == ""
    for path in (f"/desk/{foreign}", f"/desk/riwayat/{foreign}"):
        luh.get(path, 404)
    for act in ("putusan", "lewati", "batal"):
        fields = {"instansi": LAMPS, "alasan": "x"}
        assert luh.post(f"/desk/{foreign}/{act}", **fields).status_code == 404, act
    header = {"X-CSRF-Token": luh.csrf}
    assert luh.client.post(f"/desk/{foreign}/pegang", headers=header).json() == {"held": False}


def test_a_second_look_shows_nothing_of_the_first(service: Service, luh: Visitor, made: Visitor) -> None:
    twice, other = asked(service), asked(service, text=f"{LAMP}, tiang kedua")
    changed(service, twice, looks=2, priority=900.0)
    first = luh.get("/desk")
    luh.decide(twice, ROADS, alasan="rahasia pertama")
    luh.post(f"/desk/{other}/kembali")
    second = made.get(f"/desk/{twice}")
    hidden = ("luh", "rahasia pertama", "kedua kali", "menunggu petugas lain")
    assert [word for word in hidden if word in second] == []
    assert checked(second) == checked(first)

    def look(page: str) -> str:
        """The page without what differs between any two people and moments."""
        main = page[page.index('<div class="review">') : page.index("<dialog")]
        return re.sub(r'name="csrf" value="[^"]+"|<time.*?</time>', "", main)

    assert look(second) == look(first)
    assert twice not in made.get("/desk/riwayat")
    assert "rahasia pertama" not in made.get(f"/desk/riwayat/{twice}")
    assert twice in luh.get("/desk/riwayat")
    assert made.decide(twice, ROADS).status_code == 303
    assert "Tersimpan: Dinas Pekerjaan Umum" in made.get("/desk?pesan=tersimpan")
    assert "Anda hari ini: <strong>1</strong>" in made.get("/desk")
    assert "rahasia pertama" in made.get(f"/desk/riwayat/{twice}")


def test_the_queue_tells_no_second_look_from_a_first(service: Service, luh: Visitor, made: Visitor) -> None:
    twice = changed(service, asked(service), looks=2)
    luh.gets()
    luh.decide(twice)
    page = made.get("/desk")
    assert "Menunggu: <strong>1</strong></span>\n    <span>perlu dilihat 1</span>" in page


def test_a_third_person_sees_two_views_without_names_and_has_to_choose(
    service: Service, luh: Visitor, made: Visitor
) -> None:
    differing = changed(service, asked(service), looks=2)
    luh.gets()
    luh.decide(differing, ROADS, kategori="jalan-rusak", urgensi="tinggi")
    made.gets()
    made.decide(differing, RUBBISH_OFFICE, kategori="sampah", urgensi="tinggi")
    with visiting(service, "nyoman", "senior") as nyoman:
        page = nyoman.get("/desk")
        assert "Dua petugas menilainya berbeda" in page
        assert "Dinas Pekerjaan Umum · Jalan rusak · urgensi tinggi" in page
        assert "Dinas Kebersihan · Sampah · urgensi tinggi" in page
        assert "luh" not in page
        assert "made" not in page
        offered = re.findall(r'data-candidate data-name="([^"]+)"', page)
        assert offered[:2] == ["Dinas Kebersihan", "Dinas Pekerjaan Umum"]
        assert checked(page) == {"tinggi"}
        assert nyoman.post(f"/desk/{differing}/putusan", urgensi="tinggi").status_code == 422
        assert nyoman.decide(differing, ROADS).status_code == 303
        assert "nyoman</strong> menentukan" in nyoman.get(f"/desk/riwayat/{differing}")


def test_a_sampled_sure_answer_looks_like_a_fairly_sure_one(service: Service, luh: Visitor) -> None:
    sure = asked(service)
    answer = service.small.get(f"/v1/suggestions/{sure}").text.replace('"low_confidence"', '"sure"')
    answer = answer.replace("Model belum cukup yakin instansi mana yang berwenang.", "Model sangat yakin.")
    changed(service, sure, route="auto", sampled=True, answer=answer)
    page = luh.get("/desk")
    assert "Model cukup yakin dengan instansinya." in page
    assert "route-prefill" in page
    assert "sudah dipilihkan 1" in page
    assert "langsung diteruskan" not in page
    assert "sangat yakin" not in page
    assert ">auto<" not in page


def test_similar_earlier_complaints_are_shown_with_where_they_went(service: Service, luh: Visitor) -> None:
    lamp, twin = asked(service, title="Lampu gang mati"), asked(service, text=f"{LAMP}, depan gerbang")
    rubbish = asked(service, text="kambing masuk pekarangan")
    for suggestion_id, agency in ((lamp, ROADS), (rubbish, RUBBISH_OFFICE)):
        luh.get(f"/desk/{suggestion_id}")
        luh.decide(suggestion_id, agency)
    page = luh.get(f"/desk/{twin}")
    similar = page[page.index('id="serupa"') :]
    assert f'<a href="/desk/riwayat/{lamp}">Lampu gang mati. {LAMP}</a>' in similar
    assert "<strong>Dinas Pekerjaan Umum</strong>" in similar
    assert "kambing" not in page


def test_filters_narrow_the_queue_are_kept_in_the_address_and_never_hide_an_emergency(
    service: Service, luh: Visitor
) -> None:
    lamp, rubbish = asked(service, channel="web"), asked(service, text=RUBBISH, channel="telepon")
    query = f"?instansi={RUBBISH_OFFICE}&kanal=telepon"
    page = luh.get(f"/desk{query}")
    assert f'data-hold="/desk/{rubbish}/pegang"' in page
    kept = f"?instansi={RUBBISH_OFFICE}&amp;kanal=telepon"
    assert f'action="/desk/{rubbish}/putusan{kept}"' in page
    assert "Dinas Kebersihan · telepon" in page
    saved = luh.post(f"/desk/{rubbish}/putusan{query}", instansi=RUBBISH_OFFICE)
    assert saved.headers["location"] == f"/desk{query}&pesan=tersimpan"
    assert "Tidak ada laporan dengan saringan ini" in luh.get(saved.headers["location"])
    assert luh.get("/desk?instansi=tidak-ada&umur=-1&rute=auto").count(f'data-hold="/desk/{lamp}/pegang"') == 1
    changed(service, lamp, route="emergency")
    assert f'data-hold="/desk/{lamp}/pegang"' in luh.get(f"/desk{query}")


def test_an_emergency_stands_out_and_calls_on_every_other_page(service: Service, luh: Visitor, made: Visitor) -> None:
    assert luh.client.get("/desk/alarm").json()["shown"] is False
    minutes = datetime.now(UTC) - timedelta(minutes=2, seconds=5)
    urgent = changed(service, asked(service), route="emergency", created_at=minutes)
    for path in (*EVERYWHERE[1:], f"/desk/riwayat/{urgent}"):
        page = luh.get(path)
        assert re.search(r'class="siren is-loud" role="alert" [^>]*data-loud="1">', page), path
        assert "1 laporan darurat menunggu sejak 2 menit." in page
        assert f'href="/desk/{urgent}"' in page
    assert luh.client.get("/desk/alarm").json() == {
        "shown": True,
        "loud": True,
        "words": "1 laporan darurat menunggu sejak 2 menit.",
        "address": f"/desk/{urgent}",
        "on_screen": False,
    }
    shown = luh.get("/desk")
    assert 'class="desk is-emergency"' in shown
    assert "Hubungi petugas jaga sekarang" in shown
    assert re.search(r'role="alert" data-alarm[^>]* hidden>', shown)
    assert luh.client.get(f"/desk/alarm?di={urgent}").json()["shown"] is False
    told = made.client.get("/desk/alarm").json()
    assert (told["shown"], told["loud"]) == (True, False)
    changed(service, urgent, created_at=datetime.now(UTC) - timedelta(minutes=11))
    assert made.client.get("/desk/alarm").json()["loud"] is True
    luh.decide(urgent)
    assert made.client.get("/desk/alarm").json()["shown"] is False


def test_an_empty_queue_says_so_with_the_figures_of_today(service: Service, luh: Visitor) -> None:
    asked(service)
    luh.decide(luh.gets())
    page = luh.get("/desk")
    assert "Antrean kosong" in page
    assert re.search(r"Anda putuskan hari ini</dt><dd>1</dd>", page)
    assert re.search(r"Sesuai saran model</dt><dd>100 %</dd>", page)


def test_without_an_answer_of_the_model_people_choose_from_all(service: Service, luh: Visitor) -> None:
    asked_id = asked(service)
    answer = service.small.get(f"/v1/suggestions/{asked_id}").json()
    changed(service, asked_id, agency=None, answer=_unanswered(answer))
    page = luh.get("/desk")
    assert "Model tidak memberi calon" in page
    assert checked(page) == set()
    assert luh.decide(asked_id, "lain", instansi_lain=ROADS).status_code == 303
    with service.database.connect() as connection:
        assert connection.scalar(select(suggestions.c.state).where(suggestions.c.id == asked_id)) == "done"


def _unanswered(answer: dict[str, object]) -> str:
    return json.dumps({**answer, "agencies": [], "candidates": 0, "category": [], "explanation": [], "reasons": []})


def test_a_portal_without_a_release_says_so(service: Service) -> None:
    with visiting(service, "putu", portal="kota-baru") as putu:
        assert "belum punya rilis" in putu.get("/desk")
        assert "Belum ada keputusan" in putu.get("/desk/riwayat")
        putu.get("/desk/kemajuan")
        assert putu.decide("x").status_code == 409


def test_pages_hold_no_script_or_style_of_their_own(service: Service, luh: Visitor) -> None:
    asked(service)
    for path in EVERYWHERE:
        page = luh.get(path)
        assert re.search(r"<style|\sstyle=|\son\w+=", page) is None, path
        scripts = re.findall(r"<script([^>]*)>", page)
        assert all('src="/static/' in script or 'type="application/json"' in script for script in scripts), path
        assert page.count("<h1") == 1, path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
