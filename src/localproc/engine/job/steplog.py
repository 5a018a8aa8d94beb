"""The log files of steps.

Owns their names, writing the engine's own steps' logs, and reading and following any. Must not know
what steps do.

A step's stderr goes to ``node_<step>.log``, the log that people ask for; what it prints to stdout,
unless its tool captures that, goes to ``node_<step>.out.log`` beside it, which is not there if it
printed nothing. Both are written by the step's own process, so they can be read while it runs, and
survive everybody else.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

_TAIL: Final = 64 * 1024
_POLL: Final = 0.1
_PIECE: Final = 1 << 20


class LogNames:
    """The names of the log files of one job's steps; ``known`` has those that there are.

    It is ``node_crop.log`` for ``crop`` and for ``node_crop``, whichever comes first; another step
    whose files would have the same names gets ``node_crop_2.log``, and so on.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._names = dict(known)
        self._taken = {name for log in known.values() for name in (log, out_name(log))}

    def of(self, step: str) -> str:
        """Return the name of a step's log file."""
        found = self._names.get(step)
        if found is None:
            found = self._names[step] = self._free(step)
            self._taken |= {found, out_name(found)}
        return found

    def _free(self, step: str) -> str:
        stem = step if step.startswith("node_") else f"node_{step}"
        names = (stem if number == 1 else f"{stem}_{number}" for number in itertools.count(1))
        logs = (f"{name}.log" for name in names)
        return next(log for log in logs if self._taken.isdisjoint((log, out_name(log))))


def out_name(log: str) -> str:
    """Give the name of the file beside a log that holds what was printed to stdout."""
    return f"{log.removesuffix('.log')}.out.log"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log has been read: bytes of each of its streams."""

    stdout: int = 0
    stderr: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What a log held beyond a place.

    ``parts`` are ``("stdout" | "stderr", text)``, ``place`` is where to go on. ``complete``: the
    step has ended, and this was the last of it.
    """

    parts: tuple[tuple[str, str], ...]
    place: Place
    complete: bool


@dataclass(frozen=True, slots=True)
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
            return f"==> stdout <==\n{_ended(out)}==> stderr <==\n{err}"
        return out or err

    def __str__(self) -> str:
        return self.text

    def lines(self) -> list[str]:
        """Give the lines of both."""
        return self.text.splitlines()

    def read_from(self, place: Place = Place(), most: int = _PIECE) -> Piece:
        """Give what there is now beyond a place, without waiting.

        Whole lines only while the step runs; ``most`` bytes of each stream at a time.
        """
        ended = self.ended()  # before reading: what is written later is not missed
        out = _some(out_name(self.path), place.stdout, most, ended=ended)
        err = _some(self.path, place.stderr, most, ended=ended)
        parts = (("stdout", _text(out)), ("stderr", _text(err)))
        return Piece(
            tuple(part for part in parts if part[1]),
            Place(place.stdout + len(out), place.stderr + len(err)),
            complete=ended and not out and not err,
        )

    def follow(self) -> Iterator[tuple[str, str]]:
        """Give ``("stdout" | "stderr", text)`` as it is written, until the step has ended."""
        piece = self.read_from()
        while not piece.complete:
            yield from piece.parts
            if not piece.parts:
                time.sleep(_POLL)
            piece = self.read_from(piece.place)


def tail(path: str, most: int = 10) -> list[str]:
    """Give the last lines of a file; those of its neighbour for stdout if it holds none."""
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
    """Give whole lines, but for the last one of all, and one that is longer than ``most``."""
    data = _read_from(path, offset, most)
    lines = data[: data.rfind(b"\n") + 1]
    full = len(data) == most
    return data if (ended and not full) or (full and not lines) else lines


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
