"""What narrows the queue: the fields of a page's address, and the lists that a person chooses from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from router_model.policy import Route
from router_model.portal import Portal
from service.database.review import Filters, Stats

ROUTES = {
    Route.EMERGENCY.value: "Darurat",
    Route.REVIEW.value: "Perlu dilihat",
    Route.PREFILL.value: "Sudah dipilihkan",
    Route.EXTERNAL.value: "Instansi luar",
    Route.INCOMPLETE.value: "Kurang keterangan",
}
"""`auto` is missing: what the model was sure of and a person sees all the same must look like what it was fairly
sure of."""
AGES = {"4": "Lebih dari 4 jam", "24": "Lebih dari 1 hari", "72": "Lebih dari 3 hari", "168": "Lebih dari 7 hari"}
LONGEST_CHANNEL = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose from: codes with what people read; `chosen` is empty for all."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...]
    chosen: str
    everything: str = "Semua"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a page asks for."""

    filters: Filters
    selects: tuple[Choice, ...]
    query: str

    @property
    def words(self) -> list[str]:
        """What narrows the queue, as people read it."""
        return [dict(select.choices).get(select.chosen, select.chosen) for select in self.selects if select.chosen]

    @property
    def any(self) -> bool:
        return bool(self.query)


def filters_of(address: Mapping[str, str], portal: Portal) -> Filters:
    """What the portal does not know narrows nothing."""

    def known(name: str, codes: Iterable[str]) -> str:
        given = address.get(name, "")
        return given if given in codes else ""

    return Filters(
        route=known("rute", ROUTES),
        agency=known("instansi", portal.agency),
        category=known("kategori", portal.leaf),
        urgency=known("urgensi", [level.code for level in portal.urgency]),
        channel=address.get("kanal", "")[:LONGEST_CHANNEL],
        older_than_hours=float(known("umur", AGES) or 0),
    )


def query_of(filters: Filters) -> str:
    """The same filters as the end of an address."""
    values = {
        "rute": filters.route,
        "instansi": filters.agency,
        "kategori": filters.category,
        "urgensi": filters.urgency,
        "kanal": filters.channel,
        "umur": f"{filters.older_than_hours:.0f}" if filters.older_than_hours else "",
    }
    given = {name: value for name, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""


def asked(filters: Filters, portal: Portal, channels: Iterable[str]) -> Asked:
    age = f"{filters.older_than_hours:.0f}" if filters.older_than_hours else ""
    agencies = sorted((item.name, item.code) for item in portal.living_agencies)
    leaves = sorted((item.name, item.code) for item in portal.leaves)
    selects = (
        Choice("rute", "Rute", tuple(ROUTES.items()), filters.route),
        Choice("instansi", "Instansi menurut model", tuple((code, name) for name, code in agencies), filters.agency),
        Choice("kategori", "Kategori menurut model", tuple((code, name) for name, code in leaves), filters.category),
        Choice("urgensi", "Urgensi", tuple((level.code, level.name) for level in portal.urgency), filters.urgency),
        Choice("kanal", "Kanal", tuple((name, name) for name in channels), filters.channel),
        Choice("umur", "Umur", tuple(AGES.items()), age),
    )
    return Asked(filters, selects, query_of(filters))


@dataclass(frozen=True, slots=True)
class Queue:
    """How many complaints wait, and of which kind; kinds with none are left out."""

    total: int
    parts: tuple[tuple[str, int], ...]


def queue_of(stats: Stats) -> Queue:
    """Complaints that are looked at again count among those that have to be seen: nobody should tell them apart."""
    counts = dict(stats.open)
    counts[Route.REVIEW.value] = counts.get(Route.REVIEW.value, 0) + stats.second + stats.third
    counts[Route.PREFILL.value] = counts.get(Route.PREFILL.value, 0) + counts.pop(Route.AUTO.value, 0)
    parts = tuple((label.lower(), counts[route]) for route, label in ROUTES.items() if counts.get(route))
    return Queue(sum(counts.values()), parts)
