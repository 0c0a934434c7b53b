"""Coordinates of a complaint, no finer than comparing needs: they may be those of somebody's home."""

import math
from collections.abc import Iterator
from typing import NamedTuple

DECIMALS = 4
"""Of a degree: 11 metres, no coarser than a phone's own error."""
SIDE = 20
"""Of a cell, in units of the last decimal: 220 metres, in Indonesia (6° N to 11° S) as good as the same both ways."""
MOST_METRES = 100
"""Points this near share a cell; so they do up to half a cell."""
EARTH = 6_371_009.0
"""Mean radius in metres."""


class Point(NamedTuple):
    """In degrees, rounded to `DECIMALS`."""

    lat: float
    lon: float


def point_of(lat: float | None, lon: float | None) -> Point | None:
    """`None` if either is missing, and for 0, 0: what a device sends that knows neither."""
    if lat is None or lon is None:
        return None
    point = Point(round(lat, DECIMALS), round(lon, DECIMALS))
    return point if any(point) else None


def metres(one: Point, other: Point) -> float:
    """Along a great circle, by the haversine formula."""
    south, north, east = (math.radians(value) for value in (one.lat, other.lat, other.lon - one.lon))
    square = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, square)))


def cells(point: Point) -> Iterator[str]:
    """Of four grids, each half a cell from the next: between two near points no more than one line of one of them
    runs north to south, and one east to west."""
    y, x = (round(value * 10**DECIMALS) for value in point)
    for down in (0, SIDE // 2):
        for right in (0, SIDE // 2):
            yield f"{down} {right} {(y + down) // SIDE} {(x + right) // SIDE}"
