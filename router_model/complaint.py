"""A complaint as a citizen wrote it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Complaint:
    """The citizen's own words and the place given with them.

    `village` and `district` are what a form's fields hold, not what stands in the text. Nothing here is
    cleaned or masked yet.
    """

    text: str
    title: str = ""
    address: str = ""
    village: str = ""
    district: str = ""

    @property
    def words(self) -> str:
        """Title and text as one string, title first."""
        return f"{self.title}\n{self.text}" if self.title else self.text
