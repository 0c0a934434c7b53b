"""How often the place of a complaint is found and right, and what finding it costs: python -m benchmarks.places [FILE]

Surabaya's tickets, where ../shared/realdata exists, with a portal derived from them. A place is right if it is the
village (or district) of the ticket's own fields, which are withheld; these are not always right themselves. The ways of
naming a place were chosen on the first 80 % by time; the last 20 % are counted apart.
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.place import PlaceFinder
from router_model.portal import Portal, folded, load_portal
from router_model.tokens import normal_words
from training.portal_derivation import derive
from training.reading import Row, read_rows

SURABAYA = Path("../shared/realdata/surabaya_wargaku.csv")
OFFICES = ("Kelurahan", "Kecamatan")
TIMED = 2_000
ROUNDS = 5


class Counts(defaultdict[object, list[int]]):
    """Asked and right, by anything."""

    def __init__(self) -> None:
        super().__init__(lambda: [0, 0])

    def add(self, key: object, right: bool) -> None:
        self[key][0] += 1
        self[key][1] += right

    def show(self, title: str) -> None:
        sys.stdout.write(f"  {title}\n")
        for key, (asked, right) in sorted(self.items(), key=lambda item: str(item[0]), reverse=True):
            sys.stdout.write(f"    {key!s:12} {asked:6}  tepat {right / asked:.3f}\n")


def asked(row: Row, *, district: bool) -> Complaint:
    return cleaned(replace(row.complaint, village="", district=row.get("district") if district else ""))[0]


def from_words(finder: PlaceFinder, rows: Sequence[Row], *, district: bool) -> None:
    """Precision and recall of the village acted on, by source, and how often each degree of being sure was right."""
    sources, villages, districts = Counts(), Counts(), Counts()
    for row in rows:
        complaint = asked(row, district=district)
        found = finder.find(complaint)
        if found and found.place.district_code:
            right = folded(found.place.name) == folded(row.get("village"))
            sources.add(found.source, right)
            sources.add("semua", right)
        for item in finder.find_all(complaint):
            if item.source != "district":
                column, counts = ("village", villages) if item.place.district_code else ("district", districts)
                counts.add(f"{item.p:.2f}", folded(item.place.name) == folded(row.get(column)))
    found_all, right_all = sources["semua"]
    sys.stdout.write(
        f"  {len(rows)} laporan: kelurahan ditemukan pada {found_all}, ketepatan {right_all / max(found_all, 1):.3f}, "
        f"temu-balik {right_all / len(rows):.3f}\n"
    )
    sources.show("kelurahan menurut sumbernya")
    villages.show("semua kelurahan yang disebut, menurut p")
    districts.show("semua kecamatan yang disebut, menurut p")


def offices(finder: PlaceFinder, portal: Portal, rows: Iterable[Row], *, fields: bool) -> Counts:
    """How often the office of a kelurahan's or kecamatan's ticket is resolved exactly, its kind being known."""
    counts = Counts()
    for row in rows:
        agency = portal.find_agency(row.get("agency"))
        kind = row.get("agency").partition(" ")[0]
        if agency and agency.territorial and kind in OFFICES:
            complaint = cleaned(row.complaint)[0] if fields else asked(row, district=False)
            office = finder.office(agency.unit, complaint, finder.find(complaint))
            counts.add(kind if office else f"{kind}, tak ada", office == agency)
    return counts


def cost(finder: PlaceFinder, rows: Sequence[Row]) -> None:
    """Processor time a complaint, beside that of only reading its words once; the fastest of some rounds."""
    complaints = [asked(row, district=False) for row in rows[:TIMED]]
    least = {"words": float("inf"), "places": float("inf")}
    for _ in range(ROUNDS):
        for name in least:
            start = process_time()
            for complaint in complaints:
                if name == "places":
                    finder.find_all(complaint)
                else:
                    for text in (complaint.title, complaint.address, complaint.text):
                        normal_words(text)
            least[name] = min(least[name], (process_time() - start) / len(complaints) * 1e6)
    ratio = least["places"] / least["words"]
    sys.stdout.write(f"mencari tempat / membaca kata sekali: {ratio:.2f} ({least['places']:.0f} mikrodetik)\n")


def main(path: Path = SURABAYA) -> None:
    if not path.is_file():
        sys.stdout.write(f"{path} tidak ada di mesin ini; ukuran ini dilewati.\n")
        return
    rows = sorted(read_rows(path), key=lambda row: row.get("received_at"))
    with tempfile.TemporaryDirectory() as folder:
        derive(rows, Path(folder) / "portal", "riwayat")
        portal = load_portal(Path(folder) / "portal")
    finder = PlaceFinder(portal)
    cut = int(0.8 * len(rows))
    for title, part in (("80 % pertama", rows[:cut]), ("20 % terakhir", rows[cut:])):
        for district in (False, True):
            sys.stdout.write(f"\n{title}, kolom kelurahan ditutup, kecamatan {'diisi' if district else 'ditutup'}\n")
            from_words(finder, part, district=district)
        for fields in (True, False):
            sys.stdout.write(f"\n{title}, kantor kelurahan atau kecamatan, kolom {'diisi' if fields else 'ditutup'}\n")
            offices(finder, portal, part, fields=fields).show("kantor menurut jenisnya")
    cost(finder, rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
