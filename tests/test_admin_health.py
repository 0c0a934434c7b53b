"""The page that tells an admin how the portal fares, and the files behind it."""

import asyncio
import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from health_rows import asked, chosen
from served import Service, serving
from signed_in import Person, signed_in

from service.admin.health_kept import Kept
from service.admin.health_pages import CHARTS

PAGE = "/admin/kesehatan"
LAMPS, WASTE = "dinas-perhubungan", "dinas-kebersihan"


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def fill(service: Service) -> None:
    """Three complaints of this week, two of them corrected, one of ten weeks ago, and two of another portal."""
    now = datetime.now(UTC)
    with service.database.begin() as connection:
        for at, ranked, agency, channel in (
            (now, (LAMPS, WASTE), LAMPS, "web"),
            (now, (LAMPS, WASTE), WASTE, "=SUM(A1)"),
            (now, (WASTE, "x", "y", LAMPS), LAMPS, "web"),
            (now - timedelta(weeks=10), (LAMPS,), LAMPS, "web"),
        ):
            new = asked(connection, at, ranked, channel=channel)
            outcome = "accepted" if agency == ranked[0] else "changed"
            chosen(connection, new, agency, at=at, outcome=outcome)
        for _ in range(2):
            new = asked(connection, now, (LAMPS,), portal="kota-besar")
            chosen(connection, new, LAMPS, at=now, portal="kota-besar")


def figures(person: Person, chart: str, query: str = "") -> list[dict[str, str]]:
    answer = person.client.get(f"{PAGE}/{chart}.csv{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_admins_and_auditors_see_the_figures(service: Service, role: str) -> None:
    fill(service)
    with signed_in(service, "made", role) as person:
        page = person.read(PAGE)
    assert "4 laporan, 75 % lewat web." in page
    assert "4 dari 4 laporan sudah didisposisi: 50,0\u00a0% ke instansi pertama" in page
    assert "75,0\u00a0% ke salah satu dari tiga teratas" in page
    assert page.count('<svg class="chart"') == 5
    assert all(f'id="{chart}"' in page for chart in CHARTS)
    assert "style=" not in page


@pytest.mark.parametrize("role", ["staff", "senior"])
def test_others_see_neither_page_nor_files(service: Service, role: str) -> None:
    with signed_in(service, "made", role) as person:
        assert [person.client.get(path).status_code for path in (PAGE, f"{PAGE}/kanal.csv")] == [403, 403]


def test_strangers_are_asked_to_sign_in(service: Service, admin: Person) -> None:
    admin.client.cookies.clear()
    assert admin.client.get(f"{PAGE}/kanal.csv").headers["Location"].startswith("/masuk")


def test_a_portal_counts_only_its_own(service: Service, admin: Person) -> None:
    fill(service)
    assert sum(int(row["Semua"]) for row in figures(admin, "kanal")) == 4
    with signed_in(service, "big", portal="kota-besar") as other:
        assert sum(int(row["Semua"]) for row in figures(other, "kanal")) == 2
        assert "2 laporan" in other.read(PAGE)


def test_every_chart_has_its_file(service: Service, admin: Person) -> None:
    fill(service)
    for chart in CHARTS:
        rows = figures(admin, chart)
        assert rows or chart in ("pergeseran", "kata-baru", "koreksi", "lama")
    assert admin.client.get(f"{PAGE}/apa-saja.csv").status_code == 404


def test_a_file_holds_plain_figures_and_no_formula(service: Service, admin: Person) -> None:
    fill(service)
    newest = figures(admin, "kanal")[-1]
    assert (newest["Semua"], newest["web"], newest["'=SUM(A1)"]) == ("3", "2", "1")
    assert figures(admin, "ketepatan")[-1]["Pertama tepat"] == "0.3333"
    assert datetime.fromisoformat(newest["Pekan mulai"]).weekday() == 0


def test_period_and_agency_narrow_page_and_files(service: Service, admin: Person) -> None:
    fill(service)
    four, narrow = f"{PAGE}?pekan=4", f"?pekan=4&instansi={WASTE}"
    assert len(figures(admin, "kanal", "?pekan=4")) == 4
    assert "3 laporan, 67 % lewat web" in admin.read(four)
    assert [row["Disposisi"] for row in figures(admin, "kalibrasi", narrow)] == ["0", "0", "0", "1"]
    page = admin.read(PAGE + narrow)
    assert "untuk yang disarankan ke Dinas Kebersihan" in page
    assert f'href="{PAGE}/kanal.csv?pekan=4&amp;instansi={WASTE}"' in page


def test_an_odd_address_shows_the_usual_period_of_all_agencies(service: Service, admin: Person) -> None:
    fill(service)
    assert len(figures(admin, "kanal", "?pekan=9999&instansi=%27%3B--")) == 12
    assert "Semua instansi" in admin.read(f"{PAGE}?pekan=x&instansi=<script>alert(1)</script>")
    assert "alert(1)" not in admin.read(f"{PAGE}?instansi=<script>alert(1)</script>")


def test_an_empty_portal_and_one_without_a_release_have_a_page(service: Service, admin: Person) -> None:
    assert "Belum ada laporan pada masa ini." in admin.read(PAGE)
    with service.database.begin() as connection:
        new = asked(connection, datetime.now(UTC), ("a",), portal="kota-baru")
        chosen(connection, new, "a", portal="kota-baru", at=datetime.now(UTC))
    with signed_in(service, "ni", portal="kota-baru") as other:
        assert "1 dari 1 laporan sudah didisposisi" in other.read(PAGE)


def test_what_took_long_to_count_is_kept_for_a_while_and_what_was_quick_is_not() -> None:
    now, counted = [0.0], list[str]()

    async def counting(name: str, seconds: float) -> str:
        async def count() -> str:
            await asyncio.sleep(0)
            now[0] += seconds
            counted.append(name)
            return f"{name} {len(counted)}"

        return await kept.of(name, count)

    async def lived() -> None:
        assert await asyncio.gather(counting("lama", 5), counting("lama", 5)) == ["lama 1", "lama 1"]
        assert await counting("lain", 0) == "lain 2"
        now[0] += 59
        assert [await counting("lama", 5), await counting("lain", 0)] == ["lama 1", "lain 3"]
        now[0] += 2
        assert await counting("lama", 0.5) == "lama 4"
        now[0] += 9
        assert await counting("lama", 0.5) == "lama 4"
        now[0] += 2
        assert await counting("lama", 0.5) == "lama 5"

    kept = Kept[str](lambda: now[0])
    asyncio.run(lived())
