"""What a citizen is asked to add: only what the agency or its office depends on.

The date of what happened is never asked for: no agency, office or rule depends on it.
"""

from collections.abc import Collection, Sequence

from router_model.portal import KIND_LABELS

CONTENT, EVENT, PLACE = "isi laporan", "apa yang terjadi", "tempat kejadian"
_VILLAGES = ("@desa", "@kelurahan")


def office_place(unit: str, name: str, units: Collection[str]) -> str:
    """What tells which office of a kind it is, such as `nama kelurahan tempat kejadian`. Where the portal has both
    kinds of villages, nobody need know which of them his is."""
    kinds = _VILLAGES if unit in _VILLAGES and set(_VILLAGES) <= set(units) else (unit,)
    told = " atau ".join(kind[1:] for kind in kinds) if len(kinds) > 1 else name.lower()
    return f"nama {told} {PLACE}" if unit[1:] in KIND_LABELS else f"nama {told} yang dimaksud"


def question(missing: Sequence[str]) -> str:
    """One sentence that a portal can show to the citizen; "" where nothing is missing."""
    asked = " dan ".join(f"{item}nya" if item == PLACE else item for item in missing)
    return f"Mohon tuliskan {asked}, agar laporan Anda dapat diteruskan ke instansi yang tepat." if asked else ""
