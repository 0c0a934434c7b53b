"""What is told of emergencies that wait, on every page of those who review."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.database.review import Alarm
from service.pages import lasting, number

LOUD_AFTER = timedelta(minutes=10)
"""An emergency that was seen but not decided for so long calls again: whoever saw it may have gone."""


@dataclass(frozen=True, slots=True)
class Banner:
    """`here` is the emergency on the screen, if one is: it is nothing to call for. `loud` while another was on
    nobody's screen, or waits for long."""

    here: str
    shown: bool
    loud: bool
    words: str
    address: str

    @property
    def on_screen(self) -> bool:
        return bool(self.here) and self.address.endswith(f"/{self.here}")


def banner(alarm: Alarm, now: datetime, here: str = "") -> Banner:
    others = alarm.open - bool(here)
    age = now - alarm.oldest if alarm.oldest else timedelta()
    what = f"{number(others)} laporan darurat {'lain ' if here else ''}menunggu"
    if alarm.oldest and not here:
        what += f"{', yang tertua' if others > 1 else ''} sejak {lasting(age.total_seconds())}"
    return Banner(
        here=here,
        shown=others > 0,
        loud=others > 0 and (alarm.unseen > 0 or age >= LOUD_AFTER),
        words=f"{what}.",
        address=f"/desk/{alarm.first_id}" if alarm.first_id else "/desk",
    )
