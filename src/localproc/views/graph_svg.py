"""A package's graph as an SVG image.

Owns sizes, positions and looks. Must not know packages: it draws what ``graph`` gives it.

The layout is layered, from top to bottom. A box stands one row below the lowest of those that lead
to it; a line that passes a row keeps a narrow place free in it, its bend. Sweeps down and up the
rows order the boxes by the mean position of their neighbours, then put each as near to it as the
others allow. What a step holds is laid out by itself, and its box made to fit.

Within an HTML page the image takes the page's text colour; by itself it brings its own, for light
and for dark.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import accumulate, pairwise
from statistics import fmean
from typing import Any, Final, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from localproc.frozen import frozen
from localproc.views.graph import Edge, Graph, Node, graph_of, in_words

_MARGIN: Final = 16.0
_PADDING: Final = 14.0
_LINE: Final = 17.0
_LETTER: Final = 7.6
_BEND: Final = 2.0
_COLUMN_GAP: Final = 22.0
_ROW_GAP: Final = 38.0
_ORDERING_SWEEPS: Final = 8
_SWEEPS: Final = 14
_STYLE: Final = """
.cwl-graph { font: 13px sans-serif; }
.cwl-graph text { fill: currentColor; text-anchor: middle; }
.cwl-graph .step > .title { font-weight: 600; }
.cwl-graph .note { font-size: 12px; fill-opacity: .75; }
.cwl-graph rect { fill: currentColor; fill-opacity: .05; stroke: currentColor; stroke-opacity: .5; }
.cwl-graph .input > rect, .cwl-graph .output > rect { fill-opacity: .12; stroke: none; }
.cwl-graph .workflow > rect { fill-opacity: .03; }
.cwl-graph .workflow > text { text-anchor: start; }
.cwl-graph .conditional > rect { stroke-dasharray: 5 4; }
.cwl-graph path { fill: none; stroke: currentColor; stroke-opacity: .6; stroke-width: 1.2; }
.cwl-graph .page { fill: none; stroke: none; }
svg:root { color: #1f2933; } svg:root .page { fill: #fff; fill-opacity: 1; }
@media (prefers-color-scheme: dark) {
  svg:root { color: #e4e7eb; } svg:root .page { fill: #16191d; }
}
"""


@dataclass(slots=True, eq=False, kw_only=True)
class Spot:
    """A part of a row: a box, or the bend of a line. ``x`` and ``y`` are its top left corner.

    Positions count from the top left corner of the level; ``top`` and ``bottom`` are the row's.
    """

    width: float
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    top: float = 0.0
    bottom: float = 0.0


@dataclass(slots=True, eq=False, kw_only=True)
class Box(Spot):
    """A node's box, and what it holds."""

    node: Node
    inside: "Level | None" = None


#: Where a line meets a place, and how far from its left side.
Joint: TypeAlias = tuple[Spot, float]


@frozen
class Level:
    """A graph laid out. Each line goes from place to place, a row down each time."""

    boxes: Sequence[Box]
    lines: Sequence[Sequence[Joint]]
    width: float
    height: float


def svg(resolved: Mapping[str, Any]) -> str:
    """Draw a package as an SVG image that depends on nothing else."""
    return draw(graph_of(resolved))


def draw(graph: Graph) -> str:
    """Draw a graph as an SVG document; the same graph gives the same text."""
    level = layout(graph)
    width, height = level.width + 2 * _MARGIN, level.height + 2 * _MARGIN
    head = f'class="cwl-graph" role="img" aria-label={quoteattr(graph.title)}'
    view = f'{_size(width, height)} viewBox="0 0 {_number(width)} {_number(height)}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {head} {view}>',
        f"<title>{escape(graph.title)}</title>",
        f"<desc>{escape(in_words(graph))}</desc>",
        f"<style>{_STYLE}</style>",
        '<rect class="page" width="100%" height="100%"/>',
        *_drawn_level(level, _MARGIN, _MARGIN),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


# Layout


def layout(graph: Graph) -> Level:
    """Return every box of a graph its place."""
    boxes = [_box(node) for node in graph.nodes]
    joints = _joints(boxes)
    ranks = _ranks(boxes, graph.edges, joints)
    rows: list[list[Spot]] = [
        [box for box in boxes if ranks[box] == rank] for rank in sorted(set(ranks.values()))
    ]
    lines = _lines(graph.edges, joints, ranks, rows)
    _arrange(rows, lines)
    height = _stack(rows)
    places = [place for row in rows for place in row]
    left = min((place.x for place in places), default=0.0)
    for place in places:
        place.x -= left
    return Level(boxes, lines, max((one.x + one.width for one in places), default=0.0), height)


def _box(node: Node) -> Box:
    width = max(_text_width(line) for line in node.lines) + 2 * _PADDING
    height = len(node.lines) * _LINE + (10.0 if node.role != "step" else _PADDING)
    inside = None
    if node.inner is not None:
        inside = layout(node.inner)
        width = max(width, inside.width + 2 * _PADDING)
        height += inside.height + _PADDING
    return Box(node=node, inside=inside, width=width, height=height)


def _joints(boxes: Sequence[Box]) -> dict[str, tuple[Box, float]]:
    """Return where the lines of each key start and end: above and below a held input or output."""
    joints = {}
    for box in boxes:
        joints[box.node.key] = box, box.width / 2
        if box.inside is not None:
            indent = (box.width - box.inside.width) / 2
            for one in box.inside.boxes:
                joints[one.node.key] = box, indent + one.x + one.width / 2
    return joints


def _ranks(
    boxes: Sequence[Box], edges: Sequence[Edge], joints: Mapping[str, tuple[Box, float]]
) -> dict[Box, int]:
    """Return each box its row, by the longest path to it: inputs are first, outputs are last."""
    above: dict[Box, list[Box]] = {box: [] for box in boxes}
    for edge in edges:
        above[joints[edge.target][0]].append(joints[edge.source][0])
    depth: dict[Box, int] = {}
    for box in TopologicalSorter(above).static_order():
        least = 0 if box.node.role == "input" else 1
        depth[box] = max([least, *(depth[one] + 1 for one in above[box])])
    lowest = max((depth[box] for box in boxes if box.node.role != "output"), default=0)
    depth |= {box: lowest + 1 for box in boxes if box.node.role == "output"}
    ranks = {value: rank for rank, value in enumerate(sorted(set(depth.values())))}
    return {box: ranks[depth[box]] for box in boxes}


def _lines(
    edges: Sequence[Edge],
    joints: Mapping[str, tuple[Box, float]],
    ranks: Mapping[Box, int],
    rows: Sequence[list[Spot]],
) -> list[list[Joint]]:
    """Return each edge its line, adding the bends to the rows; those from one source share them."""
    bends: dict[tuple[str, int], Spot] = {}
    lines: list[list[Joint]] = []
    for edge in edges:
        source, target = joints[edge.source], joints[edge.target]
        passed = [(edge.source, rank) for rank in range(ranks[source[0]] + 1, ranks[target[0]])]
        for key in passed:
            if key not in bends:
                bends[key] = Spot(width=_BEND)
                rows[key[1]].append(bends[key])
        lines.append([source, *((bends[key], _BEND / 2) for key in passed), target])
    return lines


def _arrange(rows: Sequence[list[Spot]], lines: Sequence[Sequence[Joint]]) -> None:
    """Order each row and give each place its ``x``.

    Rounding keeps places that want to be at the same spot in the order of the document.
    """
    above: dict[Spot, list[Joint]] = defaultdict(list)
    below: dict[Spot, list[Joint]] = defaultdict(list)
    for line in lines:
        for (upper, from_left), (lower, to_left) in pairwise(line):
            above[lower].append((upper, from_left - to_left))
            below[upper].append((lower, to_left - from_left))
    for row in rows:
        _spread(row, [-place.width / 2 for place in row])
    for sweep in range(_SWEEPS):
        order, near = (rows, above) if sweep % 2 == 0 else (rows[::-1], below)
        for row in order:
            wanted = {one: fmean(to.x + by for to, by in near[one] or [(one, 0.0)]) for one in row}
            if sweep < _ORDERING_SWEEPS:
                row.sort(key=lambda one: round(wanted[one] + one.width / 2, 3))
            _spread(row, [wanted[one] for one in row])


def _spread(row: Sequence[Spot], wanted: Sequence[float]) -> None:
    """Put places side by side, each as near to where it wants to be as the others allow.

    Less the widths before it, the wanted positions must not fall from left to right; places that
    break this stand together, at the mean of what they want (isotonic regression).
    """
    offsets = [0.0, *accumulate(place.width + _COLUMN_GAP for place in row)]
    groups: list[tuple[float, int]] = []
    for x, offset in zip(wanted, offsets, strict=False):
        mean, count = x - offset, 1
        while groups and groups[-1][0] > mean:
            other, more = groups.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        groups.append((mean, count))
    starts = [mean for mean, count in groups for _ in range(count)]
    for place, start, offset in zip(row, starts, offsets, strict=False):
        place.x = start + offset


def _stack(rows: Sequence[Sequence[Spot]]) -> float:
    """Return each place its ``y``, and give the height of all rows."""
    top = 0.0
    for row in rows:
        height = max(place.height for place in row)
        for place in row:
            place.top, place.bottom = top, top + height
            place.y = top + (height - place.height) / 2
        top += height + _ROW_GAP
    return max(0.0, top - _ROW_GAP)


def _text_width(text: str) -> float:
    """Guess a text's width: fonts differ, and there is none here to ask."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return (len(text) + wide) * _LETTER


# Drawing


def _drawn_level(level: Level, x: float, y: float) -> Iterator[str]:
    yield f'<g transform="translate({_point(x, y)})">'
    for box in level.boxes:
        yield from _drawn_box(box)
    # One path for all: where lines share their way they are no darker than elsewhere.
    yield f'<path d="{" ".join(_path(line) for line in level.lines)}"/>'
    yield "</g>"


def _drawn_box(box: Box) -> Iterator[str]:
    node, is_step = box.node, box.node.role == "step"
    kinds = (node.role, "workflow" if box.inside else "", "conditional" if node.when else "")
    kind = " ".join(filter(None, kinds))
    radius = 6.0 if is_step else box.height / 2
    x, y = _PADDING if box.inside else box.width / 2, 18.0 if is_step else 16.0
    yield f'<g class="{kind}" transform="translate({_point(box.x, box.y)})">'
    yield f'<rect {_size(box.width, box.height)} rx="{_number(radius)}"/>'
    for number, line in enumerate(node.lines):
        at = f'x="{_number(x)}" y="{_number(y + number * _LINE)}"'
        yield f'<text class="{"note" if number else "title"}" {at}>{escape(line)}</text>'
    if box.inside is not None:
        indent = (box.width - box.inside.width) / 2
        yield from _drawn_level(box.inside, indent, box.height - box.inside.height - _PADDING)
    yield "</g>"


def _path(line: Sequence[Joint]) -> str:
    """Go straight down within a row, in a curve from row to row, and end in an arrow's head."""
    place, from_left = line[0]
    x, y = place.x + from_left, place.bottom
    parts = [f"M{_point(x, place.y + place.height)} V{_number(y)}"]
    for place, from_left in line[1:]:
        before, middle = x, (y + place.top) / 2
        x, y = place.x + from_left, place.y if isinstance(place, Box) else place.bottom
        curve = f"C{_point(before, middle)} {_point(x, middle)} {_point(x, place.top)}"
        parts.append(f"{curve} V{_number(y)}")
    return " ".join([*parts, "m-4,-7 l4,7 l4,-7"])


def _size(width: float, height: float) -> str:
    return f'width="{_number(width)}" height="{_number(height)}"'


def _point(x: float, y: float) -> str:
    return f"{_number(x)},{_number(y)}"


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"
