"""What a script may use that does not lie in its own folder, as far as its text tells.

Owns which files are scripts, and reading from their texts what they find above their folder and by
absolute paths. Must not know what it is wanted for.

A path that is put together of parts cannot be read. But whoever goes up says so somehow (``..``,
``parents[1]``, ``dirname(dirname(...))``), and then all that lies there may be meant.
"""

import os
import re
from collections.abc import Iterator
from typing import Final

_ENDINGS: Final = frozenset(
    [
        ".awk",
        ".bash",
        ".cjs",
        ".cmd",
        ".csh",
        ".fish",
        ".gms",
        ".groovy",
        ".ipynb",
        ".jl",
        ".js",
        ".ksh",
        ".lua",
        ".m",
        ".mjs",
        ".nf",
        ".php",
        ".pl",
        ".pm",
        ".pro",
        ".ps1",
        ".py",
        ".pyc",
        ".pyz",
        ".r",
        ".rb",
        ".sc",
        ".scala",
        ".sed",
        ".sh",
        ".smk",
        ".tcl",
        ".ts",
        ".zsh",
    ]
)
_CLIMB: Final = re.compile(rb"(?<![\w.])((?:\.\./)+)([\w@+%-][\w.@+%-]*(?:/[\w@+%-][\w.@+%-]*)*)?")
_BARE: Final = re.compile(rb"(?<![\w.])\.\.(?![\w./])|\bpardir\b|\bupdir\b")
_PARENTS: Final = re.compile(rb"\bparents\s*\[\s*(\d{1,2})\s*\]")
_PARENT: Final = re.compile(rb"(?:\.parent\b(?!\s*\()){2,}")
_DIRNAME: Final = re.compile(rb"\bdirname\b")
_FROM: Final = re.compile(rb"^\s*from\s+(\.{2,})", re.MULTILINE)
#: One of these is in all that goes up; most texts have none, and need no look at their lines.
_UPWARDS: Final = (b"..", b"pardir", b"updir", b"parent", b"dirname")
_ABSOLUTE: Final = re.compile(rb"(?<![\w.~$})/*@:-])(?:/[\w@+%-][\w.@+%-]*)+")
_SYSTEM: Final = frozenset(
    [
        "bin",
        "boot",
        "dev",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "proc",
        "run",
        "sbin",
        "sys",
        "usr",
        "var",
    ]
)
_UNSTEADY: Final = frozenset({"dev", "proc", "run", "sys"})


def is_script(path: str) -> bool:
    """Whether a file may use others: its name ends as a script's does, or not, or it begins so.

    That it may be run says nothing: on some disks every scene may.
    """
    ending = os.path.splitext(path)[1].lower()
    try:
        if ending in _ENDINGS or not ending:
            return os.path.isfile(path)
        if not os.stat(path).st_mode & 0o111:
            return False
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def reach(text: bytes, folder: str) -> Iterator[str]:
    """Yield the files and folders outside of its folder that a script there may use."""
    yield from _above(text, folder)
    for found in _ABSOLUTE.finditer(text):
        path = os.fsdecode(found[0])
        first, _, rest = path[1:].partition("/")
        if (os.path.isfile(path) and first not in _UNSTEADY) or (
            rest and first not in _SYSTEM and os.path.isdir(path)
        ):
            yield path


def _above(text: bytes, folder: str) -> Iterator[str]:
    """Yield what is named above a folder; the folder up there, where no more can be told."""
    if not _goes_up(text):
        return
    levels = 0
    for found in _CLIMB.finditer(text):
        up, rest = len(found[1]) // 3, os.fsdecode(found[2] or b"")
        there = [
            path
            for path in (os.path.join(_up(folder, one), rest) for one in range(1, up + 1))
            if rest and os.path.exists(path)
        ]
        yield from there
        levels = levels if there else max(levels, up)
    for line in filter(_goes_up, text.splitlines()):
        levels = max(
            levels,
            len(_BARE.findall(line)),
            len(_DIRNAME.findall(line)) - 1,
            *(int(found[1]) for found in _PARENTS.finditer(line)),
            *(found[0].count(b".parent") - 1 for found in _PARENT.finditer(line)),
            *(len(found[1]) - 1 for found in _FROM.finditer(line)),
        )
    if levels:
        yield _up(folder, levels)


def _goes_up(text: bytes) -> bool:
    return any(one in text for one in _UPWARDS)


def _up(folder: str, levels: int) -> str:
    for _ in range(levels):
        folder = os.path.dirname(folder)
    return folder
