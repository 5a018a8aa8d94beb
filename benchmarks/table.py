"""Rows of figures, and how they are shown.

Owns what one figure is, whether it meets its target, and the printed table. Must not know how
anything is measured.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    ``case`` is what was done and ``who`` did it. ``ratio`` is ``value`` over that of ``against``.
    ``target`` bounds the ratio where there is one, else the value: from above, or, with
    ``at_least``, from below.
    """

    case: str
    who: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    target: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; ``None`` without one."""
        if self.target is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.target if self.at_least else measured <= self.target

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {**asdict(self), "met": self.met}

    def cells(self) -> list[str]:
        """Give it as the texts of its columns."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}x {self.against}"
        bound = ">=" if self.at_least else "<="
        unit = f" {self.unit}" if self.ratio is None else "x"
        target = "" if self.target is None else f"{bound} {self.target:g}{unit}"
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return [self.case, self.who, f"{_figure(self.value)} {self.unit}", ratio, target, met]


@dataclass(frozen=True, slots=True)
class Note:
    """Why something was not measured."""

    case: str
    why: str


Line = Row | Note
_HEADS = ["case", "who", "figure", "ratio", "target", "met"]


class Table:
    """Prints lines as they come, in columns of a fixed width; the case only where it changes."""

    _WIDTHS = (34, 36, 16, 20, 14, 3)

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._print(_HEADS)
        self._print(["-" * width for width in self._WIDTHS])

    def add(self, lines: Iterable[Line]) -> None:
        """Show more lines."""
        for line in lines:
            if isinstance(line, Row):
                cells = line.cells()
                if self.lines and self.lines[-1].case == line.case:
                    cells[0] = ""
                self._print(cells)
            else:
                print(f"{line.case}: {line.why}", flush=True)
            self.lines.append(line)

    def document(self) -> list[dict[str, Any]]:
        """Give all lines as JSON."""
        return [one.document() if isinstance(one, Row) else asdict(one) for one in self.lines]

    def summary(self) -> str:
        """Say how many targets are met."""
        judged = [one for one in self.lines if isinstance(one, Row) and one.met is not None]
        return f"{sum(1 for one in judged if one.met)} of {len(judged)} targets are met"

    def _print(self, cells: list[str]) -> None:
        padded = (cell.ljust(width) for cell, width in zip(cells, self._WIDTHS, strict=True))
        print("  ".join(padded).rstrip(), flush=True)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
