"""The pages of those who sign in: their frame, who may open them, and how figures and moments are written."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from service.sessions import SignedIn, SignedInUser

templates = Jinja2Templates(Path(__file__).with_name("templates"))
Reviewer = Annotated[SignedInUser, Depends(SignedIn("staff", "senior", "admin"))]
Reader = Annotated[SignedInUser, Depends(SignedIn("admin", "auditor"))]
"""May look at the admin desk; only an `Administrator` may change anything there."""
Administrator = Annotated[SignedInUser, Depends(SignedIn("admin"))]
_DESK = (("/desk", "Tinjau"), ("/desk/riwayat", "Riwayat"), ("/desk/kemajuan", "Kemajuan"))
_ADMIN = (
    ("/admin", "Ringkasan"),
    ("/admin/data", "Data"),
    ("/admin/pelatihan", "Pelatihan"),
    ("/admin/rilis", "Rilis"),
    ("/admin/kebijakan", "Kebijakan"),
    ("/admin/kesehatan", "Kesehatan"),
    ("/admin/portal", "Portal"),
    ("/admin/akses", "Akses"),
    ("/admin/audit", "Audit"),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


def page(request: Request, template: str, user: SignedInUser, status: int = 200, **context: Any) -> HTMLResponse:
    """A page in the frame of the desks. Templates get `user`, `zone` for the filters of moments, `portal` (None while
    no release is in force), and what is given."""
    serving = request.app.state.in_force.of(user.portal)
    portal = serving.release.portal if serving else None
    frame: Mapping[str, Any] = {
        "user": user,
        "portal": portal,
        "portal_name": portal.name if portal else user.portal,
        "release_id": serving.release.id if serving else "",
        "zone": portal.timezone if portal else "UTC",
        "desks": desks(user),
        "menu": menu(user, request.url.path),
        "path": request.url.path,
    }
    return templates.TemplateResponse(request, template, {**frame, **context}, status_code=status)


def desks(user: SignedInUser) -> list[tuple[str, str]]:
    """Where this user may go."""
    found = [("/desk", "Meja tinjau")] if user.role in ("staff", "senior", "admin") else []
    return [*found, *([("/admin", "Meja admin")] if user.role in ("admin", "auditor") else [])]


def menu(user: SignedInUser, path: str) -> list[tuple[str, str]]:
    """The pages of the desk that is open."""
    if path.startswith("/admin"):
        return list(_ADMIN) if user.role in ("admin", "auditor") else []
    return list(_DESK) if path.startswith("/desk") and user.role != "auditor" else []


def number(value: float, digits: int = 0) -> str:
    """As Indonesian writes it: 12.345,6."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def percent(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{number(value * 100, digits)} %"


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def day(moment: datetime, zone: str = "UTC") -> str:
    """2 Jan 2026"""
    there = local(moment, zone)
    return f"{there.day} {MONTHS[there.month - 1]} {there.year}"


def clock(moment: datetime, zone: str = "UTC") -> str:
    """2 Jan 2026 pukul 14.05"""
    return f"{day(moment, zone)} pukul {local(moment, zone):%H.%M}"


def lasting(seconds: float) -> str:
    """A stretch of time in its one fitting unit: 40 detik, 5 menit, 3 jam, 2 hari."""
    for unit, name in ((86_400, "hari"), (3_600, "jam"), (60, "menit")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return f"{max(0, int(seconds))} detik"


def ago(moment: datetime, now: datetime | None = None) -> str:
    return f"{lasting(((now or datetime.now(UTC)) - moment).total_seconds())} lalu"


templates.env.filters |= {
    "angka": number,
    "persen": percent,
    "hari": day,
    "pukul": clock,
    "lamanya": lasting,
    "lalu": ago,
}


def time_of_day(moment: datetime, zone: str = "UTC") -> str:
    """14.05.09"""
    return f"{local(moment, zone):%H.%M.%S}"


templates.env.filters["jam"] = time_of_day


def calendar_day(value: date | str) -> str:
    """1 Jul 2023, also from the ISO text of files; what is no date stays as it is."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return f"{found.day} {MONTHS[found.month - 1]} {found.year}"


templates.env.filters["tanggal"] = calendar_day
