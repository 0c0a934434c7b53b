"""Releases on the admin desk: listed, compared on the same complaints, put in force and taken back."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from publisher import copy_release, small_town
from served import Service, serving
from signed_in import Person, signed_in
from sqlalchemy import select
from test_learning import FIRST_DAY, Rows, learnable, shuffled, town_history

from router_model.portal import load_portal
from router_model.registry import champions, history
from router_model.release import open_release, read_manifest, sealed
from service.admin.comparison import compared
from service.database import audit, datasets, webhooks
from service.database.schema import webhook_messages
from training.comparison import class_changes, difference, read_pairs
from training.learning import learn
from training.publishing import publish_wish
from training.wishes import Wish

SMALL, BIG = "kota-kecil", "kota-besar"
PAGE = "/admin/rilis"


@dataclass(frozen=True)
class Town:
    """A registry in which `old` was in force, then `new`; `refused` met `new` and was not. The rows are what they
    learned from."""

    registry: Path
    old: str
    new: str
    refused: str
    rows: Rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Town:
    home = tmp_path_factory.mktemp("town")
    folder, registry = small_town(home / "portal"), home / "registry"
    portal, raw = load_portal(folder), town_history(460, days=129)
    old = learn(learnable(raw[:400], portal), folder, registry, by="made", now=FIRST_DAY)
    new = learn(learnable(raw, portal), folder, registry, by="user:wayan", now=FIRST_DAY + timedelta(days=1))
    spoilt = learnable(shuffled(raw[:391]) + raw[391:], portal)
    refused = learn(spoilt, folder, registry, now=FIRST_DAY + timedelta(days=2))
    assert (new.in_force, refused.in_force) == (True, False)
    return Town(registry, old.release, new.release, refused.release, raw)


@pytest.fixture
def town(made: Town, tmp_path: Path) -> Town:
    """A copy to change."""
    registry = Path(shutil.copytree(made.registry, tmp_path / "registry"))
    return Town(registry, made.old, made.new, made.refused, made.rows)


@pytest.fixture
def service(town: Town, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", town.registry, database_url) as served:
        yield served


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


@pytest.fixture
def auditor(service: Service) -> Iterator[Person]:
    with signed_in(service, "putu", "auditor") as person:
        yield person


def words(page: str) -> str:
    """What a page says, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the last form of a page."""
    form = page[page.rindex("<form") :]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))


def rows_of(page: str) -> list[str]:
    """The rows of the first table, in words."""
    return [words(row) for row in re.findall(r"<tr.*?</tr>", page[: page.index("</table>")], re.DOTALL)[1:]]


def upload(service: Service, rows: Rows) -> None:
    file = io.StringIO()
    table = csv.DictWriter(file, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    answer = service.small.post("/v1/datasets", files={"file": ("riwayat.csv", file.getvalue().encode())})
    assert answer.status_code == 201, answer.text


def percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")


def test_releases_are_listed_newest_first_with_what_each_is_worth(admin: Person, town: Town) -> None:
    refused, new, old = rows_of(admin.read(PAGE))
    for line, release in ((refused, town.refused), (new, town.new), (old, town.old)):
        answers = read_manifest(town.registry / release)["scores"]["answers"]
        assert line.startswith(release)
        assert percent(answers["agency"]["accuracy"]) in line
        assert percent(answers["category"]["accuracy"]) in line
    assert ["berlaku" in line.split() for line in (refused, new, old)] == [False, True, False]
    assert "Tidak lolos. Ketepatan instansi turun" in refused
    assert "keberatan lain" in refused
    assert "belum pernah" in refused
    assert "Lolos. Tidak lebih buruk pada 69 laporan" in new
    assert "diberlakukan oleh wayan" in new
    assert "400" in old.split()
    assert "diberlakukan oleh made" in old


def test_a_portal_without_releases_is_shown_the_way_to_one(service: Service) -> None:
    with signed_in(service, portal=BIG) as other:
        assert "Belum ada rilis" in other.read(PAGE)


def test_both_releases_stand_side_by_side_on_the_rows_neither_had_learned(admin: Person, town: Town) -> None:
    page = words(admin.read(f"{PAGE}/{town.refused}"))
    pairs = read_pairs(town.registry / town.refused)
    assert pairs is not None
    assert "69 laporan yang belum dipelajari keduanya" in page
    for answer, name in (("agency", "Instansi"), ("category", "Kategori"), ("urgency", "Urgensi")):
        found = difference(pairs, answer)
        assert found is not None
        lines = page.split(f" {name} {found.n} {percent(found.champion)} {percent(found.challenger)}")[1:]
        said = "tidak berbeda nyata" if not found.clear else "lebih baik" if found.lead > 0 else "lebih buruk"
        assert any(said in line[:120] for line in lines), answer
    worst = class_changes(pairs, "agency")[0]
    name = load_portal(town.registry / town.refused / "portal").agency[worst.code].name
    rates = [f"{100 * count / worst.n:.0f} %" for count in (worst.champion, worst.challenger)]
    row = page[page.index(f"{name} {worst.n} {rates[0]}") :][:120]
    assert rates[1] in row
    assert f" {worst.gained} {worst.lost} memburuk" in row
    for reason in read_manifest(town.registry / town.refused)["gate"]["reasons"]:
        assert reason in page


def test_what_became_better_and_worse_is_shown_with_complaints_until_they_are_erased(
    service: Service, admin: Person, town: Town
) -> None:
    path = f"{PAGE}/{town.refused}"
    found = compared(town.registry, read_manifest(town.registry / town.refused), "agency")
    assert found is not None
    assert len(found.worse) == 10 < found.lost
    assert "Teksnya tidak tersimpan di sini" in admin.read(path)
    upload(service, town.rows)
    page = admin.read(path)
    shown = re.findall(r"<blockquote>(.*?)</blockquote>", page)
    assert len(shown) == len(found.better) + len(found.worse)
    assert {unescape(text) for text in shown} <= {row["text"] for row in town.rows}
    assert "Teksnya tidak tersimpan" not in page
    known = {row["text"]: row for row in town.rows}
    last = words(page).partition("Jadi salah")[2]
    for example, text in zip(found.worse, shown[len(found.better) :], strict=True):
        assert example.wanted == known[text]["agency"]
        said = f"Yang tepat {example.wanted} Rilis lama {example.champion[0]} {100 * example.champion[1]:.0f} %"
        assert said in last[last.index(text) :][:300]
    with service.database.begin() as connection:
        datasets.remove_rows(connection, SMALL, known[shown[0]]["id"])
    page = admin.read(path)
    assert shown[0] not in page
    assert shown[1] in page


def test_another_answer_can_be_looked_into(admin: Person, town: Town) -> None:
    page = words(admin.read(f"{PAGE}/{town.refused}?jawaban=category"))
    assert "Apa yang berubah: kategori" in page
    pairs = read_pairs(town.registry / town.refused)
    assert pairs is not None
    worst = class_changes(pairs, "category")[0]
    assert f"{load_portal(town.registry / town.new / 'portal').category[worst.code].name} {worst.n}" in page
    assert "Apa yang berubah: instansi" in words(admin.read(f"{PAGE}/{town.refused}?jawaban=nama"))


def test_an_older_release_without_the_rows_keeps_its_figures_and_says_what_is_missing(
    admin: Person, town: Town
) -> None:
    later = f"{SMALL}-20250601-aaaaaaaa"
    folder = town.registry / later
    shutil.copytree(town.registry / town.refused, town.registry / ".salinan")
    (town.registry / ".salinan" / "champion.parquet").unlink()
    manifest = read_manifest(town.registry / town.refused)
    files = {name: digest for name, digest in manifest["files"].items() if name != "champion.parquet"}
    manifest_file = town.registry / ".salinan" / "manifest.json"
    manifest_file.write_bytes(sealed({**manifest, "id": later, "files": files}))
    (town.registry / ".salinan").rename(folder)
    page = words(admin.read(f"{PAGE}/{later}"))
    assert "semua berkas utuh" in page
    assert percent(manifest["gate"]["compared"]["agency"]["champion"]) in page
    assert "tidak disimpan untuk rilis ini" in page
    assert "Contoh laporan" not in page


def test_a_release_that_met_nobody_shows_its_own_figures(admin: Person, town: Town) -> None:
    page = words(admin.read(f"{PAGE}/{town.old}"))
    assert "Rilis pertama portal ini." in page
    assert "Berdampingan" not in page
    assert percent(read_manifest(town.registry / town.old)["scores"]["answers"]["urgency"]["top3"]) in page


def test_other_thresholds_for_the_same_model_are_no_comparison(admin: Person, town: Town) -> None:
    later = publish_wish(open_release(town.registry / town.new), Wish(0.9, 0.8), town.registry)
    assert read_pairs(town.registry / later) is None
    page = words(admin.read(f"{PAGE}/{later}"))
    assert "Modelnya sama; hanya ketepatan yang diminta berubah." in page
    assert "Berdampingan" not in page
    confirm = words(admin.read(f"{PAGE}/{later}/berlakukan"))
    assert (
        "Ketepatan yang diminta: auto 90,0 % dan prefill 80,0 %; yang berlaku auto 97,0 % dan prefill 90,0 %."
        in confirm
    )


def promote_form(person: Person, release: str) -> dict[str, str]:
    return hidden(person.read(f"{PAGE}/{release}/berlakukan"))


def test_a_release_is_taken_back_and_put_in_force_again_and_it_is_told(
    service: Service, admin: Person, town: Town
) -> None:
    with service.database.begin() as connection:
        webhooks.add_endpoint(connection, SMALL, "http://127.0.0.1:9/", ["release.promoted"])
    page = admin.read(f"{PAGE}/kembali")
    assert town.old in page
    assert "Dilatih dari 400 laporan; yang berlaku dari 460 laporan." in page
    back = admin.send(f"{PAGE}/kembali", **hidden(page), alasan="salah arah, telepon 081234567890")
    assert (back.status_code, back.headers["location"]) == (303, f"{PAGE}/{town.old}?pesan=kembali")
    assert "berlaku lagi" in words(admin.read(back.headers["location"]))
    forth = admin.send(f"{PAGE}/{town.new}/berlakukan", **promote_form(admin, town.new), alasan="")
    assert forth.headers["location"] == f"{PAGE}/{town.new}?pesan=berlaku"
    events = history(town.registry)[-2:]
    assert [(event.action, event.release, event.by) for event in events] == [
        ("rollback", town.old, "user:sari"),
        ("promote", town.new, "user:sari"),
    ]
    assert events[0].reason == "salah arah, telepon [TELEPON]"
    with service.database.connect() as connection:
        told = [(entry.action, entry.release, entry.who) for entry in audit.entries(connection, SMALL)][:2]
        assert len(connection.execute(select(webhook_messages)).all()) == 2
    assert told == [("release.promote", town.new, "user:sari"), ("release.rollback", town.old, "user:sari")]
    page = words(admin.read(f"{PAGE}/{town.new}"))
    assert "berlaku sekarang" in page
    assert "diberlakukan oleh sari" in page


def test_a_double_click_is_one_act(service: Service, admin: Person, town: Town) -> None:
    fields = hidden(admin.read(f"{PAGE}/kembali"))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: admin.send(f"{PAGE}/kembali", **fields), range(4)))
    again = admin.send(f"{PAGE}/kembali", **fields)
    assert {answer.headers["location"] for answer in (*answers, again)} == {f"{PAGE}/{town.old}?pesan=kembali"}
    fields = promote_form(admin, town.new)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: admin.send(f"{PAGE}/{town.new}/berlakukan", **fields, alasan="cukup"), range(4))
        )
    assert {answer.headers["location"] for answer in answers} == {f"{PAGE}/{town.new}?pesan=berlaku"}
    assert [event.action for event in history(town.registry)] == ["promote", "promote", "rollback", "promote"]
    with service.database.connect() as connection:
        actions = [entry.action for entry in audit.entries(connection, SMALL)]
    assert [action for action in actions if action.startswith("release.")] == ["release.promote", "release.rollback"]


def test_against_the_gate_a_reason_is_needed_and_recorded(admin: Person, town: Town) -> None:
    path = f"{PAGE}/{town.refused}/berlakukan"
    page = admin.read(path)
    assert "Uji banding keberatan" in page
    assert re.search(r"<textarea[^>]*\brequired\b", page)
    refused = admin.send(path, **hidden(page), alasan="  ")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert "Tulis alasannya" in refused.text
    assert champions(town.registry)[SMALL] == town.new
    done = admin.send(path, **hidden(refused.text), alasan="Susunan dinas berubah")
    assert done.headers["location"] == f"{PAGE}/{town.refused}?pesan=berlaku"
    event = history(town.registry)[-1]
    assert (event.action, event.reason) == ("overrule", "Susunan dinas berubah")
    assert "diberlakukan walau uji banding keberatan oleh sari" in words(admin.read(PAGE))


def test_what_was_confirmed_is_not_done_if_another_release_came_into_force_meanwhile(
    service: Service, admin: Person, town: Town
) -> None:
    back, forth = hidden(admin.read(f"{PAGE}/kembali")), promote_form(admin, town.refused)
    later = copy_release(town.registry / town.old, town.registry, f"{SMALL}-20250601-aaaaaaaa", gate=None)
    assert service.small.post(f"/v1/releases/{later}/promote").status_code == 200
    for path, fields in ((f"{PAGE}/kembali", back), (f"{PAGE}/{town.refused}/berlakukan", forth)):
        answer = admin.send(path, **fields, alasan="tetap")
        assert answer.headers["location"] == f"{PAGE}?pesan=berganti"
    assert "tidak ada yang diubah" in admin.read(f"{PAGE}?pesan=berganti")
    assert champions(town.registry)[SMALL] == later


def test_a_form_that_is_not_ours_changes_nothing(admin: Person, town: Town) -> None:
    fields = hidden(admin.read(f"{PAGE}/kembali"))
    assert admin.client.post(f"{PAGE}/kembali", data={**fields, "csrf": "x"}).status_code == 403
    assert admin.send(f"{PAGE}/kembali", **{**fields, "permintaan": ""}).status_code == 422
    forth = promote_form(admin, town.old)
    assert admin.client.post(f"{PAGE}/{town.old}/berlakukan", data={**forth, "csrf": ""}).status_code == 403
    assert champions(town.registry)[SMALL] == town.new


def test_an_auditor_may_look_and_change_nothing_and_staff_not_even_look(
    service: Service, auditor: Person, town: Town
) -> None:
    pages = [auditor.read(PAGE), *(auditor.read(f"{PAGE}/{release}") for release in (town.new, town.refused))]
    for page in pages:
        assert "<form" not in page
        assert "/berlakukan" not in page
        assert "/kembali" not in page
    for path in (f"{PAGE}/kembali", f"{PAGE}/{town.refused}/berlakukan"):
        assert auditor.client.get(path).status_code == 403
        assert auditor.send(path, permintaan="x" * 12, berlaku=town.new, ke=town.old, alasan="ya").status_code == 403
    assert champions(town.registry)[SMALL] == town.new
    with signed_in(service, "luh", "senior") as staff:
        assert staff.client.get(PAGE).status_code == 403
        assert staff.client.get(f"{PAGE}/{town.new}").status_code == 403


def test_the_releases_of_another_portal_are_not_there(service: Service, town: Town) -> None:
    with signed_in(service, portal=BIG) as other:
        for path in ("", "/berlakukan", "/laporan", "/kartu"):
            assert other.client.get(f"{PAGE}/{town.new}{path}").status_code == 404, path
        answer = other.send(f"{PAGE}/{town.old}/berlakukan", permintaan="x" * 12, berlaku="", alasan="ya")
        assert answer.status_code == 404
        assert town.new not in other.read(PAGE)
    assert champions(town.registry)[SMALL] == town.new


@pytest.mark.parametrize("path", ["..%2F..", ".draft-x", "%2e%2e", "tidak-ada", "a" * 101])
def test_no_id_leads_out_of_the_registry(admin: Person, path: str) -> None:
    for end in ("", "/laporan", "/kartu"):
        assert admin.client.get(f"{PAGE}/{path}{end}").status_code in (404, 422)


def test_a_broken_release_is_named_and_cannot_be_put_in_force(service: Service, admin: Person, town: Town) -> None:
    fields = promote_form(admin, town.old)
    (town.registry / town.old / "model.json").write_bytes(b"{}")
    (town.registry / town.refused / "manifest.json").write_bytes(b"{}")
    page = admin.read(f"{PAGE}/{town.old}")
    assert "berkas berubah: model.json" in page
    assert "/berlakukan" not in page
    answer = admin.send(f"{PAGE}/{town.old}/berlakukan", **fields, alasan="tetap")
    assert answer.headers["location"] == f"{PAGE}/{town.old}"
    assert champions(town.registry)[SMALL] == town.new
    lines = rows_of(admin.read(PAGE))
    assert lines[-1].startswith(f"{town.refused} rusak")
    assert str(service.home) not in " ".join([page, *lines])
    assert str(town.registry) not in " ".join([page, *lines])


def test_the_report_is_served_shut_in_and_only_as_it_was_published(admin: Person, town: Town) -> None:
    path = f"{PAGE}/{town.new}/laporan"
    answer = admin.client.get(path)
    assert answer.text == (town.registry / town.new / "report.html").read_text("utf-8")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    card = admin.client.get(f"{PAGE}/{town.new}/kartu")
    assert card.headers["Content-Type"].startswith("text/plain")
    assert card.text.startswith("# Kartu model")
    (town.registry / town.new / "report.html").write_text("<script>alert(1)</script>", "utf-8")
    assert admin.client.get(path).status_code == 404
    assert admin.client.get(f"{PAGE}/{town.new}/evaluation.json").status_code == 404


def test_a_release_runs_in_the_shadow_and_ends_there_from_its_own_page(admin: Person, town: Town) -> None:
    page = admin.read(f"{PAGE}/{town.refused}")
    begun = admin.send("/admin/pelatihan/bayangan", **hidden(page))
    assert begun.headers["location"] == f"{PAGE}/{town.refused}?pesan=bayangan"
    page = admin.read(begun.headers["location"])
    assert "Ikut menjawab setiap laporan baru" in page
    assert f'class="code" href="{PAGE}/{town.refused}"' in admin.read(f"{PAGE}/{town.old}")
    ended = admin.send("/admin/pelatihan/bayangan/akhiri", rilis=town.refused, kembali=f"{PAGE}/{town.refused}")
    assert "Rilis bayangan dihentikan" in admin.read(ended.headers["location"])


def test_the_desk_and_programs_change_the_same_history(service: Service, admin: Person, town: Town) -> None:
    answer: httpx.Response = service.small.post("/v1/releases/rollback")
    assert answer.json()["release"] == town.old
    page = words(admin.read(f"{PAGE}/{town.old}"))
    assert "dikembalikan oleh kunci API" in page
    assert "Ini rilis pertama yang berlaku" in page
    assert admin.client.get(f"{PAGE}/kembali").status_code == 409
