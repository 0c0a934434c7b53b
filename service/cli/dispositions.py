"""`aduan disposition`: what people finally chose, from a portal's export."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from router_model.registry import champion
from router_model.release import router_of
from service.cli.keys import open_database
from service.cli.output import AsJson, Registry, result, result_json, say
from service.cli.person import login_name
from service.dataset_content import from_content
from service.disposition_import import Imported, in_batches, record_rows
from service.serving import Serving
from service.upload_reading import DISPOSE
from service.uploads import read_upload

app = typer.Typer(help="Disposisi akhir.", no_args_is_help=True)


@app.callback()
def disposition() -> None:
    """Disposisi akhir."""


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Ekspor portal: CSV, XLSX, JSONL, Parquet.")
    ],
    portal: Annotated[str, typer.Option("--portal", help="Kode portal.")],
    registry: Registry,
    as_json: AsJson = False,
) -> None:
    """Mencatat ke mana laporan akhirnya didisposisikan; nomor laporan dicocokkan dengan external_id."""
    serving = Serving(release := champion(registry, portal), router_of(release))
    with file.open("rb") as content:
        upload = read_upload(content, file.name, purpose=DISPOSE)
    imported = Imported(faulty=upload.faulty, faults=list(upload.faults))
    with closing(open_database()) as database:
        for rows in in_batches(from_content(upload.content)):
            with database.begin() as connection:
                found = record_rows(connection, serving, rows, login_name())
            imported.add(found)
    if as_json:
        result_json(asdict(imported))
        return
    for fault in imported.faults:
        say(f"  - {fault.where}{f', kolom {fault.column}' if fault.column else ''}: {fault.message}")
    result(
        f"{imported.recorded} disposisi tercatat, {imported.refused} penolakan tercatat, "
        f"{imported.unchanged} sudah tercatat sama, "
        f"{imported.unmatched} laporan belum pernah dimintakan saran, {imported.faulty} baris tidak dapat dipakai."
    )
