"""The policy on the admin desk: what other wishes would do, and putting them in force."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from publisher import copy_release, small_town
from served import Service, serving
from signed_in import Person, signed_in
from test_learning import learnable, town_history

from router_model.policy import Policy
from router_model.portal import load_portal
from router_model.registry import champions, history
from router_model.release import read_manifest
from service.database import audit, jobs
from service.database.jobs import POLICY, Job
from service.policy_jobs import apply_wish
from service.settings import Settings
from service.worker import work
from training.answered import FORWARD_FILE, read_answered
from training.learning import learn
from training.thresholds import Effect, choose_policy, effect
from training.wishes import STEPS, Wish

SMALL, BIG = "kota-kecil", "kota-besar"
PAGE = "/admin/kebijakan"
AUTO, PREFILL = 0.96, 0.85
FIRST_DAY = datetime(2025, 5, 5, 8, tzinfo=UTC)
LONGEST_WAIT = 120.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with one release in force, of a portal with wishes of its own."""
    home = tmp_path_factory.mktemp("town")
    folder = small_town(home / "portal")
    toml, given = folder / "portal.toml", (folder / "portal.toml").read_text("utf-8")
    for name, wish in (("precision_auto", AUTO), ("precision_prefill", PREFILL)):
        given = re.sub(rf"(?m)^{name} = .*$", f"{name} = {wish}", given)
    toml.write_text(given, "utf-8")
    learn(learnable(town_history(400), load_portal(folder)), folder, home / "registry", now=FIRST_DAY)
    return home / "registry"


@pytest.fixture
def registry(made: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(made, tmp_path / "registry"))


@pytest.fixture
def service(registry: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", registry, database_url) as served:
        yield served


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def apply_form(person: Person, auto: str = "90", prefill: str = "80") -> dict[str, str]:
    """What the button of a page that shows these wishes would send."""
    page = person.read(f"{PAGE}?auto={auto}&prefill={prefill}")
    form = page[page.rindex("data-apply") :]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))


def foreseen(registry: Path, wish: Wish) -> Effect:
    """Thresholds chosen on the earlier answers of the release in force, counted on the later ones."""
    folder = registry / champions(registry)[SMALL]
    rows = read_answered(folder / FORWARD_FILE)
    emergency = Policy.from_values(read_manifest(folder)["policy"]).emergency
    return effect(choose_policy([row for row in rows if not row.held_back], wish.named(emergency), 1.0), rows)


def settings_of(service: Service) -> Settings:
    return Settings(home=service.home, database_url=service.database.engine.url.render_as_string(False))


def run_job(service: Service) -> Job:
    """The job that waits, in this very process, as the worker would."""
    with service.database.begin() as connection:
        job = jobs.claim(connection, datetime.now(UTC), timedelta(minutes=5), [POLICY])
        assert job is not None
    stages: list[Any] = []
    result = apply_wish(job, settings_of(service), lambda progress: stages.append(progress["stage"]))
    with service.database.begin() as connection:
        jobs.finish(connection, job, jobs.DONE, result=result)
        return jobs.one(connection, job.portal, job.id)


def waiting(service: Service) -> list[Job]:
    with service.database.connect() as connection:
        return jobs.newest(connection, SMALL, POLICY)


def test_the_page_holds_what_every_wish_would_do(admin: Person, registry: Path) -> None:
    page = admin.read(PAGE)
    found = re.search(r'<script type="application/json" id="policy-data">(.*?)</script>', page, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert data["steps"] == [round(100 * step, 1) for step in STEPS]
    assert data["rows"] == 60
    assert [len(line) for line in data["effects"]] == list(range(1, 41))
    for auto, prefill in ((0, 0), (20, 10), (20, 20), (26, 0), (39, 12)):
        known = foreseen(registry, Wish(STEPS[auto], STEPS[prefill]))
        assert data["effects"][auto][prefill] == [
            known.auto, known.auto_right, known.prefill, known.prefill_right,
        ]  # fmt: skip
    assert data["lacking"][0] == ""
    assert "598 laporan" in data["lacking"][-1]


def test_without_a_script_the_numbers_of_a_wish_are_shown_beside_those_in_force(admin: Person, registry: Path) -> None:
    now, then = foreseen(registry, Wish(AUTO, PREFILL)), foreseen(registry, Wish(0.9, 0.8))
    assert now.auto < then.auto
    page = words(admin.read(f"{PAGE}?auto=90&prefill=80,0"))
    assert "Berlaku sekarang: otomatis 96,0 %, dipilihkan 85,0 %" in page
    assert "Dihitung pada 60 laporan terbaru yang disisihkan, dengan ambang yang dipilih dari 180" in page
    assert f"{then.auto - then.auto_right} dari {then.auto} laporan uji salah" in page
    assert f"{then.prefill - then.prefill_right} dari {then.prefill} laporan uji salah" in page
    rest = 100 * (60 - then.auto - then.prefill) / 60
    assert f"Dilihat petugas {rest:.{1 if rest < 10 else 0}f} dari 100 laporan".replace(".", ",") in page


@pytest.mark.parametrize(
    ("auto", "prefill", "said", "field"),
    [
        ("80", "90", "tidak boleh di bawah", "auto"),
        ("79.5", "80", "Tulis angka dari 80 sampai 99,5.", "auto"),
        ("100", "90", "Tulis angka dari 80 sampai 99,5.", "auto"),
        ("95", "sembilan puluh", "Tulis angka dari 80 sampai 99,5.", "prefill"),
        ("95", "", "Tulis angka dari 80 sampai 99,5.", "prefill"),
        ("9e1", "80", "Tulis angka dari 80 sampai 99,5.", "auto"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_beside_its_field(
    admin: Person, registry: Path, auto: str, prefill: str, said: str, field: str
) -> None:
    fields = apply_form(admin)
    for answer in (
        admin.client.get(PAGE, params={"auto": auto, "prefill": prefill}),
        admin.send(PAGE, **{**fields, "auto": auto, "prefill": prefill}),
    ):
        assert answer.status_code == 422
        place = answer.text.index(f'id="{field}-salah"')
        assert said in answer.text[place : place + 200]
        assert re.search(rf'id="{field}"[^>]*value="{re.escape(prefill if field == "prefill" else auto)}"', answer.text)
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert len(history(registry)) == 1


def test_a_wish_that_nothing_proves_is_shown_to_be_empty_and_why(admin: Person) -> None:
    page = words(admin.read(f"{PAGE}?auto=99.5&prefill=85"))
    assert "Tidak ada yang otomatis pada 99,5 %: perlu sedikitnya 598 laporan yang semuanya tepat" in page
    assert "baru ada 180" in page
    assert "Tidak ada laporan uji yang cukup pasti." in page
    assert "Tidak ada yang dipilihkan" not in page


def test_a_wish_between_the_steps_is_worked_out_all_the_same(admin: Person, registry: Path) -> None:
    known = foreseen(registry, Wish(0.902, 0.8))
    page = words(admin.read(f"{PAGE}?auto=90,2&prefill=80"))
    assert f"{known.auto - known.auto_right} dari {known.auto} laporan uji salah" in page


def test_what_was_chosen_comes_into_force_as_a_release_of_its_own(
    service: Service, admin: Person, registry: Path
) -> None:
    before = champions(registry)[SMALL]
    answer = admin.send(PAGE, **apply_form(admin, "90", "80"))
    (job,) = waiting(service)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?pekerjaan={job.id}")
    assert dict(job.request) == {"release": before, "auto": 0.9, "prefill": 0.8}
    assert 'data-job="queued"' in admin.read(answer.headers["location"])
    assert re.search(r"<button[^>]*disabled[^>]*>Berlakukan", admin.read(PAGE))
    done = run_job(service)
    after = champions(registry)[SMALL]
    assert done.result is not None
    assert after == done.result["release"] != before
    manifest = read_manifest(registry / after)
    policy = Policy.from_values(manifest["policy"])
    assert (policy.precision_auto, policy.precision_prefill) == (0.9, 0.8)
    event = history(registry)[-1]
    assert (event.action, event.by, event.previous) == ("promote", "user:sari", before)
    page = words(admin.read(answer.headers["location"]))
    assert f"Ketepatan baru berlaku Rilis {after}" in page
    assert "Berlaku sekarang: otomatis 90,0 %, dipilihkan 80,0 %" in page
    assert apply_wish(done, settings_of(service), lambda _: None)["release"] == after
    assert len(history(registry)) == 2
    page = words(admin.read(f"/admin/rilis/{after}"))
    assert "Modelnya sama; hanya ketepatan yang diminta berubah." in page
    assert "Berdampingan" not in page


def test_the_worker_does_it_and_tells_of_it(service: Service, admin: Person, registry: Path) -> None:
    location = admin.send(PAGE, **apply_form(admin, "90", "80")).headers["location"]
    stop = Event()
    worker = Thread(target=work, args=(service.database, settings_of(service), stop))
    worker.start()
    try:
        deadline = time.monotonic() + LONGEST_WAIT
        while "Ketepatan baru berlaku" not in (page := words(admin.read(location))):
            assert time.monotonic() < deadline, page
            time.sleep(0.2)
    finally:
        stop.set()
        worker.join()
    with service.database.connect() as connection:
        told = [(entry.action, entry.who) for entry in audit.entries(connection, SMALL) if entry.who]
    assert told[:3] == [
        ("release.promote", "user:sari"), ("policy.finish", "worker"), ("policy.start", "user:sari"),
    ]  # fmt: skip
    assert len(history(registry)) == 2


def test_a_double_click_is_one_job_and_a_second_wish_waits_for_the_first(service: Service, admin: Person) -> None:
    fields = apply_form(admin, "90", "80")
    first, again = (admin.send(PAGE, **fields).headers["location"] for _ in range(2))
    assert first == again == f"{PAGE}?pekerjaan={waiting(service)[0].id}"
    other = admin.send(PAGE, **apply_form(admin, "92", "80"))
    assert other.headers["location"] == f"{PAGE}?pesan=sibuk"
    assert len(waiting(service)) == 1


def test_what_is_in_force_already_is_not_published_again(service: Service, admin: Person) -> None:
    answer = admin.send(PAGE, **apply_form(admin, "96", "85"))
    assert answer.headers["location"] == f"{PAGE}?pesan=sama"
    assert "sudah berlaku" in admin.read(answer.headers["location"])
    assert waiting(service) == []


def test_another_release_in_force_since_then_stops_it_on_the_page_and_in_the_job(
    service: Service, admin: Person, registry: Path
) -> None:
    base = champions(registry)[SMALL]
    stale, kept = apply_form(admin), apply_form(admin)
    job_page = admin.send(PAGE, **kept).headers["location"]
    later = copy_release(registry / base, registry, f"{SMALL}-20250601-aaaaaaaa", gate=None)
    assert service.small.post(f"/v1/releases/{later}/promote").status_code == 200
    assert admin.send(PAGE, **stale).headers["location"] == f"{PAGE}?pesan=berganti"
    stop = Event()
    worker = Thread(target=work, args=(service.database, settings_of(service), stop))
    worker.start()
    deadline = time.monotonic() + LONGEST_WAIT
    while "Tidak ada yang berubah" not in (page := words(admin.read(job_page))) and time.monotonic() < deadline:
        time.sleep(0.2)
    stop.set()
    worker.join()
    assert f"Rilis {base} tidak berlaku lagi; sekarang {later}" in page
    assert champions(registry)[SMALL] == later


def test_an_auditor_may_look_and_change_nothing_and_staff_not_even_look(service: Service, registry: Path) -> None:
    with signed_in(service, "putu", "auditor") as auditor:
        page = auditor.read(f"{PAGE}?auto=90&prefill=80")
        assert "Dihitung pada 60 laporan" in page
        assert "Berlakukan" not in page
        fields = {"permintaan": "x" * 12, "berlaku": champions(registry)[SMALL], "auto": "90", "prefill": "80"}
        assert auditor.send(PAGE, **fields).status_code == 403
    with signed_in(service, "luh", "staff") as staff:
        assert staff.client.get(PAGE).status_code == 403
    assert waiting(service) == []


def test_a_form_that_is_not_ours_changes_nothing(service: Service, admin: Person) -> None:
    fields = apply_form(admin)
    assert admin.client.post(PAGE, data={**fields, "csrf": "x"}).status_code == 403
    assert admin.send(PAGE, **{**fields, "permintaan": ""}).status_code == 422
    assert waiting(service) == []


def test_a_portal_without_a_release_and_one_without_answers_to_look_at_are_told_so(
    service: Service, admin: Person, registry: Path
) -> None:
    page = admin.send(PAGE, **apply_form(admin)).headers["location"]
    with signed_in(service, portal=BIG) as other:
        assert "Belum ada rilis yang berlaku" in other.read(PAGE)
        assert "data-job" not in other.read(page)
        fields = {"permintaan": "x" * 12, "berlaku": "", "auto": "90", "prefill": "80"}
        assert other.send(PAGE, **fields).status_code == 409
    later = copy_release(registry / champions(registry)[SMALL], registry, f"{SMALL}-20250601-bbbbbbbb", gate=None)
    assert service.small.post(f"/v1/releases/{later}/promote").status_code == 200
    (registry / later / FORWARD_FILE).unlink()
    assert "Akibatnya belum dapat dihitung" in admin.read(PAGE)
