"""Repeats among the complaints of a portal, from the request to the desk: linked, told apart, never dropped."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_visitor import visiting
from publisher import BIG_TOWN, publish_first, small_town
from served import RUBBISH, Service, problem, serving
from sqlalchemy import func, select

from router_model.complaint import Complaint
from router_model.registry import promote
from router_model.resemblance import signature_of
from service.database import erasure
from service.database.resemblances import OF_EACH_KEY, signature_read, written
from service.database.schema import (
    repeats,
    resemblance_keys,
    resemblance_links,
    suggestions,
)
from service.database.schema import resemblances as rows
from service.retention import sweep
from service.settings import Settings

SETTINGS = """
[resemblance]
days = 20
[resemblance.category.sampah]
days = 3
object_days = 3
"""
LAMP = "Lampu jalan mati di Jl. Hayam Wuruk No. 12 sejak kemarin malam"
OTHER_WORDS = "Tiang lampu padam, gelap sekali di Jalan Hayam Wuruk no 12"
PETITION = "Lampu jalan di taman kota jangan dimatikan tengah malam karena warga masih berolahraga dan merasa takut"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with a release in force of `kota-kecil`, which sets limits, and of `kota-besar`."""
    folder = tmp_path_factory.mktemp("kota")
    small = small_town(folder / "kota-kecil")
    with (small / "portal.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    big = small_town(folder / "kota-besar", "Kota Besar", BIG_TOWN)
    for made in (small, big):
        promote(folder / "registry", publish_first(36, made, folder / "registry"))
    return folder / "registry"


@pytest.fixture
def service(town: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", town, database_url) as started:
        yield started


def asked(service: Service, text: str = LAMP, **fields: Any) -> dict[str, Any]:
    return service.asked(text=text, **fields)


def kinds(answer: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item["kind"] for item in answer["duplicates"]}


def reason(answer: dict[str, Any]) -> str:
    return "".join(item["message"] for item in answer["reasons"] if item["code"] == "resembles")


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def test_the_same_text_again_is_linked_to_the_first_and_changes_nothing_else(service: Service) -> None:
    first = asked(service, external_id="A-1")
    again = asked(service, external_id="A-2")
    assert first["duplicates"] == [] and reason(first) == ""
    (found,) = again["duplicates"]
    assert found == {
        "id": first["id"],
        "external_id": "A-1",
        "similarity": 1.0,
        "kind": "resent",
        "label": "Dikirim ulang",
        "at": first["created_at"],
        "agency": "",
        "agency_name": "",
    }
    assert reason(again) == "Mirip dengan 1 laporan lain dalam 20 hari terakhir; 1 dikirim ulang."
    unlike = {"id", "external_id", "created_at", "duplicates", "reasons", "deadline"}
    assert {k: v for k, v in first.items() if k not in unlike} == {k: v for k, v in again.items() if k not in unlike}
    assert service.small.get(f"/v1/suggestions/{again['id']}").json() == again
    assert service.small.post("/v1/suggestions", json={"text": LAMP, "external_id": "A-2"}).json() == again


def test_a_batch_from_many_senders_is_a_campaign_once_there_are_enough(service: Service) -> None:
    complaints = [{"text": PETITION, "sender": f"akun-{turn}", "external_id": f"K-{turn}"} for turn in range(5)]
    items = service.small.post("/v1/suggestions/batch", json={"complaints": complaints}).json()["items"]
    answers = [item["suggestion"] for item in items]
    assert [sorted(kinds(answer).values()) for answer in answers] == [
        [], ["resent"], ["resent"] * 2, ["resent"] * 3, ["campaign"] * 4,
    ]  # fmt: skip
    own = asked(service, PETITION, sender="akun-2")
    assert kinds(own) == {answer["id"]: "campaign" for answer in answers} | {answers[2]["id"]: "resent"}
    assert own["duplicates"][0]["id"] == answers[2]["id"]
    assert reason(own).endswith("1 dikirim ulang, 4 kampanye dengan teks yang sama.")


def test_other_words_about_the_same_lamp_are_linked_and_another_lamp_is_not(service: Service) -> None:
    first = asked(service)
    assert kinds(asked(service, OTHER_WORDS)) == {first["id"]: "same_object"}
    assert kinds(asked(service, OTHER_WORDS.replace("12", "90"))) == {}
    assert kinds(asked(service, OTHER_WORDS.replace("Hayam Wuruk", "Nusa Indah"))) == {}
    assert kinds(asked(service, LAMP.replace("Hayam Wuruk", "Gunung Agung"))) == {}


def test_a_few_words_with_another_place_in_the_form_are_another_matter(service: Service) -> None:
    first = asked(service, "lampu jalan mati", location={"village": "Sidakarya"})
    assert kinds(asked(service, "lampu jalan mati", location={"village": "Sesetan"})) == {}
    assert kinds(asked(service, "lampu jalan mati!", location={"village": "Sidakarya"})) == {first["id"]: "resent"}


def test_where_a_complaint_points_to_tells_what_it_is_about(service: Service) -> None:
    def at(text: str, lat: float) -> dict[str, Any]:
        return asked(service, text, location={"lat": lat, "lon": 115.212345678})

    first = at("Lampu jalan mati dekat sekolah kami sejak kemarin", -8.670512345)
    near = at("Lampu jalan dekat sekolah padam", -8.6708)
    assert kinds(near) == {first["id"]: "same_object"}
    assert kinds(at("Lampu jalan mati dekat sekolah kami sejak kemarin", -8.68)) == {}
    with service.database.connect() as connection:
        kept = connection.execute(select(rows.c.lat, rows.c.lon).order_by(rows.c.id)).all()
    assert kept == [(-8.6705, 115.2123), (-8.6708, 115.2123), (-8.68, 115.2123)]


def test_portals_never_see_each_other(service: Service) -> None:
    asked(service, sender="akun-1")
    theirs = service.big.post("/v1/suggestions", json={"text": LAMP, "sender": "akun-1"}).json()
    assert theirs["duplicates"] == []
    with service.database.connect() as connection:
        senders = connection.scalars(select(rows.c.sender)).all()
    assert len(set(senders)) == 2


def test_a_category_has_its_own_days_and_the_moment_it_was_said_counts(service: Service) -> None:
    asked(service, received_at=days_ago(10))
    asked(service, RUBBISH, received_at=days_ago(10))
    assert len(asked(service)["duplicates"]) == 1
    assert asked(service, RUBBISH)["duplicates"] == []
    assert len(asked(service, RUBBISH, received_at=days_ago(2))["duplicates"]) == 1
    assert asked(service, received_at="9999-12-31T00:00:00Z")["duplicates"] == []


def test_an_earlier_one_tells_where_it_went_but_not_while_somebody_is_still_to_look(service: Service) -> None:
    first = asked(service, external_id="A-1")
    service.small.post("/v1/dispositions", json={"suggestion_id": first["id"], "agency": "Dinas Perhubungan"})
    (found,) = asked(service)["duplicates"]
    assert found["agency_name"] == "Dinas Perhubungan" and found["agency"]
    with service.database.begin() as connection:
        connection.execute(suggestions.update().where(suggestions.c.id == first["id"]).values(state="second"))
    assert {item["agency"] for item in asked(service)["duplicates"]} == {""}


def test_after_a_refusal_the_answer_still_names_them(service: Service) -> None:
    first = asked(service)
    again = asked(service)
    agency = again["agencies"][0]["code"]
    refused = {"suggestion_id": again["id"], "refused_by": agency}
    assert service.small.post("/v1/dispositions", json=refused).is_success
    kept = service.small.get(f"/v1/suggestions/{again['id']}").json()
    assert kept["refused"] and kinds(kept) == {first["id"]: "resent"} and reason(kept) == reason(again)


def test_an_erased_complaint_is_not_found_and_not_named_any_more(service: Service) -> None:
    gone = asked(service, external_id="A-1", sender="akun-1", location={"lat": -8.6705, "lon": 115.2126})
    headers = {"Idempotency-Key": "k"}
    body = {"text": LAMP, "external_id": "A-2"}
    kept = service.small.post("/v1/suggestions", json=body, headers=headers).json()
    assert kinds(kept) == {gone["id"]: "resent"}
    with service.database.begin() as connection:
        erased = erasure.erase(connection, "kota-kecil", "A-1", "uji")
    assert (erased["resemblances"], erased["resemblance_links"]) == (1, 1)
    after = service.small.get(f"/v1/suggestions/{kept['id']}")
    reasons = [item for item in kept["reasons"] if item["code"] != "resembles"]
    assert len(reasons) < len(kept["reasons"])
    assert after.json() == {**kept, "duplicates": [], "reasons": reasons}
    with service.database.connect() as connection:
        assert gone["id"] not in "".join(connection.scalars(select(repeats.c.answer)))
        assert connection.scalars(select(rows.c.suggestion_id)).all() == [kept["id"]]
        assert connection.scalars(select(resemblance_keys.c.resemblance).distinct()).all() == [2]
        assert connection.scalar(select(func.count()).select_from(resemblance_links)) == 0
    assert kinds(asked(service)) == {kept["id"]: "resent"}


def test_the_sweep_forgets_what_nothing_resembles_any_more(service: Service) -> None:
    asked(service)
    asked(service)
    settings = Settings(home=service.home, keep_days=0)
    sweep(service.database, settings, datetime.now(UTC) + timedelta(days=19))
    with service.database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(rows)) == 2
    sweep(service.database, settings, datetime.now(UTC) + timedelta(days=21))
    with service.database.connect() as connection:
        for table in (rows, resemblance_keys):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
        assert connection.scalar(select(func.count()).select_from(suggestions)) == 2


def test_a_long_campaign_is_counted_and_only_ten_are_named(service: Service) -> None:
    complaints = [{"text": PETITION, "sender": f"akun-{turn}"} for turn in range(OF_EACH_KEY + 15)]
    assert service.small.post("/v1/suggestions/batch", json={"complaints": complaints}).is_success
    answer = asked(service, PETITION)
    assert len(answer["duplicates"]) == 10
    assert f"Mirip dengan {OF_EACH_KEY + 15} laporan lain" in reason(answer)


def test_two_that_come_at_the_same_time_see_each_other(town: Path, tmp_path: Path, database_url: str) -> None:
    """Through two services with one database, as two processes would."""

    async def together(first: Service, second: Service) -> list[dict[str, Any]]:
        def ask(service: Service) -> dict[str, Any]:
            return asked(service)

        return list(await asyncio.gather(*(asyncio.to_thread(ask, one) for one in (first, second) * 4)))

    with (
        serving(tmp_path / "one", town, database_url) as first,
        serving(tmp_path / "two", town, database_url) as second,
    ):
        answers = asyncio.run(together(first, second))
    assert sorted(len(answer["duplicates"]) for answer in answers) == list(range(8))


@pytest.mark.parametrize("sender", ["Budi Santoso", "081338765210", "5171034507890002", "budi@contoh.id", "a" * 101])
def test_a_sender_that_tells_who_it_is_is_refused(service: Service, sender: str) -> None:
    refused = problem(service.small.post("/v1/suggestions", json={"text": LAMP, "sender": sender}), 422)
    assert refused["errors"][0]["field"] == "sender"
    assert sender not in str(refused)
    assert refused["errors"][0]["message"] in {
        "terlalu panjang",
        "harus acuan acak tanpa data pribadi: hanya huruf, angka, dan . : + / = _ -",
    }


def test_a_sender_is_kept_only_as_a_hash_with_a_secret(service: Service) -> None:
    asked(service, sender="3f1c9a7e-akun")
    with service.database.connect() as connection:
        (kept,) = connection.scalars(select(rows.c.sender))
        complaint = connection.scalar(select(suggestions.c.complaint))
    assert len(kept) == 32 and "akun" not in kept
    assert "sender" not in (complaint or "")


def test_the_desk_shows_what_may_be_the_same_and_where_it_went(service: Service) -> None:
    first = asked(service, title="Lampu gang mati")
    again = asked(service, OTHER_WORDS)
    with visiting(service, "luh") as luh:
        page = luh.get(f"/desk/{again['id']}")
        section = page[page.index('id="mungkin-sama"') : page.index('id="serupa"')]
        assert f'href="/desk/riwayat/{first["id"]}"' in section
        assert "Laporan lain tentang hal yang sama · " in section and "belum ada putusan" in section
        assert luh.get(f"/desk/riwayat/{first['id']}")
        chosen = {"suggestion_id": first["id"], "agency": "Dinas Perhubungan"}
        assert service.small.post("/v1/dispositions", json=chosen).is_success
        page = luh.get(f"/desk/{again['id']}")
    section = page[page.index('id="mungkin-sama"') :]
    assert "<strong>Dinas Perhubungan</strong>" in section
    assert section.count(first["id"]) == 1


def test_a_signature_is_read_as_it_was_written() -> None:
    for text in ("lampu", LAMP, " ".join(f"kata{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300))):
        signature = signature_of(Complaint(text=text, village="Ubung"))
        assert signature
        assert signature_read(written(signature)) == signature
