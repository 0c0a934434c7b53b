"""Which header of a portal's own export means which known column: a small file, or a proposal for one."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean

import tomli_w
from rapidfuzz import fuzz, process

from router_model.errors import DatasetError
from router_model.portal import folded
from training.headers import data_lines, find_header
from training.reading import KNOWN_HEADERS, NEVER_READ, explicit_headers, parse_moment
from training.sheets import read_sheets

SAMPLED = 500
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "text": (
        "isi", "uraian", "deskripsi", "aduan", "pengaduan", "keluhan", "laporan", "pesan", "isi pesan", "konten",
        "permasalahan", "masalah", "kronologi", "narasi", "rincian", "complaint", "description", "content", "message",
    ),
    "title": ("judul", "perihal", "subjek", "hal", "title", "subject"),
    "received_at": ("tanggal", "tgl", "waktu", "tanggal jam", "tanggal waktu", "hari tanggal", "date", "created at"),
    "received_time": ("jam", "pukul", "time"),
    "agency": (
        "instansi", "instansi terdisposisi", "opd", "skpd", "dinas", "unit kerja", "perangkat daerah", "disposisi",
        "terdisposisi", "unit", "satuan kerja", "satker", "instansi penerima", "opd penerima", "department", "agency",
    ),
    "category": (
        "kategori", "topik", "bidang", "sub kategori", "subkategori", "kelompok", "isu", "tema", "urusan", "category",
    ),
    "report_type": ("klasifikasi", "jenis"),
    "urgency": (
        "urgensi", "prioritas", "tingkat", "tingkat urgensi", "tingkat prioritas", "tingkat kedaruratan",
        "skala prioritas", "kegawatan", "priority",
    ),
    "channel": ("kanal", "media", "sumber", "saluran", "aplikasi", "platform", "channel", "source"),
    "address": ("alamat", "lokasi", "tempat", "alamat lokasi", "titik lokasi", "patokan", "jalan", "address"),
    "village": ("kelurahan", "kel", "desa", "village"),
    "district": ("kecamatan", "kec", "district"),
    "id": (
        "id", "nomor", "no", "kode", "tiket", "nomor tiket", "no tiket", "id tiket", "kode tiket", "ticket",
        "ticket id", "nomor registrasi", "no registrasi", "tracking",
    ),
    "lat": ("latitude", "lintang"),
    "lon": ("longitude", "long", "lng", "bujur"),
}  # fmt: skip
"""Names that Indonesian portals give their columns, without the words that say of what: "Isi Aduan" is "isi"."""
_COLUMN_OF = {synonym: column for column, synonyms in SYNONYMS.items() for synonym in synonyms}
_OF_WHAT = {
    "aduan", "pengaduan", "keluhan", "laporan", "lapor", "masuk", "tujuan", "terkait", "kejadian", "warga",
    "masyarakat", "lengkap", "nama", "awal", "diterima", "masalah", "permasalahan", "peristiwa", "sp4n", "dituju",
    "di", "ke", "oleh",
}  # fmt: skip
_PERSONAL = {
    "pelapor", "pengadu", "pemohon", "penulis", "pengirim", "nik", "ktp", "kk", "npwp", "telp", "telepon", "tlp",
    "telpon", "hp", "handphone", "ponsel", "wa", "whatsapp", "email", "mail", "surel", "kontak", "username", "user",
    "akun", "petugas", "operator", "admin", "lahir", "kelamin", "gender", "umur", "usia", "agama",
}  # fmt: skip
_ANSWERS = {
    "tanggapan", "jawaban", "balasan", "respon", "respons", "tindak", "tindaklanjut", "penyelesaian", "catatan",
    "akhir", "hasil", "alasan", "status", "rating", "penilaian", "verifikasi", "selesai", "ditutup", "batas",
    "tenggat", "lampiran", "foto", "gambar", "url", "link", "file", "induk",
}  # fmt: skip
"""Headers of what staff did with a complaint, or of its state: none of it is known when it comes in."""
_NUMBERS = {"id", "no", "nomor", "kode"}
_PERSONAL_CELL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?:\+?62|0)8[\d\s-]{7,14}|\d{16}")
_CLOCK_CELL = re.compile(r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s*(?:WIB|WITA|WIT))?", re.IGNORECASE)
_REPORT_TYPE = re.compile(r"pengaduan|aspirasi|informasi|saran|pertanyaan|permintaan", re.IGNORECASE)
_AGENCY = re.compile(
    r"(?:dinas|badan|bagian|biro|kelurahan|desa|kecamatan|inspektorat|sekretariat|rsud|puskesmas|perumda|satuan|satpol"
    r"|upt|uptd|kantor)\b",
    re.IGNORECASE,
)
_CLOSE = 86
"""Of 100 (normalised indel distance): "kategory" is "kategori" (87.5), "id kategori" is not (84)."""


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    header: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class MappingProposal:
    """Headers with the column each seems to mean, headers that stay out, and both as a mapping file."""

    columns: tuple[ProposedColumn, ...]
    left_over: tuple[str, ...]
    toml: str


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """A header with its cells that are not blank."""

    header: str
    cells: Sequence[str]

    @property
    def words(self) -> list[str]:
        return folded(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.header)).split()

    @property
    def length(self) -> float:
        """Mean words of a cell."""
        return mean([len(cell.split()) for cell in self.cells] or [0])

    @property
    def distinct(self) -> int:
        return len(set(self.cells))

    def share(self, pattern: re.Pattern[str]) -> float:
        return mean([pattern.match(cell) is not None for cell in self.cells] or [0])

    @property
    def dated(self) -> float:
        return mean([parse_moment(cell) is not None for cell in self.cells] or [0])

    @property
    def closed(self) -> bool:
        """Whether nothing may be read from it: data of a person, or what staff did later."""
        words = set(self.words)
        return (
            " ".join(self.words) in NEVER_READ
            or bool(words & (_PERSONAL | _ANSWERS))
            or self.share(_PERSONAL_CELL) >= 0.5
        )


def load_mapping(path: Path) -> dict[str, str]:
    """Header to column, from the table `[columns]` of a TOML file; "" leaves a header out.

    Raises:
        DatasetError: the file is missing or broken, or its mapping contradicts itself.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError:
        raise DatasetError(f"{path}: berkas pemetaan tidak ada atau tidak dapat dibaca") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path.name}: bukan berkas TOML yang utuh ({error})") from None
    columns = content.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise DatasetError(f'{path.name}: tabel [columns] tidak ada; tulis misalnya "Isi Aduan" = "text" di bawahnya')
    for header, column in columns.items():
        if not isinstance(column, str):
            raise DatasetError(f'{path.name}: {header!r} harus menunjuk nama kolom dalam tanda kutip, misalnya "text"')
    try:
        explicit_headers(columns)
    except DatasetError as error:
        raise DatasetError(f"{path.name}: {error}") from None
    return columns


def propose_mapping(path: Path) -> MappingProposal:
    """What the headers of a file seem to mean, by their names and, where those say nothing, by their cells.

    Holds names of headers only, no cell.

    Raises:
        DatasetError: the file cannot be read or has no header.
    """
    columns = sampled_columns(path)
    chosen = {item.header: item for item in proposed_columns(columns)}
    headers = list(dict.fromkeys(column.header for column in columns))
    found = tuple(chosen[header] for header in headers if header in chosen)
    left_over = tuple(header for header in headers if header not in chosen)
    return MappingProposal(found, left_over, _toml(path.name, found, left_over))


def proposed_columns(columns: Sequence[SampledColumn]) -> list[ProposedColumn]:
    """What each header seems to mean, each column proposed once; headers that seem to mean nothing are left out."""
    proposed: dict[str, ProposedColumn] = {}
    for column in columns:
        known = KNOWN_HEADERS.get(folded(column.header))
        if known and known not in proposed:
            proposed[known] = ProposedColumn(column.header, known, "nama baku")
    rest = [column for column in columns if not column.closed]
    for propose in (_by_name, _by_cells):
        taken = {item.header for item in proposed.values()}
        for item in propose([column for column in rest if column.header not in taken]):
            proposed.setdefault(item.column, item)
    return list(proposed.values())


def sampled_columns(path: Path) -> list[SampledColumn]:
    """The columns of the sheet that has a `text` column, or else of the longest one, with the cells of first rows.

    Raises:
        DatasetError: the file cannot be read or has no header.
    """
    headed = [(sheet, header) for sheet in read_sheets(path) if (header := find_header(sheet.lines, KNOWN_HEADERS))]
    if not headed:
        raise DatasetError(f"{path.name}: baris judul kolom tidak ditemukan")
    sheet, header = max(headed, key=lambda item: ("text" in item[1].columns, len(item[0].lines)))
    lines = [line.cells for line in islice(data_lines(sheet, header), SAMPLED)]
    return [
        SampledColumn(name, [cells[number] for cells in lines if number < len(cells) and cells[number]])
        for number, name in enumerate(header.names)
        if name
    ]


def _by_name(columns: Sequence[SampledColumn]) -> list[ProposedColumn]:
    """Best first where several headers mean the same column."""
    found: list[tuple[float, ProposedColumn]] = []
    for column in columns:
        match = _synonym(column.words)
        if match is None:
            continue
        synonym, score = match
        meant = _checked(_COLUMN_OF[synonym], column)
        if meant is None:
            continue
        if meant == "text":
            score += column.length
        elif meant == "received_at" and "kejadian" in column.words:
            score -= 1
        found.append((score, ProposedColumn(column.header, meant, f"nama serupa {synonym!r}")))
    return [item for _, item in sorted(found, key=lambda scored: -scored[0])]


def _synonym(words: Sequence[str]) -> tuple[str, float] | None:
    """The synonym that a header's words come to, and how close they are to it (of 100)."""
    core = [word for word in words if word not in _OF_WHAT] or list(words)
    if not words or (len(words) == 1 and words[0] in ("no", "nomor")):
        return None
    name = " ".join(core)
    if name in _COLUMN_OF:
        return name, 100
    if core[0] in _NUMBERS:
        return None
    if len({_COLUMN_OF.get(word) for word in core} - {None}) == 1 and all(word in _COLUMN_OF for word in core):
        return core[0], 95
    if len(name) <= 4:
        return None
    match = process.extractOne(name, _COLUMN_OF.keys(), scorer=fuzz.ratio, score_cutoff=_CLOSE)
    return (match[0], match[1]) if match else None


def _checked(meant: str, column: SampledColumn) -> str | None:
    """The column that a name means once its cells are looked at."""
    if not column.cells:
        return meant
    if meant in ("received_at", "received_time"):
        if column.share(_CLOCK_CELL) >= 0.5 and column.dated < 0.5:
            return "received_time"
        return "received_at" if column.dated >= 0.5 else None
    if meant == "text":
        return meant if mean(len(cell.split()) > 1 for cell in column.cells) >= 0.5 else None
    if meant == "report_type":
        return meant if column.share(_REPORT_TYPE) >= 0.6 else "category"
    return meant


def _by_cells(columns: Sequence[SampledColumn]) -> list[ProposedColumn]:
    found: list[ProposedColumn] = []
    for column in sorted(columns, key=lambda item: -item.length):
        if not column.cells or "nama" in column.words:
            continue
        if column.dated >= 0.8 and not all(map(str.isdigit, column.cells)):
            found.append(ProposedColumn(column.header, "received_at", f"{column.dated:.0%} isinya tanggal"))
        elif (share := column.share(_AGENCY)) >= 0.6 and column.distinct <= max(3, 0.5 * len(column.cells)):
            reason = f"{share:.0%} isinya nama instansi, {column.distinct} yang berbeda"
            found.append(ProposedColumn(column.header, "agency", reason))
        elif column.length >= 5 and column.distinct >= 0.5 * len(column.cells):
            reason = f"isinya teks panjang, rata-rata {column.length:.0f} kata"
            found.append(ProposedColumn(column.header, "text", reason))
    return found


def _toml(name: str, columns: Sequence[ProposedColumn], left_over: Sequence[str]) -> str:
    lines = [f"# Usulan pemetaan kolom {name}; periksa sebelum dipakai."]
    lines += [f"# Tidak dibaca: {', '.join(left_over)}"] if left_over else []
    return "\n".join(lines) + "\n\n" + tomli_w.dumps({"columns": {item.header: item.column for item in columns}})
