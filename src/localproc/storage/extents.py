"""Where and when STAC items are, and what several of them cover together.

Owns bounding boxes, also across the 180th meridian (RFC 7946, section 5.2), and intervals of time
(RFC 3339). Must not know where items lie.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, TypeVar

from localproc.errors import StagingError

Box = tuple[float, float, float, float]  #: west, south, east, north
Interval = tuple[str | None, str | None]

_T = TypeVar("_T")

_WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def box_of(item: Mapping[str, Any], shown: str) -> Box | None:
    """Return the bounding box of an item, without heights, ``None`` if it has none.

    Raises ``StagingError`` for one that is none; ``shown`` names the item's file.
    """
    return _box(item.get("bbox"), shown)


def interval_of(item: Mapping[str, Any], shown: str) -> Interval:
    """Return when an item is, as it says so itself; raises ``StagingError`` for what is no time.

    One that says that it ends before it starts is all the time in between.
    """
    properties = item.get("properties")
    said = properties if isinstance(properties, Mapping) else {}
    start = said.get("start_datetime") or said.get("datetime")
    end = said.get("end_datetime") or said.get("datetime")
    first, last = instant(start, shown), instant(end, shown)
    return (end, start) if start and end and last < first else (start, end)


def unreadable(document: Mapping[str, Any], shown: str) -> list[str]:
    """Return what an item or a collection says of its place and its time that cannot be read."""
    looks = (extent_of,) if document.get("type") == "Collection" else (box_of, interval_of)
    found = []
    for look in looks:
        try:
            look(document, shown)
        except StagingError as error:
            found.append(error.message)
    return found


def readable(
    look: Callable[[Mapping[str, Any], str], _T], document: Mapping[str, Any]
) -> _T | None:
    """Return what one of these finds in a document, ``None`` for what cannot be read."""
    try:
        return look(document, "")
    except StagingError:
        return None


def extent_of(collection: Mapping[str, Any], shown: str) -> tuple[Box, Interval] | None:
    """Return the whole extent that a collection says it has, ``None`` if it does not.

    Raises ``StagingError`` if it cannot be read.
    """
    extent = collection.get("extent")
    if not extent:
        return None
    try:
        box = _box(extent["spatial"]["bbox"][0], shown)
        start, end = extent["temporal"]["interval"][0]
    except (IndexError, KeyError, TypeError, ValueError):
        raise _no("the extent", extent, shown) from None
    for text in (start, end):
        instant(text, shown)
    return box or _WORLD, (start, end)


def covering(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around others, the world for none.

    If one of them crosses the 180th meridian (its west lies east of its east), the whole may too.
    """
    found = list(boxes)
    if not found:
        return _WORLD
    west, south, east, north = zip(*found, strict=True)
    if all(one[0] <= one[2] for one in found):
        return min(west), min(south), max(east), max(north)
    return _around(found, min(south), max(north))


def spanning(intervals: Iterable[Interval]) -> Interval:
    """Return the interval from the first of all starts to the last of all ends, as they said it.

    What is not known is left out of account.
    """
    found = list(intervals)
    starts = [start for start, _ in found if start]
    ends = [end for _, end in found if end]
    return min(starts, key=instant, default=None), max(ends, key=instant, default=None)


def instant(text: Any, shown: str = "") -> tuple[datetime, str]:
    """Return a time as what can be compared: the second in UTC, and its fraction.

    Nothing (``None``) is the first of all. Raises ``StagingError`` for what is no time (RFC 3339).
    """
    if text is None or text == "":
        return datetime.min.replace(tzinfo=UTC), ""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise _no("the time", text, shown)
    day, clock, fraction, offset = found.groups()
    clock = clock.replace(":60", ":59")  # a leap second
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{offset.upper().replace('Z', '+00:00')}")
        return at.astimezone(UTC), (fraction or "").rstrip("0")
    except (OverflowError, ValueError):
        raise _no("the time", text, shown) from None


def _box(box: Any, shown: str) -> Box | None:
    if box is None or box == []:
        return None
    if not isinstance(box, Sequence) or len(box) not in (4, 6) or not all(map(_is_number, box)):
        raise _no("the bbox", box, shown)
    west, south, east, north = (*box[:2], *box[3:5]) if len(box) == 6 else box
    if south > north:
        raise _no("the bbox", box, shown)
    return west, south, east, north


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _no(what: str, value: Any, shown: str) -> StagingError:
    return StagingError(
        f"{what} {value!r} in {shown} is none",
        uri=shown,
        hint="a bbox has 4 or 6 numbers, south before north; a time is like 2026-05-31T12:00:00Z",
    )


def _around(boxes: Sequence[Box], south: float, north: float) -> Box:
    """Go around the globe: what is left out is the widest gap between the boxes."""
    spans = sorted((one[0], one[2] if one[0] <= one[2] else one[2] + 360) for one in boxes)
    merged = [list(spans[0])]
    for west, east in spans[1:]:
        if west <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], east)
        else:
            merged.append([west, east])
    while len(merged) > 1 and merged[-1][1] >= merged[0][0] + 360:
        first = merged.pop(0)
        merged[-1][1] = max(merged[-1][1], first[1] + 360)
    if merged[-1][1] - merged[0][0] >= 360 and len(merged) == 1:
        return -180.0, south, 180.0, north
    gaps = [
        (following[0] - here[1], number)
        for number, (here, following) in enumerate(pairwise(merged))
    ]
    gaps.append((merged[0][0] + 360 - merged[-1][1], len(merged) - 1))
    _, number = max(gaps)
    west = merged[(number + 1) % len(merged)][0]
    return _turned(west), south, _turned(merged[number][1]), north


def _turned(longitude: float) -> float:
    return longitude - 360 if longitude > 180 else longitude
