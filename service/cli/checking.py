"""`aduan check`: what stands in the way of learning from a data set."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from router_model.portal import load_portal
from service.cli.output import AsJson, progress, result, result_json, result_table, say
from training.charts import number, percent
from training.check_page import check_page
from training.checking import Checkup, check_file
from training.column_mapping import load_mapping

SHOWN = 3


def check(
    data: Annotated[Path, typer.Argument(help="Data berlabel.")],
    portal: Annotated[Path | None, typer.Option(help="Folder portal; tanpa ini label tidak dicocokkan.")] = None,
    columns: Annotated[Path | None, typer.Option(help="Berkas pemetaan kolom (TOML).")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Tulis juga halaman hasil ke berkas ini.")] = None,
    as_json: AsJson = False,
) -> None:
    """Memeriksa data sebelum dilatih: label, salinan, tanggal, data pribadi, dan label yang mungkin keliru."""
    described = load_portal(portal) if portal else None
    mapping = load_mapping(columns) if columns else None
    with progress() as call:
        checkup = check_file(data, described, date.today(), mapping, call)
    if html:
        html.write_text(check_page(checkup), "utf-8")
        say(f"Halaman hasil: {html}")
    if as_json:
        result_json([finding.as_dict() for finding in checkup.findings])
    elif checkup.mapping:
        result(checkup.mapping.rstrip("\n"))
        say(
            f"{data.name}: kolom isi laporan tidak ditemukan, jadi isinya belum diperiksa. Yang tercetak adalah usulan "
            f"pemetaan kolomnya. Simpan (aduan check {data} > kolom.toml), periksa, lalu: "
            f"aduan check {data} --columns kolom.toml"
        )
    else:
        _show(checkup)


def _show(checkup: Checkup) -> None:
    result_table(
        f"Temuan pada {checkup.source}",
        ("temuan", "tingkat", "banyaknya", "bagian"),
        [
            (item.title, item.severity, f"{number(item.count)} {item.unit}", percent(item.share, 1))
            for item in checkup.found
        ],
    )
    result(checkup.verdict)
    for place, item in enumerate(checkup.to_do, 1):
        result(f"\n{place}. {item.title} ({number(item.count)} {item.unit}, {item.severity})\n   {item.advice}")
        for example in item.examples[:SHOWN]:
            result(f"   - {example}")
        if more := item.left_out + len(item.examples[SHOWN:]):
            result(f"   - dan {number(more)} lagi")
    if absent := [item.title for item in checkup.findings if not item.count]:
        result(f"\nDiperiksa dan tidak ditemukan: {'; '.join(absent)}.")
    for reason in checkup.not_checked:
        say(f"Tidak diperiksa. {reason}.")
