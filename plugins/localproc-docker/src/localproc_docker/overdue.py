"""Containers that nobody asks for any more.

Owns telling them from those that somebody does, whatever state they are in: an engine that was
killed has left them, or the daemon did not remove them when it was asked to. Must not know how they
are removed, nor homes that are gone.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from localproc_docker.task_containers import KEY
from localproc_docker.warm import FOLDER, LANE


def overdue(
    known: Iterable[Mapping[str, Any]], folder: str, is_over: Callable[[str], bool]
) -> Iterator[Mapping[str, Any]]:
    """Yield the containers, in short, of tasks that are over; ``folder`` is the executor's own.

    A warm one has a folder for as long as anybody asks for one of its tasks.
    """
    for one in known:
        key = one["Labels"][KEY]
        if not key.startswith(LANE):
            is_useless = is_over(key)
        else:
            name = key.removeprefix(LANE)
            is_useless = not os.path.isdir(os.path.join(folder, FOLDER, name))
        if is_useless:
            yield one
