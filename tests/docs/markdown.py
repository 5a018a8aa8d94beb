"""The project's Markdown files, taken apart: links, tables, code blocks and their marks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "plugins").rglob("*.md"),
    ]
)
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A code block; ``mark`` is the comment right above it."""

    file: Path
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def blocks(file: Path) -> Iterator[Block]:
    text = file.read_text()
    for found in _BLOCK.finditer(text):
        body = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        line = text.count("\n", 0, found.start()) + 1
        yield Block(file, line, found["language"], found["mark"] or "", body)


def prose(file: Path) -> str:
    """Give what is not in code blocks."""
    return _BLOCK.sub("", file.read_text())


def links(file: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(file))


def anchors(file: Path) -> set[str]:
    """Give the anchors of a file's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(file), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def table(file: str, heading: str) -> list[list[str]]:
    """Give the cells of the first table below a heading, without its own head."""
    text = prose(ROOT / file)
    section = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert section is not None, f"{file} has no heading {heading!r}"
    rows = re.search(r"(?:^\|.*\|\n)+", section[1], re.MULTILINE)
    assert rows is not None, f"{file} has no table below {heading!r}"
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[0].splitlines()]
    return cells[2:]


def names(file: str, heading: str) -> list[str]:
    """Give the names in code that the first column of a table holds."""
    return [name for row in table(file, heading) for name in re.findall(r"`([^`]+)`", row[0])]
