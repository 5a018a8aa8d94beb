"""The drawings of a report: steps along time, and where items are.

Owns SVG to stand within an HTML page. Must not know the page, nor what is computed elsewhere.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from localproc.views.footprints import WIDTH, Footprints
from localproc.views.timeline import LENGTH, TimelineRow

_ROW: Final = 22
_NAMES: Final = 260  #: width of the column of names
_LETTERS: Final = 36  #: of a name that have room in it


def timeline_svg(rows: Sequence[TimelineRow]) -> str:
    """Draw a bar for each step, with its name and its seconds."""
    height = len(rows) * _ROW + 4
    head = f'<svg class="timeline" viewBox="0 0 {_NAMES + LENGTH + 80:g} {height}" role="img"'
    bars = (bar for number, row in enumerate(rows) for bar in _bar(row, number * _ROW))
    return "\n".join([f'{head} aria-label="Steps along time">', *bars, "</svg>"])


def _bar(row: TimelineRow, top: int) -> Iterator[str]:
    name = row.step.name
    shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    yield f'<text x="0" y="{top + 15}">{escape(shown)}</text>'
    if row.seconds is None:
        return
    kind, x = escape(row.step.status.value), _NAMES + row.x
    size = f'x="{x:g}" y="{top + 3}" width="{row.length:g}" height="{_ROW - 6}"'
    said = escape(f"{name}: {row.step.status.value}, {row.seconds:.1f} s")
    yield f'<rect class="{kind}" {size}><title>{said}</title></rect>'
    yield f'<text x="{x + row.length + 6:g}" y="{top + 15}">{row.seconds:.1f} s</text>'


def map_svg(of: Footprints, name: str) -> str:
    """Draw the outlines of items over lines of longitude and latitude."""
    high = f"{of.height:g}"
    label = escape(f"Where the items of {name} are")
    lines = [
        f'<svg class="map" viewBox="0 0 {WIDTH:g} {high}" role="img" aria-label="{label}">',
        f'<rect class="sea" width="{WIDTH:g}" height="{high}"/>',
    ]
    for x, text in of.meridians:
        lines.append(f'<line x1="{x:g}" x2="{x:g}" y1="0" y2="{high}"/>')
        lines.append(_text(x + 4, of.height - 6, text))
    for y, text in of.parallels:
        lines.append(f'<line y1="{y:g}" y2="{y:g}" x1="0" x2="{WIDTH:g}"/>')
        lines.append(_text(4, y - 4, text))
    for one in of.outlines:
        title = f"<title>{escape(one.id)}</title>"
        lines.append(f'<path d="{escape(one.path)}">{title}</path>')
        if one.is_named:
            lines.append(_text(one.x, one.y, one.id, ' class="name"'))
    return "\n".join([*filter(None, lines), "</svg>"])


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{more}>{escape(text)}</text>' if text else ""
