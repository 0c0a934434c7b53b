"""`aduan policy`: what other wishes would change, and new thresholds without training."""

from typing import Annotated

import typer

from router_model.errors import ReleaseError
from router_model.policy import Policy
from router_model.registry import champions, promote
from service.cli.output import AsJson, Registry, result_json, result_table, say
from service.cli.person import login_name
from service.serving import serving_release
from training.publishing import publish_wish
from training.thresholds import Effect
from training.wishes import Wish, record_of

Precision = typer.Option(min=0.5, max=0.999, help="Ketepatan yang diminta, misalnya 0.95.")


def policy(
    registry: Registry,
    auto: Annotated[float | None, Precision] = None,
    prefill: Annotated[float | None, Precision] = None,
    release: Annotated[str, typer.Option(help="Nomor rilis; bawaan yang berlaku.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Terbitkan dan berlakukan ambang yang baru.")] = False,
    as_json: AsJson = False,
) -> None:
    """Menunjukkan akibat ketepatan lain pada laporan yang disisihkan; dengan --apply, memberlakukannya."""
    opened = serving_release(registry, release).release
    now = Wish.of(Policy.from_values(opened.manifest["policy"]))
    wished = Wish(now.auto if auto is None else auto, now.prefill if prefill is None else prefill)
    if wished.auto < wished.prefill:
        raise typer.BadParameter("ketepatan auto tidak boleh di bawah ketepatan prefill")
    if apply and opened.id not in champions(registry).values():
        raise ReleaseError(
            f"Rilis {opened.id} tidak sedang berlaku; berlakukan dahulu: aduan release promote {opened.id}"
        )
    record = record_of(opened.folder, opened.manifest, opened.portal)
    found = record.foreseen([now, wished])
    published = publish_wish(opened, wished, registry) if apply else None
    if published:
        promote(registry, published, by=login_name())
    if as_json:
        result_json(
            {
                "release": opened.id,
                "rows": found[now].rows,
                "wishes": {"now": now, "wished": wished},
                "now": found[now].routes(),
                "wished": found[wished].routes(),
                "published": published,
            }
        )
        return
    result_table(
        f"Pada {found[now].rows} laporan yang disisihkan; ambangnya dipilih dari laporan sebelumnya",
        ("ketepatan yang diminta", "auto", "di antaranya salah", "prefill", "di antaranya salah"),
        [_line(now, found[now], "sekarang"), _line(wished, found[wished], "diusulkan")],
    )
    precisions = (wished.auto, wished.prefill)
    for route, precision, why in zip(("auto", "prefill"), precisions, record.lacking(precisions), strict=True):
        if why:
            say(f"Tidak ada laporan untuk {route} {_percent(precision)}: {why}.")
    say(
        f"Rilis {published} berlaku."
        if published
        else "Tidak ada yang diubah. Untuk memberlakukan, ulangi dengan --apply."
    )


def _line(wish: Wish, found: Effect, name: str) -> tuple[object, ...]:
    wishes = f"{name}: auto {_percent(wish.auto)}, prefill {_percent(wish.prefill)}"
    return wishes, found.auto, found.auto - found.auto_right, found.prefill, found.prefill - found.prefill_right


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")
