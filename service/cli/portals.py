"""`aduan portal`: folders that say what is true of a portal."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from router_model.errors import DatasetError
from router_model.portal import load_portal
from service.cli.output import result, say
from training.portal_derivation import derive, derive_from_names
from training.reading import read_rows

app = typer.Typer(help="Folder portal: instansi, kategori, wilayah.", no_args_is_help=True)


@app.callback()
def portal() -> None:
    """Folder portal: instansi, kategori, wilayah."""


@app.command()
def init(
    out: Annotated[Path, typer.Option("--out", help="Folder portal yang akan dibuat.")],
    data: Annotated[Path | None, typer.Argument(help="Riwayat berlabel (CSV, XLSX, JSONL, Parquet).")] = None,
    agencies: Annotated[Path | None, typer.Option(help="Daftar nama instansi, satu per baris.")] = None,
    territory: Annotated[Path | None, typer.Option(help="CSV berkolom village dan district.")] = None,
    name: Annotated[str, typer.Option(help="Nama portal; bawaan nama foldernya.")] = "",
) -> None:
    """Menyusun folder portal dari riwayat berlabel, atau dari daftar nama instansi untuk kota baru."""
    if (data is None) == (agencies is None):
        raise typer.BadParameter("beri DATA atau --agencies, salah satu saja")
    title = name or out.name
    if data is not None:
        counts = derive(read_rows(data), out, title)
    else:
        assert agencies is not None  # noqa: S101
        counts = derive_from_names(_names(agencies), _places(territory), out, title)
    load_portal(out)
    say(
        f"Portal {out}: {counts['agencies']} instansi ({counts['territorial']} menurut wilayah), "
        f"{counts['categories']} kategori, {counts['places']} tempat. Periksa sebelum melatih."
    )
    result(str(out))


def _names(path: Path) -> list[str]:
    if not path.is_file():
        raise DatasetError(f"{path}: berkas tidak ada")
    return [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]


def _places(path: Path | None) -> list[tuple[str, str]]:
    if path is None:
        return []
    if not path.is_file():
        raise DatasetError(f"{path}: berkas tidak ada")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"village", "district"} <= set(reader.fieldnames or ()):
            raise DatasetError(f"{path.name}: perlu kolom village dan district")
        return [(row["village"].strip(), row["district"].strip()) for row in reader]
