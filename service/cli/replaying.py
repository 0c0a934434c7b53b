"""`aduan replay`: what a history would have looked like with us."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from router_model.portal import load_portal
from service.cli.labelled import Columns, PortalFolder, labelled, moment_of, report_faults
from service.cli.output import AsJson, progress, result, result_json, result_table, show_scores
from training.replay import replay as live_again


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def replay(
    data: Annotated[list[Path], typer.Argument(help="Riwayat berlabel.")],
    portal: PortalFolder,
    since: Annotated[str, typer.Option("--from", help="Mulai memutar ulang dari tanggal ini (ISO 8601).")],
    until: Annotated[str, typer.Option(help="Sampai sebelum tanggal ini (ISO 8601).")] = "",
    every: Annotated[Every, typer.Option(help="Seberapa sering model dilatih ulang.")] = Every.WEEK,
    columns: Columns = None,
    as_json: AsJson = False,
) -> None:
    """Memutar ulang riwayat: latih dari yang sudah diketahui, sarankan minggu berikutnya, belajar darinya, terus."""
    described = load_portal(portal)
    rows, faults, _ = labelled(data, described, columns)
    report_faults(faults)
    start, end = moment_of(since, "--from"), moment_of(until, "--until") if until else None
    with progress() as call:
        lived = live_again(rows, described, start, end, every.value, call)
    if as_json:
        result_json(lived)
        return
    result_table(
        "Dari waktu ke waktu",
        ("mulai", "laporan", "instansi tepat", "terjawab", "tepat bila terjawab", "tanpa latih ulang", "terjawab"),
        [_line(point) for point in lived["curve"]],
    )
    show_scores("Dilatih ulang terus", lived)
    show_scores("Model pertama, tanpa latih ulang", lived["static"])
    plain = ", ".join(f"{answer} {right:.3f}" for answer, right in lived["plain"].items())
    result(f"Pembanding sederhana (TF-IDF dan LinearSVC), dilatih ulang pada hari yang sama, tepat: {plain}")
    result(_saved(lived["saved"]))


def _saved(saved: dict[str, Any]) -> str:
    assumed = saved["assumed"]
    ways = (("by_hand", "memilih sendiri"), ("with_candidates", "dari daftar calon"), ("to_save", "tinggal menyimpan"))
    each = ", ".join(
        f"{assumed[f'seconds_{way}']:.0f} detik dan {assumed[f'clicks_{way}']:.0f} klik bila {name}"
        for way, name in ways
    )
    return (
        f"Kerja petugas yang terhemat: {saved['hours']:.0f} dari {saved['hours_by_hand']:.0f} jam dan "
        f"{saved['clicks']:.0f} dari {saved['clicks_by_hand']:.0f} klik. Anggapannya, bukan ukuran (atur di "
        f"portal.toml, tabel workload): {each}."
    )


def _line(point: dict[str, Any]) -> tuple[str, ...]:
    refit, static = point["refit"], point["static"]
    figures = (
        refit["agency"], refit["answered"], refit["answered_right"], static["agency"], static["answered"],
    )  # fmt: skip
    return (
        point["since"][:10],
        str(point["n"]),
        *("-" if figure is None else f"{figure:.3f}" for figure in figures),
    )
