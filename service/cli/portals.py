"""`aduan portal`: folders that say what is true of a portal."""

import csv
import shlex
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from router_model.errors import DatasetError
from router_model.portal import load_portal
from service.cli.labelled import Columns, rows_of
from service.cli.output import AsJson, result, result_json, result_table, say
from training.alias_decisions import ALIAS_FILE, AliasDecisions, read_decisions
from training.portal_check import GRADES, Lack, lacks
from training.portal_derivation import derive, derive_from_names

SHOWN = 5

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
    region: Annotated[
        str, typer.Option(help="Kode Kemendagri kota, kabupaten, atau provinsi, misalnya 51.71; mengisi wilayahnya.")
    ] = "",
    aliases: Annotated[
        Path | None, typer.Option(help=f"{ALIAS_FILE} yang kolom merge-nya sudah diisi `ya` atau `tidak`.")
    ] = None,
    name: Annotated[str, typer.Option(help="Nama portal; bawaan nama foldernya.")] = "",
    columns: Columns = None,
) -> None:
    """Menyusun folder portal dari riwayat berlabel, atau dari daftar nama instansi untuk kota baru."""
    if (data is None) == (agencies is None):
        raise typer.BadParameter("beri DATA atau --agencies, salah satu saja")
    title = name or out.name
    decisions = read_decisions(aliases) if aliases else AliasDecisions()
    where = ["--region", region] if region else []
    if data is not None:
        source = [str(data)] + (["--columns", str(columns)] if columns else [])
        counts = derive(rows_of([data], columns), out, title, decisions, region)
    else:
        assert agencies is not None  # noqa: S101
        source = ["--agencies", str(agencies)] + (["--territory", str(territory)] if territory else [])
        counts = derive_from_names(_names(agencies), _places(territory), out, title, decisions, region)
    load_portal(out)
    say(
        f"Portal {out}: {counts['agencies']} instansi ({counts['territorial']} menurut wilayah), "
        f"{counts['categories']} kategori, {counts['places']} tempat. Periksa sebelum melatih."
    )
    if counts["merged"]:
        say(f"{counts['merged']} nama digabung sebagai alias menurut {aliases}.")
    if counts["proposed"]:
        again = shlex.join([*source, *where, "--out", f"{out}-2", "--aliases", str(out / ALIAS_FILE)])
        say(
            f"{counts['proposed']} pasang nama mungkin satu instansi; belum ada yang digabung. "
            f"Periksa {out / ALIAS_FILE}, tulis `ya` atau `tidak` di kolom merge, lalu susun lagi di folder lain: "
            f"aduan portal init {again}"
        )
    result(str(out))


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="Folder portal.")], as_json: AsJson = False) -> None:
    """Menyebut apa yang masih kurang pada sebuah folder portal sebelum dipakai melayani warga."""
    portal = load_portal(folder)
    found = lacks(portal, date.today())
    if as_json:
        result_json([asdict(lack) for lack in found])
    else:
        _show(f"{portal.name} ({folder})", found)
    if any(lack.grade == "harus" for lack in found):
        raise typer.Exit(1)


def _show(title: str, found: list[Lack]) -> None:
    result_table(
        f"Yang kurang pada {title}",
        ("kekurangan", "tingkat", "banyaknya"),
        [(lack.told, lack.grade, len(lack.examples) or "-") for lack in found],
    )
    must, should, notes = (sum(lack.grade == grade for lack in found) for grade in GRADES)
    verdict = "Belum siap dipakai." if must else "Tidak ada yang menghalangi pemakaian."
    result(f"{verdict} {must} harus diselesaikan, {should} sebaiknya, {notes} catatan.")
    for number, lack in enumerate(found, 1):
        result(f"\n{number}. {lack.told} ({lack.grade}; {lack.where})\n   {lack.todo}")
        for example in lack.examples[:SHOWN]:
            result(f"   - {example}")
        if more := len(lack.examples[SHOWN:]):
            result(f"   - dan {more} lagi")


def _names(path: Path) -> list[str]:
    if not path.is_file():
        raise DatasetError(f"{path}: berkas tidak ada")
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DatasetError(f"{path.name}: bukan UTF-8; simpan ulang sebagai teks UTF-8") from None
    return [line.strip() for line in lines if line.strip()]


def _places(path: Path | None) -> list[tuple[str, str]]:
    if path is None:
        return []
    if not path.is_file():
        raise DatasetError(f"{path}: berkas tidak ada")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"village", "district"} <= set(reader.fieldnames or ()):
            raise DatasetError(f"{path.name}: perlu kolom village dan district")
        return [((row["village"] or "").strip(), (row["district"] or "").strip()) for row in reader]
