"""Where on Earth results are, as a map.

Owns the map of a FeatureCollection: outlines, and lines of longitude and latitude. Must not know
what it is drawn with: sizes are in the units of a drawing that is ``WIDTH`` wide.

Degrees are drawn as they are, a degree of longitude as wide as it is at the middle of the map.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.frozen import frozen

WIDTH: Final = 640.0
_FLATTEST, _STEEPEST = 0.3, 0.55  #: height of the map by its width
_MARGIN: Final = 0.12  #: of the outlines' extent, at each side
_SMALLEST: Final = 0.002  #: degrees that a map shows at the least
_LINES: Final = 5  #: of the graticule, about that many in each direction
_DOT: Final = 4.0
#: How large text may get: on a narrow screen, where the drawing is small, and text may not be.
_TEXT: Final = 20.0
_LETTER: Final = 0.6 * _TEXT

_Position = tuple[float, float]


@frozen
class Outline:
    """A feature by its place among all: the SVG path of its outline, and the middle of that.

    ``is_named``: there is room for its id there.
    """

    number: int
    id: str
    path: str
    x: float
    y: float
    is_named: bool


@frozen
class Footprints:
    """A map: ``meridians`` and ``parallels`` are positions with their labels.

    A label that has no room is empty.
    """

    width: float
    height: float
    outlines: Sequence[Outline]
    meridians: Sequence[tuple[float, str]]
    parallels: Sequence[tuple[float, str]]


def footprints(features: Sequence[Mapping[str, Any]]) -> Footprints | None:
    """Return the map of features, ``None`` if none of them is anywhere."""
    shapes = [(str(one.get("id", "")), list(_lines(one.get("geometry")))) for one in features]
    places = [place for _, lines in shapes for line in lines for place in line]
    if not places:
        return None
    frame = _Frame.around(places)
    west, south, east, north = frame.bounds
    room = _Room(frame.height)
    parallels = [(frame.at(west, y)[1], _label(y, "NS", step)) for y, step in _ticks(south, north)]
    parallels = [(y, room.label(label, 4, y - 4)) for y, label in parallels]
    meridians = [(frame.at(x, north)[0], _label(x, "EW", step)) for x, step in _ticks(west, east)]
    meridians = [(x, room.label(label, x + 4, frame.height - 6)) for x, label in meridians]
    outlines = []
    for number, (name, lines) in enumerate(shapes):
        if lines:
            x, y = frame.middle(lines)
            is_named = bool(room.label(name, x - len(name) * _LETTER / 2, y))
            outlines.append(Outline(number, name, frame.path(lines), x, y, is_named))
    return Footprints(WIDTH, round(frame.height, 1), outlines, meridians, parallels)


class _Room:
    """Where on a map there is text already."""

    def __init__(self, height: float) -> None:
        self._height = height
        self._taken: list[tuple[float, float, float, float]] = []

    def label(self, text: str, x: float, y: float) -> str:
        """Put a text to the right of and above a place; give nothing if it has no room there."""
        left, top, right, bottom = x, y - _TEXT, x + len(text) * _LETTER, y
        if left < 0 or top < 0 or right > WIDTH or bottom > self._height:
            return ""
        for one in self._taken:
            if left < one[2] and one[0] < right and top < one[3] and one[1] < bottom:
                return ""
        self._taken.append((left, top, right, bottom))
        return text


@frozen
class _Frame:
    """What the map shows; ``bounds`` are west, south, east, north."""

    bounds: tuple[float, float, float, float]
    height: float

    @classmethod
    def around(cls, places: Sequence[_Position]) -> "_Frame":
        longitudes, latitudes = zip(*places, strict=True)
        x, y = _middle(longitudes), _middle(latitudes)
        narrow = max(math.cos(math.radians(y)), 0.05)
        wide = max((max(longitudes) - min(longitudes)) * narrow, _SMALLEST)
        high = max(max(latitudes) - min(latitudes), _SMALLEST)
        wide, high = wide * (1 + 2 * _MARGIN), high * (1 + 2 * _MARGIN)
        wide, high = max(wide, high / _STEEPEST), max(high, wide * _FLATTEST)
        half = wide / narrow / 2
        return cls((x - half, y - high / 2, x + half, y + high / 2), WIDTH * high / wide)

    def at(self, longitude: float, latitude: float) -> _Position:
        west, south, east, north = self.bounds
        x = (longitude - west) / (east - west) * WIDTH
        y = (north - latitude) / (north - south) * self.height
        return round(x, 1), round(y, 1)

    def middle(self, lines: Sequence[Sequence[_Position]]) -> _Position:
        longitudes, latitudes = zip(*(place for line in lines for place in line), strict=True)
        return self.at(_middle(longitudes), _middle(latitudes))

    def path(self, lines: Sequence[Sequence[_Position]]) -> str:
        return " ".join(self._line(line) for line in lines)

    def _line(self, line: Sequence[_Position]) -> str:
        places = [self.at(*place) for place in line]
        if len(places) == 1:
            x, y = places[0]
            half = f"a{_DOT} {_DOT} 0 1 0"
            return f"M{x - _DOT:.1f} {y}{half} {2 * _DOT} 0{half} {-2 * _DOT} 0"
        closed = "Z" if line[0] == line[-1] else ""
        return "M" + "L".join(f"{x} {y}" for x, y in places) + closed


def _lines(geometry: Any) -> Iterator[list[_Position]]:
    """Yield the lines of a GeoJSON geometry; what is none has no lines."""
    if not isinstance(geometry, Mapping):
        return
    inner = geometry.get("geometries")
    for one in inner if isinstance(inner, list) else ():
        yield from _lines(one)
    dots = geometry.get("type") == "MultiPoint"
    yield from _nested(geometry.get("coordinates"), dots=dots)


def _nested(coordinates: Any, *, dots: bool) -> Iterator[list[_Position]]:
    place = _place(coordinates)
    if place is not None:
        yield [place]
    elif isinstance(coordinates, list):
        line = [found for found in map(_place, coordinates) if found is not None]
        if dots or not line:
            for one in coordinates:
                yield from _nested(one, dots=dots)
        else:
            yield line


def _place(coordinates: Any) -> _Position | None:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    x, y = coordinates[:2]
    if not all(isinstance(one, int | float) for one in (x, y)):
        return None
    return (float(x), float(y)) if abs(x) <= 360 and abs(y) <= 90 else None


def _middle(numbers: Sequence[float]) -> float:
    return (min(numbers) + max(numbers)) / 2


def _ticks(low: float, high: float) -> list[tuple[float, float]]:
    """Return round numbers between two, with the step between them."""
    rough = (high - low) / _LINES
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * one for one in (1, 2, 5, 10) if scale * one >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(number * step, step) for number in range(first, last + 1)]


def _label(degrees: float, sides: str, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    side = "" if round(degrees, digits) == 0 else f" {sides[degrees < 0]}"
    return f"{abs(degrees):.{digits}f}°{side}"
