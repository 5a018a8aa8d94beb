"""The log files of steps.

Owns their names, writing the engine's own steps' logs, and reading and following any. Must not know
what steps do.

A step's stderr goes to ``node_<step>.log``, the log that people ask for; what it prints to stdout,
unless its tool captures that, goes to ``node_<step>.out.log`` beside it. Both are written by the
step's own process, so they can be read while it runs, and survive everybody else.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_TAIL: Final = 64 * 1024
_POLL: Final = 0.1


def log_name(step: str) -> str:
    """Give the name of a step's log file: ``node_crop.log`` for ``crop`` and for ``node_crop``."""
    return f"{step}.log" if step.startswith("node_") else f"node_{step}.log"


def out_name(log: str) -> str:
    """Give the name of the file beside a log that holds what was printed to stdout."""
    return f"{log.removesuffix('.log')}.out.log"


@dataclass(frozen=True, slots=True)
class StepLog:
    """What a step has written, so far."""

    path: str

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

    def follow(self, ended: Callable[[], bool]) -> Iterator[tuple[str, str]]:
        """Give ``("stdout" | "stderr", text)`` as it is written, until the step has ended."""
        streams = (("stdout", out_name(self.path)), ("stderr", self.path))
        offsets = {name: 0 for name, _ in streams}
        while True:
            last = ended()
            quiet = True
            for name, path in streams:
                data = _read_from(path, offsets[name])
                if not last:
                    data = data[: data.rfind(b"\n") + 1]
                if data:
                    offsets[name] += len(data)
                    quiet = False
                    yield name, data.decode("utf-8", "replace")
            if last:
                return
            if quiet:
                time.sleep(_POLL)


def tail(path: str, most: int = 10) -> list[str]:
    """Give the last lines of a file; those of its neighbour for stdout if it holds none."""
    for candidate in (path, out_name(path)):
        try:
            size = os.stat(candidate).st_size
        except OSError:
            continue
        data = _read_from(candidate, max(0, size - _TAIL))
        lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
        if lines:
            return lines[-most:]
    return []


class LogWriter:
    """Writes the log of one of the engine's own steps."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, line: str) -> None:
        """Add a line."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def _read(path: str) -> str:
    return _read_from(path, 0).decode("utf-8", "replace")


def _read_from(path: str, offset: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
