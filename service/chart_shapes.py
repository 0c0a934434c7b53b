"""What charts are drawn of. Lengths are in units of the view box, which is always `WIDTH` wide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH, FONT = 360.0, 12.0
STYLES = 6
"""So many colours there are; a seventh series looks like the first."""
_NARROW, _WIDE = frozenset("fijlrtI.,:;'|()-– "), frozenset("mwMW%")
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """`kind` is "axis", "name" or "value"; `y` is the middle of the letters."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    kind: str = "axis"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, by the estimate that the layout stands on."""
        width = text_width(self.text)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - FONT / 2, left + width, self.y + FONT / 2


@dataclass(frozen=True, slots=True)
class Stroke:
    """`kind` is "grid", "base", "goal", "line", "range", "mark" or "band" (the last two are filled); `style`
    counts from 1, 0 for none."""

    path: str
    kind: str
    style: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """`kind` is "part", "running" (of a stretch of time that is not over) or "track"."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    style: int = 0


@dataclass(frozen=True, slots=True)
class Hover:
    """A column or row of the drawing that tells its figures when pointed at."""

    x: float
    y: float
    width: float
    height: float
    text: str


def text_width(text: str) -> float:
    """A generous guess: the reader's own font is not known here."""
    return FONT * sum(0.34 if c in _NARROW else 0.88 if c in _WIDE else 0.7 if c.isupper() else 0.58 for c in text)


def shortened(text: str, room: float) -> str:
    """The text, or as much of its beginning as fits."""
    room += 0.01
    if text_width(text) <= room:
        return text
    while text and text_width(f"{text}…") > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def path(points: Sequence[Point], closed: bool = False) -> str:
    return "M" + "L".join(f"{_brief(x)} {_brief(y)}" for x, y in points) + ("Z" if closed else "")


def mark(style: int, x: float, y: float) -> str:
    """A circle, square, triangle or lozenge, so that lines differ by more than their colour."""
    shape = (style - 1) % 4
    if shape == 0:
        return f"M{_brief(x - 3)} {_brief(y)}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z"
    corners = {
        1: ((-2.7, -2.7), (2.7, -2.7), (2.7, 2.7), (-2.7, 2.7)),
        2: ((0, -3.6), (3.4, 2.6), (-3.4, 2.6)),
        3: ((0, -3.9), (3.9, 0), (0, 3.9), (-3.9, 0)),
    }[shape]
    return path([(x + right, y + down) for right, down in corners], closed=True)


def _brief(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
