"""Families of danger, from fire to threats: what each is called and who must not see a complaint of it."""

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple


class Family(NamedTuple):
    """A family's name in words, and who must not see a complaint of it (empty if nobody is kept out)."""

    name: str
    confidential: str


def table_rows(name: str) -> list[dict[str, str]]:
    """Rows of a table of the lexicon by its header."""
    with (resources.files("router_model") / "lexicon" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, restval=""))


@cache
def families() -> dict[str, Family]:
    """Every family of danger by its code."""
    return {row["family"]: Family(row["name"], row["confidential"]) for row in table_rows("danger_families.tsv")}
