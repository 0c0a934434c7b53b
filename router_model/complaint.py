"""A complaint as a citizen wrote it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Complaint:
    """The citizen's own words and the place given with them.

    `village` and `district` are what a form's fields hold, not what stands in the text. Nothing here is
    cleaned or masked yet. `received_at` is in the portal's own time, without a zone; `None` if it is not known.
    """

    text: str
    title: str = ""
    address: str = ""
    village: str = ""
    district: str = ""
    received_at: datetime | None = None

    @property
    def words(self) -> str:
        """Title and text as one string, title first."""
        return f"{self.title}\n{self.text}" if self.title else self.text
