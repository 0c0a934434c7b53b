"""Errors that speak the domain. Each message names what was wrong, where, and what to do."""

from collections.abc import Sequence


class AduanError(Exception):
    """A named failure that a person can act on."""


class PortalError(AduanError):
    """A portal folder that cannot be used as it is; `problems` lists each fault with its place."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join([message, *(f"  - {problem}" for problem in problems)]))
        self.problems = tuple(problems)


class ReleaseError(AduanError):
    """A release folder that is missing, changed, or of a foreign format."""


class DatasetError(AduanError):
    """A labelled data set that cannot be used; `problems` lists each fault with its place."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join([message, *(f"  - {problem}" for problem in problems)]))
        self.problems = tuple(problems)
