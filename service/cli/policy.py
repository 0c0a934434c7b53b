"""`aduan policy`: what other wishes would change, and new thresholds without training."""

from typing import Annotated

import typer

from router_model.errors import ReleaseError
from router_model.policy import Policy
from router_model.registry import champions, promote
from service.cli.output import AsJson, Registry, result_json, result_table, say
from service.cli.releases import login_name
from service.serving import serving_release
from training.answered import read_answered
from training.publishing import FORWARD_FILE, publish_policy
from training.thresholds import Effect, choose_policy, effect

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
    now = Policy.from_values(opened.manifest["policy"])
    rows = read_answered(opened.folder / FORWARD_FILE)
    wishes = {
        "precision_auto": now.precision_auto if auto is None else auto,
        "precision_prefill": now.precision_prefill if prefill is None else prefill,
        "emergency_threshold": now.emergency,
    }
    if wishes["precision_auto"] < wishes["precision_prefill"]:
        raise typer.BadParameter("ketepatan auto tidak boleh di bawah ketepatan prefill")
    if apply and opened.id not in champions(registry).values():
        raise ReleaseError(
            f"Rilis {opened.id} tidak sedang berlaku; berlakukan dahulu: aduan release promote {opened.id}"
        )
    wished = choose_policy(rows, wishes, now.place_precision)
    external = frozenset(agency.code for agency in opened.portal.agencies if agency.external)
    before, after = effect(now, rows, external), effect(wished, rows, external)
    published = publish_policy(opened, wished, after, registry) if apply else None
    if published:
        promote(registry, published, by=login_name())
    if as_json:
        result_json({"release": opened.id, "now": before.routes(), "wished": after.routes(), "published": published})
        return
    result_table(
        f"Pada {before.rows} laporan yang disisihkan",
        ("ketepatan yang diminta", "auto", "di antaranya salah", "prefill", "di antaranya salah"),
        [_line(now, before, "sekarang"), _line(wished, after, "diusulkan")],
    )
    say(
        f"Rilis {published} berlaku."
        if published
        else "Tidak ada yang diubah. Untuk memberlakukan, ulangi dengan --apply."
    )


def _line(policy: Policy, found: Effect, name: str) -> tuple[object, ...]:
    wishes = f"{name}: auto {policy.precision_auto:.1%}, prefill {policy.precision_prefill:.1%}"
    return wishes, found.auto, found.auto - found.auto_right, found.prefill, found.prefill - found.prefill_right
