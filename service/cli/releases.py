"""`aduan release`: the life of releases."""

from typing import Annotated

import typer

from router_model.errors import ReleaseError
from router_model.release import champions, faults, open_release, read_manifest, release_ids
from router_model.release import promote as put_in_force
from service.cli.output import AsJson, Registry, result, result_json, result_table, say

app = typer.Typer(help="Daftar, keterangan, dan pemeriksaan rilis.", no_args_is_help=True)
ReleaseId = Annotated[str, typer.Argument(metavar="ID", help="Nomor rilis.")]


@app.command("list")
def list_releases(registry: Registry, as_json: AsJson = False) -> None:
    """Semua rilis, yang tertua dahulu."""
    in_force = champions(registry)
    rows = []
    for release_id in release_ids(registry):
        manifest = read_manifest(registry / release_id)
        agency = manifest["scores"]["answers"].get("agency_kind", {})
        rows.append(
            {
                "id": release_id,
                "portal": manifest["portal"],
                "created_at": manifest["created_at"],
                "rows": manifest["data"]["rows"],
                "accuracy": agency.get("accuracy"),
                "in_force": in_force.get(manifest["portal"]) == release_id,
            }
        )
    if as_json:
        result_json(rows)
        return
    result_table(
        "Rilis",
        ("rilis", "portal", "dibuat", "laporan", "instansi tepat", "berlaku"),
        [
            (
                row["id"],
                row["portal"],
                row["created_at"],
                row["rows"],
                "-" if row["accuracy"] is None else f"{row['accuracy']:.3f}",
                "ya" if row["in_force"] else "",
            )
            for row in rows
        ],
    )


@app.command()
def show(release_id: ReleaseId, registry: Registry, as_json: AsJson = False) -> None:
    """Kartu model sebuah rilis."""
    manifest = read_manifest(registry / release_id)
    if as_json:
        result_json(manifest)
    else:
        result((registry / release_id / "card.md").read_text("utf-8"))


@app.command()
def verify(release_id: ReleaseId, registry: Registry) -> None:
    """Memeriksa setiap berkas rilis terhadap sidik yang tercatat."""
    if problems := faults(registry / release_id):
        raise ReleaseError(f"Rilis {release_id} tidak dapat dipercaya:\n" + "\n".join(f"  - {p}" for p in problems))
    result(f"{release_id}: utuh")


@app.command()
def promote(release_id: ReleaseId, registry: Registry) -> None:
    """Memberlakukan sebuah rilis setelah diperiksa."""
    open_release(registry / release_id)
    put_in_force(registry, release_id)
    say(f"Rilis {release_id} berlaku.")


@app.command()
def rollback(registry: Registry, portal: Annotated[str, typer.Option(help="Kode portal.")] = "") -> None:
    """Kembali ke rilis induk dari yang sekarang berlaku."""
    in_force = champions(registry)
    if not portal and len(in_force) == 1:
        portal = next(iter(in_force))
    if portal not in in_force:
        raise ReleaseError(f"Tidak ada rilis yang berlaku untuk portal {portal or '?'}; sebutkan dengan --portal.")
    parent = read_manifest(registry / in_force[portal])["parent"]
    if not parent:
        raise ReleaseError(f"Rilis {in_force[portal]} tidak punya pendahulu.")
    open_release(registry / parent)
    put_in_force(registry, parent)
    say(f"Kembali ke rilis {parent}.")
