"""What the registry says of a portal's releases, in words for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from router_model.errors import PortalError, ReleaseError
from router_model.policy import Policy
from router_model.portal import load_portal
from router_model.registry import Entry, Event, history, lineage, objections, release_folder
from router_model.release import file_hash
from service import release_changes
from service.admin.comparison import Comparison, Measured, compared, figures_of
from service.admin.training_pages import asked_by
from service.pages import number, percent
from service.portal_release import differences
from service.release_changes import told
from service.serving import NoReleaseError

REPORT, CARD = "report.html", "card.md"
ACTIONS = {
    "promote": "diberlakukan",
    "overrule": "diberlakukan walau uji banding keberatan",
    "rollback": "dikembalikan",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the history."""

    at: datetime
    action: str
    release: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A release in the list. Figures are of complaints that came after all it had learned then; `None` where the
    release is broken or has none."""

    id: str
    fault: str
    in_force: bool
    created_at: datetime | None
    rows: int | None
    agency: float | None
    category: float | None
    verdict: str
    tone: str
    change: Change | None


@dataclass(frozen=True, slots=True)
class Listed:
    """Newest first, broken ones last. `before` is what a rollback returns to; "" if there is none."""

    lines: Sequence[Line]
    in_force: str
    before: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One release, and where it stands among the others. `measured` is there even where no `comparison` was kept."""

    line: Line
    manifest: Mapping[str, Any]
    in_force: str
    before: str
    objections: Sequence[str]
    changes: Sequence[Change]
    comparison: Comparison | None
    measured: Sequence[Measured]

    @property
    def gate(self) -> Mapping[str, Any]:
        return self.manifest.get("gate") or {}

    @property
    def scores(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.manifest.get("scores", {}).get("answers", {})
        return found

    @property
    def policy(self) -> Policy | None:
        return Policy.from_values(self.manifest["policy"]) if self.manifest and not self.line.fault else None


def listed(registry: Path, portal: str) -> Listed:
    events = history(registry)
    in_force = _in_force(events, portal)
    found = release_changes.listed(registry, portal)
    lines = [_line(entry, in_force, _changes(events, portal), registry) for entry in found]
    sound = [line for line in lines if not line.fault]
    return Listed([*reversed(sound), *(line for line in lines if line.fault)], in_force, _before(events, portal))


def shown(registry: Path, portal: str, release_id: str, answer: str = "") -> Shown:
    """Every file is verified. Raises `NoReleaseError`."""
    entry, events = release_changes.verified(registry, portal, release_id), history(registry)
    in_force, changes = _in_force(events, portal), _changes(events, portal)
    manifest = entry.manifest or {}
    comparison = compared(registry, manifest, answer) if manifest and not entry.fault else None
    return Shown(
        line=_line(entry, in_force, changes, registry),
        manifest=manifest,
        in_force=in_force,
        before=_before(events, portal),
        objections=objections(manifest, in_force or None) if manifest else (),
        changes=[change for change in changes if change.release == release_id],
        comparison=comparison,
        measured=comparison.measured if comparison else figures_of(manifest.get("gate") or {}),
    )


def in_force_and_before(registry: Path, portal: str) -> tuple[str, str]:
    """The release in force, and what a rollback returns to; "" where there is none."""
    events = history(registry)
    return _in_force(events, portal), _before(events, portal)


def what_changes(registry: Path, portal: str, now: str, then: str) -> list[str]:
    """From one release to another, in sentences; none where one of them cannot be read."""
    try:
        old, new = (release_changes.own(registry, portal, release_id).manifest for release_id in (now, then))
        before, after = (load_portal(release_folder(registry, release_id) / "portal") for release_id in (now, then))
    except (NoReleaseError, PortalError, ReleaseError):
        return []
    if old is None or new is None:
        return []
    learned, asked = ([words(manifest) for manifest in (old, new)] for words in (_learned, _wishes))
    return [
        *([f"Dilatih dari {learned[1]}; yang berlaku dari {learned[0]}."] if learned[0] != learned[1] else []),
        *([f"Ketepatan yang diminta: {asked[1]}; yang berlaku {asked[0]}."] if asked[0] != asked[1] else []),
        *differences(before, after),
    ]


def kept(registry: Path, portal: str, release_id: str, name: str) -> str | None:
    """A file of a release as it was published; `None` if it is missing or was changed since, or the release is not
    the portal's."""
    try:
        manifest = release_changes.own(registry, portal, release_id).manifest or {}
        path = release_folder(registry, release_id) / name
        return path.read_text("utf-8") if manifest.get("files", {}).get(name) == file_hash(path) else None
    except (NoReleaseError, OSError):
        return None


def _in_force(events: Sequence[Event], portal: str) -> str:
    return next((event.release for event in reversed(events) if event.portal == portal), "")


def _before(events: Sequence[Event], portal: str) -> str:
    return next(iter(lineage(events, portal)[-2:-1]), "")


def _changes(events: Sequence[Event], portal: str) -> list[Change]:
    """Newest first."""
    return [
        Change(
            at=datetime.fromisoformat(event.at),
            action=ACTIONS.get(event.action, event.action),
            release=event.release,
            by=asked_by(event.by) or "tanpa nama",
            reason=event.reason,
        )
        for event in reversed(events)
        if event.portal == portal
    ]


def _line(entry: Entry, in_force: str, changes: Sequence[Change], registry: Path) -> Line:
    manifest = entry.manifest or {}
    answers = manifest.get("scores", {}).get("answers", {})
    verdict, tone = _verdict(manifest.get("gate")) if manifest else ("", "neutral")
    return Line(
        id=entry.id,
        fault=told(entry.fault, registry),
        in_force=entry.id == in_force,
        created_at=datetime.fromisoformat(manifest["created_at"]) if manifest else None,
        rows=_rows(manifest) if manifest else None,
        agency=answers.get("agency", {}).get("accuracy"),
        category=answers.get("category", {}).get("accuracy"),
        verdict=verdict,
        tone=tone,
        change=next((change for change in changes if change.release == entry.id), None),
    )


def _verdict(gate: Mapping[str, Any] | None) -> tuple[str, str]:
    """What the gate said, in a sentence or two, and its tone."""
    if gate is None:
        return "Tidak diuji banding.", "neutral"
    first, more = gate["reasons"][:1], len(gate["reasons"]) - 1
    words = [
        "Lolos." if gate["agrees"] else "Tidak lolos.",
        *first,
        *([f"Dan {more} keberatan lain."] if more > 0 else []),
    ]
    return " ".join(words), "good" if gate["agrees"] else "danger"


def _rows(manifest: Mapping[str, Any]) -> int | None:
    rows: int | None = manifest["data"].get("rows")
    return rows


def _learned(manifest: Mapping[str, Any]) -> str:
    rows = _rows(manifest)
    return "–" if rows is None else f"{number(rows)} laporan"


def _wishes(manifest: Mapping[str, Any]) -> str:
    policy = Policy.from_values(manifest["policy"])
    shares = (("auto", policy.precision_auto), ("prefill", policy.precision_prefill))
    return " dan ".join(f"{name} {percent(share, 1)}" for name, share in shares)
