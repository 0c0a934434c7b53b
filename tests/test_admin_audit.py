"""Who did what, when: narrowed, paged, exported."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from served import Service, serving
from signed_in import Person, signed_in
from sqlalchemy import insert

from service.admin.audit_pages import ACTIONS, MOST
from service.database import audit, keys
from service.database.schema import audit_log

PAGE = "/admin/audit"
ROOT = Path(__file__).parents[1]
NOT_DONE_BY_PEOPLE = {
    "suggestion.emergency",
    "suggestion.created",
    "disposition.recorded",
    "disposition.refused",
    "release.promoted",
}
"""What webhooks tell of."""


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


@pytest.fixture
def auditor(service: Service) -> Iterator[Person]:
    with signed_in(service, "periksa", "auditor") as person:
        yield person


def note(service: Service, who: str, action: str, subject: str, portal: str = "kota-kecil", **more: object) -> None:
    row = {"at": datetime.now(UTC), "portal": portal, "who": who, "action": action, "subject": subject, "detail": {}}
    with service.database.begin() as connection:
        connection.execute(insert(audit_log).values({**row, **more}))


def subjects(page: str) -> list[str]:
    """What the lines of the page are about."""
    return [re.sub("<[^>]+>", "", cell) for cell in re.findall(r'<td data-label="Tentang">(.*?)</td>', page)]


def test_lines_say_in_words_who_did_what_and_where_to_look(service: Service, auditor: Person) -> None:
    with service.database.begin() as connection:
        key, _ = keys.create(connection, "kota-kecil", "Portal kota", ["suggest"], by="user:sari")
    note(service, f"key:{key.id}", "training.start", "job_1")
    note(service, "worker", "training.finish", "job_1", detail={"state": "done"}, release="kota-kecil-1")
    note(service, "cli:root", "belum.dikenal", "x")
    page = auditor.read(PAGE)
    for said in (
        "Membuat kunci API", "kunci Portal kota", '<a href="/admin/pelatihan/job_1">job_1</a>', "pekerja latar",
        "keadaan: selesai; rilis kota-kecil-1", "operator root", "belum.dikenal",
        f'<a href="/admin/akses#{key.id}">Portal kota</a>',
    ):  # fmt: skip
        assert said in page
    lines = page[page.index("<tbody>") :]
    assert lines.index("belum.dikenal") < lines.index("Pelatihan berakhir") < lines.index("Memulai pelatihan")


def test_only_those_who_review_are_led_to_complaints(service: Service, auditor: Person) -> None:
    note(service, "user:made", "review.skip", "saran-1")
    link = '<a href="/desk/riwayat/saran-1">saran-1</a>'
    with signed_in(service) as admin:
        assert link in admin.read(PAGE)
    assert link not in auditor.read(PAGE)
    assert "saran-1" in subjects(auditor.read(PAGE))


def test_lines_are_found_by_who_what_and_when(service: Service, auditor: Person) -> None:
    now = datetime.now(UTC)
    with service.database.begin() as connection:
        key, _ = keys.create(connection, "kota-kecil", "Portal kota", ["suggest"])
    note(service, "user:sari", "dataset.add", "lama", at=now - timedelta(days=40))
    note(service, "user:sari", "dataset.remove", "baru")
    note(service, "user:made", "keep", "lain")
    note(service, f"key:{key.id}", "dataset.add", "kunci")
    note(service, "user:sari", "dataset.add", "punya-kota-besar", "kota-besar")
    since = (now - timedelta(days=30)).date().isoformat()
    assert subjects(auditor.read(f"{PAGE}?siapa=SARI")) == ["baru", "lama"]
    assert subjects(auditor.read(f"{PAGE}?siapa=portal+kota")) == ["kunci"]
    assert subjects(auditor.read(f"{PAGE}?tindakan=dataset.")) == ["kunci", "baru", "lama"]
    assert subjects(auditor.read(f"{PAGE}?tindakan=keep")) == ["lain"]
    assert subjects(auditor.read(f"{PAGE}?tindakan=dataset.&dari={since}")) == ["kunci", "baru"]
    assert subjects(auditor.read(f"{PAGE}?tindakan=dataset.&sampai={since}")) == ["lama"]
    assert subjects(auditor.read(f"{PAGE}?hal=baru")) == ["baru"]
    assert subjects(auditor.read(f"{PAGE}?siapa=%25")) == []
    refused = auditor.client.get(f"{PAGE}?dari=kemarin")
    assert (refused.status_code, "Tanggal tidak dapat dibaca" in refused.text) == (422, True)


def test_older_lines_are_on_the_next_pages_and_none_is_lost(service: Service, auditor: Person) -> None:
    for number in range(MOST + 30):
        note(service, "user:sari", "keep", f"baris-{number}")
    page, found = auditor.read(f"{PAGE}?tindakan=keep"), list[str]()
    found += subjects(page)
    onward = re.search(r'href="(/admin/audit\?[^"]*sebelum=\d+)"', page)
    assert onward
    last = auditor.read(onward[1].replace("&amp;", "&"))
    found += subjects(last)
    assert found == [f"baris-{number}" for number in reversed(range(MOST + 30))]
    assert 'rel="next"' not in last


def test_what_is_shown_can_be_taken_along_as_a_table(service: Service, auditor: Person) -> None:
    for number in range(3):
        note(service, "user:sari", "keep", f"baris-{number}", detail={"days": number})
    note(service, "=SUM(A1)", "keep", "jahat")
    answer = auditor.client.get(f"{PAGE}/catatan.csv?tindakan=keep")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-kota-kecil.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header == ["waktu", "siapa", "tindakan", "kode", "tentang", "rilis", "rincian"]
    assert [(row[1], row[2], row[4], row[6]) for row in rows] == [
        ("'=SUM(A1)", "Mengubah lama simpan", "jahat", ""),
        *(("sari", "Mengubah lama simpan", f"baris-{number}", f'{{"days":{number}}}') for number in (2, 1, 0)),
    ]
    assert datetime.fromisoformat(rows[0][0]).utcoffset() == timedelta(hours=7)
    assert len(list(csv.reader(io.StringIO(auditor.client.get(f"{PAGE}/catatan.csv?dari=kemarin").text)))) == 1


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("auditor", 200), ("staff", 403), ("senior", 403)])
def test_admins_and_auditors_may_read_it_all(service: Service, role: str, status: int) -> None:
    with signed_in(service, "made", role) as person:
        assert person.client.get(PAGE).status_code == status
        assert person.client.get(f"{PAGE}/catatan.csv").status_code == status


def test_a_change_stands_in_the_log_the_moment_it_is_made(service: Service) -> None:
    with signed_in(service) as admin:
        admin.send("/admin/akses/pengguna", nama="made", peran="staff")
        page = admin.read(PAGE)
    assert subjects(page)[0] == "made"
    assert "Membuat pengguna" in page
    assert "peran: petugas" in page
    with service.database.connect() as connection:
        entry = audit.last(connection, "kota-kecil", "user.create")
    assert entry is not None
    assert entry.who == "user:sari"


def test_everything_that_the_service_records_has_words() -> None:
    kinds = {action.partition(".")[0] for action in ACTIONS if "." in action}
    literal = re.compile(rf'"((?:{"|".join(kinds)})\.[a-z_]+)"')
    sources = (ROOT / "service").rglob("*.py")
    recorded = {found for path in sources for found in literal.findall(path.read_text("utf-8"))}
    assert {one for one in recorded - NOT_DONE_BY_PEOPLE if not one.endswith((".toml", ".csv"))} <= ACTIONS.keys()
