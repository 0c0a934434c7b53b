"""Banjar, roads and well-known spots that tell a village or district: `landmarks.csv`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from router_model.portal_table import cell_certainty, cell_parts, table_rows
from router_model.tokens import normal_words

LANDMARK_KINDS = {"banjar": "Banjar", "jalan": "Jalan", "tempat": "Tempat"}


@dataclass(frozen=True, slots=True)
class Landmark:
    """A name that people give instead of a village; `place` is the code of the village, or of the district if it
    crosses several. `certainty` is a letter of `CERTAINTIES`, `where` the row's file and line."""

    name: str
    kind: str
    place: str
    aliases: tuple[str, ...] = ()
    certainty: str = "D"
    source: str = ""
    note: str = ""
    where: str = field(default="", compare=False)


def landmark_words(name: str, kind: str) -> tuple[str, ...]:
    """Normal words of a name without the word of its kind: `Jl. Hayam Wuruk` and `Hayam Wuruk` are one road."""
    words = normal_words(name)
    return words[1:] if words[:1] == (kind,) else words


def read_landmarks(path: Path, problems: list[str]) -> tuple[Landmark, ...]:
    """Rows of `landmarks.csv`; none if the file does not exist. Faults go to `problems`."""
    if not path.exists():
        return ()
    found = []
    for where, row in table_rows(path, ("name", "kind", "place"), problems):
        name, kind, aliases = row["name"], row["kind"], cell_parts(row.get("aliases", ""))
        if kind not in LANDMARK_KINDS:
            problems.append(f"{where}, kolom kind: {kind!r} harus 'banjar', 'jalan' atau 'tempat'")
        for column, label in [("name", name), *(("aliases", alias) for alias in aliases)]:
            count = len(landmark_words(label, kind))
            if not count:
                problems.append(f"{where}, kolom {column}: {label!r} tidak berisi nama")
            elif kind == "tempat" and count < 2:
                problems.append(
                    f"{where}, kolom {column}: {label!r} hanya satu kata; tulis lengkap, contoh: Pasar Badung"
                )
        found.append(
            Landmark(
                name=name,
                kind=kind,
                place=row["place"],
                aliases=aliases,
                certainty=cell_certainty(row, where, problems),
                source=row.get("source", ""),
                note=row.get("note", ""),
                where=where,
            )
        )
    return tuple(found)


def landmark_faults(landmarks: Sequence[Landmark], names: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Rows of a place that the portal does not have, and names that are taken. `names` holds the names of each
    place, by its code."""
    taken = {"".join(normal_words(name)) for own in names.values() for name in own}
    seen: dict[tuple[str, str, str], str] = {}
    for landmark in landmarks:
        if landmark.place not in names:
            yield f"{landmark.where}, kolom place: {landmark.place!r} tidak ada di territory.csv"
        for name in dict.fromkeys((landmark.name, *landmark.aliases)):
            joined = "".join(landmark_words(name, landmark.kind))
            first = seen.setdefault((joined, landmark.kind, landmark.place), landmark.where)
            if first != landmark.where:
                yield f"{landmark.where}: {name!r} sudah ada di {first}"
            if landmark.kind == "tempat" and joined in taken:
                yield f"{landmark.where}: {name!r} sudah menjadi nama wilayah di territory.csv; hapus baris ini"
