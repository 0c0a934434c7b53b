"""`aduan train`, `aduan evaluate`: from labelled data to a measured release."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from router_model.errors import DatasetError
from router_model.portal import load_portal
from router_model.release import Release
from service.cli.labelled import Columns, From, PortalFolder, Until, labelled, report_faults, within
from service.cli.output import AsJson, Registry, progress, result_json, result_table, say, show_scores
from service.cli.person import login_name
from service.serving import serving_release
from training.complaint_keys import seen_key
from training.dataset import Example, LabelMapping
from training.learning import learn
from training.publishing import SCORES
from training.report import full_report
from training.report_page import report_page


def train(
    portal: PortalFolder,
    registry: Registry,
    data: Annotated[
        list[Path] | None, typer.Argument(help="Data berlabel; tanpa data, rilis hari pertama dari pengetahuan bawaan.")
    ] = None,
    until: Until = "",
    columns: Columns = None,
    as_json: AsJson = False,
) -> None:
    """Melatih, menguji maju menurut waktu, menerbitkan rilis, dan memberlakukannya bila uji banding lolos."""
    described = load_portal(portal)
    rows, mappings = list[Example](), list[LabelMapping]()
    if data:
        rows, faults, mappings = labelled(data, described, columns)
        report_faults(faults)
        rows = within(rows, "", until)
    with progress() as call:
        learned = learn(rows, portal, registry, mappings=mappings, by=login_name(), progress=call)
    trained, verdict = learned.trained, learned.verdict
    say(f"Rilis {learned.release} terbit{' dan berlaku' if learned.in_force else ''} untuk portal {described.code}.")
    say(f"Uji banding {'lolos' if verdict.agrees else 'tidak lolos'}:")
    for reason in verdict.reasons:
        say(f"  - {reason}")
    if not learned.in_force:
        say(f'Rilis yang lama tetap berlaku. Bila tetap mau: aduan release promote {learned.release} --reason "..."')
    say("Waktu: " + ", ".join(f"{stage} {seconds:.0f} detik" for stage, seconds in trained.seconds.items()) + ".")
    say(f"Laporan evaluasi: {registry / learned.release / 'report.html'}")
    if as_json:
        result_json(
            {
                "release": learned.release,
                "in_force": learned.in_force,
                "gate": verdict.as_dict(),
                "seconds": dict(trained.seconds),
                **{name: trained.scores[name] for name in SCORES if name in trained.scores},
            }
        )
    else:
        asked = "laporan contoh bawaan, bukan dari portal ini" if trained.scores.get("shipped") else "laporan terakhir"
        show_scores(f"{learned.release}: diuji pada {trained.scores['rows']} {asked}", trained.scores)


def evaluate(
    data: Annotated[Path, typer.Argument(help="Data berlabel yang tidak dipakai melatih.")],
    registry: Registry,
    release: Annotated[str, typer.Option(help="Nomor rilis; bawaan yang berlaku.")] = "",
    since: From = "",
    until: Until = "",
    classes: Annotated[bool, typer.Option(help="Tabel per kelas.")] = False,
    html: Annotated[Path | None, typer.Option(help="Tulis laporan evaluasi sebagai halaman ke berkas ini.")] = None,
    columns: Columns = None,
    as_json: AsJson = False,
) -> None:
    """Menilai sebuah rilis pada data berlabel; laporan yang pernah dilihatnya dilewati."""
    serving = serving_release(registry, release)
    opened = serving.release
    rows, faults, _ = labelled([data], opened.portal, columns)
    report_faults(faults)
    rows = within(rows, since, until)
    seen = set(np.load(opened.folder / "seen.npy", allow_pickle=False).tolist())
    fresh = [row for row in rows if seen_key(row.complaint) not in seen]
    if len(fresh) < len(rows):
        say(f"{len(rows) - len(fresh)} laporan dilewati karena sudah dilihat saat melatih.")
    if not fresh:
        raise DatasetError("Semua laporan sudah dilihat saat melatih; tidak ada yang dapat dinilai.")
    report = full_report(serving.router, fresh)
    if html:
        html.write_text(report_page(report, _heading(opened, fresh)), "utf-8")
        say(f"Laporan evaluasi: {html}")
    if as_json:
        result_json({"release": opened.id, **report})
        return
    show_scores(f"{opened.id} pada {len(fresh)} laporan", report)
    if classes:
        for answer, table in report["classes"].items():
            result_table(
                answer,
                ("kelas", "n", "ketepatan", "kelengkapan"),
                [(row["name"], row["support"], _figure(row["precision"]), _figure(row["recall"])) for row in table],
            )


def _heading(release: Release, rows: Sequence[Example]) -> dict[str, Any]:
    manifest = release.manifest
    moments = [row.received_at for row in rows if row.received_at]
    return {
        "release": release.id,
        "portal": release.portal.name,
        "created_at": manifest["created_at"],
        "rows": manifest["data"]["rows"],
        "from": manifest["data"]["from"],
        "until": manifest["data"]["until"],
        "held_back_from": min(moments).isoformat() if moments else None,
        "held_back_until": max(moments).isoformat() if moments else None,
    }


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
