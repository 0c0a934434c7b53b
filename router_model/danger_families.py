"""Families of danger, from fire to threats: what each is called and who must not see a complaint of it."""

from functools import cache
from typing import NamedTuple

from router_model.phrases import rows


class Family(NamedTuple):
    """A family's name in words, and who must not see a complaint of it (empty if nobody is kept out)."""

    name: str
    confidential: str


@cache
def families() -> dict[str, Family]:
    """Every family of danger by its code."""
    return {row["family"]: Family(row["name"], row["confidential"]) for row in rows("danger_families.tsv")}
