"""`aduan release`: the life of releases."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from router_model import registry as releases
from router_model.errors import ReleaseError
from router_model.registry import Entry, champions, entries, release_folder
from router_model.release import bulleted, faults, read_manifest
from service.cli.output import AsJson, Registry, result, result_json, result_table, say
from service.cli.person import login_name

app = typer.Typer(help="Daftar, keterangan, pemeriksaan dan pemberlakuan rilis.", no_args_is_help=True)
ReleaseId = Annotated[str, typer.Argument(metavar="ID", help="Nomor rilis.")]
PortalCode = Annotated[str, typer.Option("--portal", help="Kode portal; bawaan satu-satunya yang ada.")]
Reason = Annotated[str, typer.Option("--reason", help="Alasan; tercatat dalam riwayat.")]
STATES = {True: "rusak", False: "tersedia"}
VERDICTS = {True: "lolos", False: "tidak lolos", None: "-"}
ACTIONS = {
    releases.PROMOTE: "diberlakukan",
    releases.OVERRULE: "diberlakukan dengan alasan",
    releases.ROLLBACK: "dikembalikan",
}


@app.command("list")
def list_releases(registry: Registry, as_json: AsJson = False) -> None:
    """Semua rilis, yang tertua dahulu; yang rusak di belakang."""
    in_force = champions(registry)
    found = entries(registry)
    for entry in found:
        if entry.fault:
            say(entry.fault)
    for portal, release_id in in_force.items():
        if release_id not in {entry.id for entry in found}:
            say(f"Rilis {release_id} yang berlaku untuk portal {portal} tidak ada di {registry}.")
    rows = [_row(entry, in_force) for entry in found]
    if as_json:
        result_json(rows)
        return
    result_table(
        "Rilis",
        ("rilis", "portal", "dibuat", "laporan", "instansi tepat", "uji banding", "keadaan", "berlaku"),
        [
            (
                row["id"],
                row["portal"] or "-",
                row["created_at"] or "-",
                "-" if row["rows"] is None else row["rows"],
                "-" if row["accuracy"] is None else f"{row['accuracy']:.3f}",
                VERDICTS[row["gate"]],
                row["state"],
                "ya" if row["in_force"] else "",
            )
            for row in rows
        ],
    )


def _row(entry: Entry, in_force: dict[str, str]) -> dict[str, Any]:
    manifest = entry.manifest or {}
    return {
        "id": entry.id,
        "portal": manifest.get("portal"),
        "created_at": manifest.get("created_at"),
        "rows": manifest.get("data", {}).get("rows"),
        "accuracy": manifest.get("scores", {}).get("answers", {}).get("agency", {}).get("accuracy"),
        "gate": (manifest.get("gate") or {}).get("agrees"),
        "state": STATES[bool(entry.fault)],
        "in_force": entry.id in in_force.values(),
    }


def _trusted(registry: Path, release_id: str) -> Path:
    folder = release_folder(registry, release_id)
    read_manifest(folder)
    if problems := faults(folder):
        raise ReleaseError(f"Rilis {release_id} tidak dapat dipercaya:\n{bulleted(problems)}")
    return folder


@app.command()
def show(release_id: ReleaseId, registry: Registry, as_json: AsJson = False) -> None:
    """Kartu model sebuah rilis."""
    folder = _trusted(registry, release_id)
    if as_json:
        result_json(read_manifest(folder))
    else:
        result((folder / "card.md").read_text("utf-8"))


@app.command()
def verify(release_id: ReleaseId, registry: Registry) -> None:
    """Memeriksa setiap berkas rilis terhadap sidik yang tercatat."""
    result(f"{_trusted(registry, release_id).name}: utuh")


@app.command()
def promote(release_id: ReleaseId, registry: Registry, reason: Reason = "") -> None:
    """Memberlakukan sebuah rilis setelah diperiksa; keberatan uji banding hanya dilewati dengan --reason."""
    event = releases.promote(registry, release_id, by=login_name(), reason=reason)
    say(f"Rilis {release_id} berlaku untuk portal {event.portal}.")


@app.command()
def rollback(registry: Registry, portal: PortalCode = "", reason: Reason = "") -> None:
    """Kembali ke rilis yang berlaku sebelum yang sekarang; diulangi berarti mundur lebih jauh."""
    known = sorted(champions(registry))
    if not portal and len(known) > 1:
        raise ReleaseError(f"Ada beberapa portal: {', '.join(known)}. Sebutkan satu dengan --portal.")
    if not portal and not known:
        raise ReleaseError(f"Belum ada rilis yang berlaku di {registry}.")
    event = releases.rollback(registry, portal or known[0], login_name(), reason)
    say(f"Kembali ke rilis {event.release}; {event.previous} tidak berlaku lagi.")


@app.command()
def history(
    registry: Registry,
    portal: Annotated[str, typer.Option("--portal", help="Hanya portal ini.")] = "",
    as_json: AsJson = False,
) -> None:
    """Riwayat pemberlakuan dan pengembalian, yang tertua dahulu."""
    events = [event for event in releases.history(registry) if portal in ("", event.portal)]
    if as_json:
        result_json([asdict(event) for event in events])
        return
    result_table(
        "Riwayat",
        ("saat", "portal", "tindakan", "rilis", "oleh", "alasan"),
        [
            (
                event.at,
                event.portal,
                ACTIONS.get(event.action, event.action),
                event.release,
                escape(event.by) or "-",
                escape(event.reason) or "-",
            )
            for event in events
        ],
    )
