"""What an answer says of the earlier complaints that a new one resembles."""

from router_model.portal import Portal
from router_model.resemblance import KIND_LABELS, Kind
from service.database.resemblances import REASON, Found
from service.wire import DuplicateOut, ReasonOut

_COUNTED = {
    Kind.RESENT: "dikirim ulang",
    Kind.CAMPAIGN: "kampanye dengan teks yang sama",
    Kind.SAME_OBJECT: "tentang hal yang sama",
}


def duplicates_of(found: Found, portal: Portal | None) -> list[DuplicateOut]:
    return [
        DuplicateOut(
            id=item.id,
            external_id=item.external_id,
            similarity=round(item.similarity, 3),
            kind=item.kind.value,
            label=KIND_LABELS[item.kind],
            at=item.at,
            agency=item.agency,
            agency_name=_name(item.agency, portal),
        )
        for item in found.named
    ]


def _name(code: str, portal: Portal | None) -> str:
    known = portal.agency.get(code) if portal else None
    return known.name if known else code


def resembling_reason(found: Found) -> ReasonOut:
    """In one sentence: how many, and of which kinds."""
    counts = dict(found.counts)
    told = ", ".join(f"{counts[kind]} {words}" for kind, words in _COUNTED.items() if kind in counts)
    most = "lebih dari " if found.at_least else ""
    message = f"Mirip dengan {most}{sum(counts.values())} laporan lain dalam {found.days} hari terakhir; {told}."
    return ReasonOut(code=REASON, message=message)
