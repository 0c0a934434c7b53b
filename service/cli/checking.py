"""`aduan check`: what stands in the way of learning from a data set."""

from pathlib import Path
from typing import Annotated

import typer

from router_model.portal import load_portal
from service.cli.output import AsJson, result_json, result_table
from training.checking import check_rows
from training.reading import read_rows


def check(
    data: Annotated[Path, typer.Argument(help="Data berlabel.")],
    portal: Annotated[Path | None, typer.Option(help="Folder portal; tanpa ini label tidak dicocokkan.")] = None,
    as_json: AsJson = False,
) -> None:
    """Memeriksa data sebelum dilatih: label asing, label bertentangan, salinan, bocoran disposisi, data pribadi."""
    findings = check_rows(read_rows(data), load_portal(portal) if portal else None)
    if as_json:
        result_json([finding.as_dict() for finding in findings])
        return
    result_table(
        f"Temuan pada {data.name}",
        ("temuan", "baris", "bagian", "contoh"),
        [
            (finding.title, finding.count, f"{finding.share:.1%}", "; ".join(finding.examples[:3]))
            for finding in findings
        ],
    )
