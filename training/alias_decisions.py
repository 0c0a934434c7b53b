"""The file in which a person says which names of agencies mean one body: `alias-usulan.csv`."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from router_model.errors import DatasetError
from router_model.portal import folded
from training.name_similarity import Proposal

ALIAS_FILE = "alias-usulan.csv"
_HEADER = ("label", "rows", "agency", "agency_rows", "similarity", "reason", "merge")


@dataclass(frozen=True)
class AliasDecisions:
    """`merged` maps a folded label to the name it means; `apart` holds pairs of folded labels that are two bodies."""

    merged: dict[str, str] = field(default_factory=dict)
    apart: frozenset[frozenset[str]] = frozenset()

    def name_of(self, label: str) -> str:
        """The name that stands for a label, through as many merges as there are."""
        while (name := self.merged.get(folded(label))) is not None:
            label = name
        return label


def write_proposals(proposals: Iterable[Proposal], path: Path) -> None:
    """The proposals as a table with an empty column `merge` for a person to fill."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for item in proposals:
            writer.writerow((item.label, item.rows, item.agency, item.agency_rows, item.similarity, item.reason, ""))


def read_decisions(path: Path) -> AliasDecisions:
    """Rows with `ya` in `merge` are merged, those with `tidak` are two bodies, empty ones are undecided.

    Commas, semicolons or tabs may stand between columns: spreadsheets save all three.

    Raises:
        DatasetError: naming each row that contradicts another or cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DatasetError(f"{path}: berkas tidak ada") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path.name}: bukan UTF-8; simpan ulang sebagai CSV UTF-8") from None
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    missing = [column for column in ("label", "agency", "merge") if column not in (reader.fieldnames or ())]
    if missing:
        raise DatasetError(f"{path.name}: kolom tidak ada: {', '.join(missing)}")
    problems: list[str] = []
    merged: dict[str, str] = {}
    apart: set[frozenset[str]] = set()
    for row in reader:
        where = f"{path.name} baris {reader.line_num}"
        label, agency, answer = row["label"].strip(), row["agency"].strip(), row["merge"].strip().casefold()
        if answer not in {"ya", "tidak", ""}:
            problems.append(f"{where}, kolom merge: {answer!r} harus 'ya', 'tidak' atau kosong")
        elif answer and not (folded(label) and folded(agency)):
            problems.append(f"{where}: label dan agency harus diisi")
        elif answer == "tidak":
            apart.add(frozenset((folded(label), folded(agency))))
        elif answer == "ya" and folded(label) != folded(agency):
            other = merged.setdefault(folded(label), agency)
            if folded(other) != folded(agency):
                problems.append(f"{where}: {label!r} sudah digabung dengan {other!r}")
    problems += [f"{path.name}: {name!r} akhirnya digabung dengan dirinya sendiri" for name in _circles(merged)]
    if problems:
        raise DatasetError(f"{path} belum bisa dipakai:", problems)
    return AliasDecisions(merged, frozenset(apart))


def _circles(merged: dict[str, str]) -> list[str]:
    found = []
    for label in merged:
        name, steps = label, 0
        while name in merged and steps <= len(merged):
            name, steps = folded(merged[name]), steps + 1
            if name == label:
                found.append(label)
                break
    return found
