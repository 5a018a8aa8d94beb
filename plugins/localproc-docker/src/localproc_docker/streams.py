"""The streams of containers whose image has no shell to write them.

Owns reading what the daemon has kept of them (Docker Engine API, "Attach to a container", stream
format) into the task's files. They are complete once the container has ended, and empty before.
"""

import os
from collections.abc import Iterator

from localproc.model import Task

_HEADER = 8
_STDERR = 2


def write(task: Task, kept: Iterator[bytes]) -> None:
    """Write what was kept to the task's files, from their beginnings."""
    with open(_fresh(task.stdout), "ab") as out, open(_fresh(task.stderr), "ab") as err:
        for stream, data in frames(kept):
            (err if stream == _STDERR else out).write(data)


def frames(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the number of a stream with each piece of it."""
    rest = b""
    for piece in pieces:
        rest += piece
        while len(rest) >= _HEADER:
            size = int.from_bytes(rest[4:_HEADER], "big")
            if len(rest) < _HEADER + size:
                break
            yield rest[0], rest[_HEADER : _HEADER + size]
            rest = rest[_HEADER + size :]


def _fresh(path: str) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb"):
        return path
