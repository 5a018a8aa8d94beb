"""The log files of steps.

Owns their names, writing the engine's own steps' logs, and reading and following any. Must not know
what steps do.

A step's stderr goes to ``node_<step>.log``, the log that people ask for; what it prints to stdout,
unless its tool captures that, goes to ``node_<step>.out.log`` beside it, which is not there if it
printed nothing. Both are written by the step's own process, so they can be read while it runs, and
survive everybody else.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from localproc.engine.job.step_names import folded
from localproc.frozen import frozen
from localproc.spelling import public

_TAIL: Final = 64 * 1024
_POLL: Final = 0.1
_PIECE: Final = 1 << 20
_BLOCK: Final = 1 << 16
_MOST_TAIL: Final = 16 << 20
_LOG, _OUT_LOG = ".log", ".out.log"
_OUT, _ERR = "==> stdout <==\n", "==> stderr <==\n"


class LogNames:
    """The names of the log files of one job's steps; ``known`` has those that there are.

    It is ``node_crop.log`` for ``crop`` and for ``node_crop``, whichever comes first; another step
    whose files would have the same names, also on a disk that does not tell upper from lower case,
    gets ``node_crop_2.log``, and so on.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._names = dict(known)
        self._taken = set(map(folded, known.values()))

    def of(self, step: str) -> str:
        """Return the name of a step's log file."""
        found = self._names.get(step)
        if found is None:
            found = self._names[step] = self._take(step)
        return found

    def _take(self, step: str) -> str:
        stem = step if step.startswith("node_") else f"node_{step}"
        log, number = f"{stem}.log", 1
        while not self._is_free(alike := folded(log)):
            number += 1
            log = f"{stem}_{number}.log"
        self._taken.add(alike)
        return log

    def _is_free(self, log: str) -> bool:
        """Whether neither the log nor the file beside it is another step's."""
        if log in self._taken or out_name(log) in self._taken:
            return False
        return not (log.endswith(_OUT_LOG) and log.removesuffix(_OUT_LOG) + _LOG in self._taken)


def out_name(log: str) -> str:
    """Return the name of the file beside a log that holds what was printed to stdout."""
    return log.removesuffix(_LOG) + _OUT_LOG


@frozen
class LogPosition:
    """How far a log has been read: bytes of each of its streams."""

    stdout: int = 0
    stderr: int = 0


@frozen
class Piece:
    """What a log held beyond a place.

    ``parts`` are ``("stdout" | "stderr", text)``, ``place`` is where to go on. ``complete``: the
    step has ended, and this was the last of it.
    """

    parts: tuple[tuple[str, str], ...]
    place: LogPosition
    complete: bool


@public
@frozen
class StepLog:
    """What a step has written, so far. ``ended`` tells whether it will write no more."""

    path: str
    ended: Callable[[], bool] = lambda: True

    @property
    def stderr(self) -> str:
        """What it wrote to stderr, and what the engine has to say of it."""
        return _read(self.path)

    @property
    def stdout(self) -> str:
        """What it printed to stdout."""
        return _read(out_name(self.path))

    @property
    def text(self) -> str:
        """Both, told apart by a heading where there are both."""
        out, err = self.stdout, self.stderr
        if out and err:
            return f"{_OUT}{_ended(out)}{_ERR}{err}"
        return out or err

    def __str__(self) -> str:
        return self.text

    def lines(self) -> list[str]:
        """Return the lines of both."""
        return self.text.splitlines()

    @property
    def size(self) -> int:
        """How many bytes both are."""
        return _size(out_name(self.path)) + _size(self.path)

    def pieces(self) -> Iterator[str]:
        """Yield ``text`` a piece at a time, whole lines each: it may be larger than memory."""
        out, err = out_name(self.path), self.path
        both = bool(_size(out) and _size(err))
        end = ""
        if both:
            yield _OUT
        for piece in _lines_of(out):
            end = piece[-1]
            yield piece
        if both:
            yield _ERR if end == "\n" else f"\n{_ERR}"
        yield from _lines_of(err)

    def pieces_of(self, stream: str) -> Iterator[str]:
        """Return what it wrote to ``stdout`` or ``stderr``, a piece at a time."""
        return _lines_of(out_name(self.path) if stream == "stdout" else self.path)

    def tail(self, count: int) -> str:
        """Return the last lines of ``text``, 16 MiB of each stream at the most.

        It costs no more however large the log is.
        """
        err = _last_lines(self.path, count)
        size = _size(out_name(self.path))
        left = count - len(err)
        if left <= 0 or not size:
            return "".join(err)
        if not err:
            return "".join(_last_lines(out_name(self.path), count))
        out = _last_lines(out_name(self.path), left - 1)
        head = [_OUT] if len(out) < left - 1 else []
        return "".join((*head, *out[:-1], *map(_ended, out[-1:]), _ERR, *err))

    def read_from(self, place: LogPosition = LogPosition(), most: int = _PIECE) -> Piece:
        """Return what there is now beyond a place, without waiting.

        Whole lines only while the step runs; ``most`` bytes of each stream at a time.
        """
        ended = self.ended()  # before reading: what is written later is not missed
        out = _some(out_name(self.path), place.stdout, most, ended=ended)
        err = _some(self.path, place.stderr, most, ended=ended)
        parts = (("stdout", _text(out)), ("stderr", _text(err)))
        return Piece(
            tuple(part for part in parts if part[1]),
            LogPosition(place.stdout + len(out), place.stderr + len(err)),
            complete=ended and not out and not err,
        )

    def follow(self) -> Iterator[tuple[str, str]]:
        """Yield ``("stdout" | "stderr", text)`` as it is written, until the step has ended."""
        piece = self.read_from()
        while not piece.complete:
            yield from piece.parts
            if not piece.parts:
                time.sleep(_POLL)
            piece = self.read_from(piece.place)


def tail(path: str, most: int = 10) -> list[str]:
    """Return the last lines of a file; those of its neighbour for stdout if it holds none."""
    for candidate in (path, out_name(path)):
        try:
            size = os.stat(candidate).st_size
        except OSError:
            continue
        data = _read_from(candidate, max(0, size - _TAIL))
        lines = [line for line in _text(data).splitlines() if line.strip()]
        if lines:
            return lines[-most:]
    return []


@contextmanager
def log_writer(path: str) -> Iterator[Callable[[str], None]]:
    """Give what adds a line to the log of one of the engine's own steps.

    The error that ends the step is noted there too.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab", buffering=0) as file:

        def add(line: str) -> None:
            file.write(f"{line}\n".encode(errors="backslashreplace"))

        try:
            yield add
        except BaseException as error:
            with suppress(OSError):  # the disk may be full
                add(f"failed: {error}")
            raise


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _lines_of(path: str) -> Iterator[str]:
    """Yield a file's text, whole lines at a time."""
    place = 0
    while data := _some(path, place, _PIECE, ended=True):
        place += len(data)
        yield _text(data)


def _last_lines(path: str, count: int) -> list[str]:
    """Return the last lines of a file with their ends, read from its end backwards."""
    if count <= 0:
        return []
    place, blocks, breaks = _size(path), [b""], 0
    least = max(0, place - _MOST_TAIL)
    while place > least and breaks <= count:
        start = max(least, place - _BLOCK)
        blocks.append(_read_from(path, start, place - start))
        breaks += blocks[-1].count(b"\n")
        place = start
    lines = b"".join(reversed(blocks)).split(b"\n")
    kept = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return [_text(line) for line in kept[-count:]]


def _read(path: str) -> str:
    return _text(_read_from(path, 0))


def _read_from(path: str, offset: int, most: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(most)
    except FileNotFoundError:
        return b""


def _some(path: str, offset: int, most: int, *, ended: bool) -> bytes:
    """Return whole lines, but for the last one of all, and one that is longer than ``most``."""
    data = _read_from(path, offset, most)
    lines = data[: data.rfind(b"\n") + 1]
    full = len(data) == most
    if full and not lines:
        return data[: _end_of_characters(data)]
    return data if ended and not full else lines


def _end_of_characters(data: bytes) -> int:
    """Return where the last character of a text ends that is whole: UTF-8 takes up to 4 bytes."""
    for back in range(1, min(4, len(data)) + 1):
        first = data[-back]
        if first < 0x80:
            break
        if first >= 0xC0:
            length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return len(data) - back if length > back and back < len(data) else len(data)
    return len(data)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
