"""What the charts of `/admin/kesehatan` are made of: what was counted, and how it is to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from router_model.policy import Policy, Route
from router_model.portal import Portal
from service.admin.health_figures import Share, Stored
from service.admin.health_words import NewWord
from service.database.health import Asked, Decided, Emergency
from service.database.judgements import Agreement
from service.desk.filters import ROUTES
from service.pages import MONTHS, local, number, percent

ROUTE_NAMES = {Route.AUTO.value: "Otomatis", **ROUTES}


@dataclass(frozen=True)
class View:
    """`agency` narrows everything but the agreement of reviewers to what was suggested to one agency, empty for all.
    `portal` and `policy` are those of the release in force, `None` where there is none. `now` is when it was
    counted."""

    stored: Stored
    words: tuple[NewWord, ...]
    agency: str
    portal: Portal | None
    policy: Policy | None
    zone: str
    now: datetime
    agreement: Agreement

    @property
    def weeks(self) -> int:
        return self.stored.weeks

    @cached_property
    def asked(self) -> Sequence[Asked]:
        return [group for group in self.stored.asked if self.agency in ("", group.agency)]

    @cached_property
    def decided(self) -> Sequence[Decided]:
        return [group for group in self.stored.decided if self.agency in ("", group.agency)]

    @cached_property
    def emergencies(self) -> Sequence[Emergency]:
        return [found for found in self.stored.emergencies if self.agency in ("", found.agency)]

    @property
    def days(self) -> list[date]:
        """The first day of each week."""
        return [local(edge, self.zone).date() for edge in self.stored.edges[:-1]]

    @property
    def day_names(self) -> list[str]:
        return [f"{day.day} {MONTHS[day.month - 1]}" for day in self.days]

    def name(self, code: str | None) -> str:
        """In full; the code of what the portal does not have any more."""
        if code is None:
            return "Tanpa saran"
        if code.startswith("@") and self.portal:
            return f"{self.portal.unit_name(code)}, tempatnya belum jelas"
        agency = self.portal.agency.get(code) if self.portal else None
        return agency.name if agency else code

    def short_name(self, code: str | None) -> str:
        agency = self.portal.agency.get(code or "") if self.portal else None
        return agency.short_name if agency and agency.short_name else self.name(code)


def share_words(share: Share) -> str:
    """97,2 % dari 1.234 (96,1–98,0 %)"""
    if share.value is None or share.low is None or share.high is None:
        return "belum ada"
    return f"{percent(share.value, 1)} dari {number(share.n)} ({range_words(share)})"


def range_words(share: Share) -> str:
    if share.low is None or share.high is None:
        return "–"
    return f"{number(share.low * 100, 1)}–{percent(share.high, 1)}"
