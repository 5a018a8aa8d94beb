"""What a report of a job is made of, brought together.

Owns the ends of logs, the pictures that are embedded and the versions of software. Must not know
how a report looks, nor handles.
"""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from localproc.engine.job.steplog import StepLog
from localproc.errors import LocalprocError
from localproc.media_types import media_type
from localproc.model import Step
from localproc.storage.published import Published
from localproc.uris import data_uri
from localproc.views.shown_results import Shown, shown_outputs

_LINES: Final = 60  #: of each log
_MOST_PICTURE: Final = 2 << 20  #: bytes of one picture
_MOST_PICTURES: Final = 24 << 20  #: bytes of all of them
_EMBEDDED: Final = ("image/png", "image/jpeg")


def log_ends(folder: str, steps: Sequence[Step]) -> dict[str, list[str]]:
    """Return the last lines of the logs of steps, by the steps' names."""
    paths = {step.name: os.path.join(folder, step.log) for step in steps if step.log}
    return {
        name: StepLog(path, lambda: True).tail(_LINES).splitlines() for name, path in paths.items()
    }


def shown_results(document: Mapping[str, Any], published: Published, root: str) -> list[Shown]:
    """Return results as they are shown; the sizes of pictures among those below ``root`` are known.

    What is gone, or cannot be asked for, has none.
    """

    def size_of(href: str) -> int | None:
        if not _is_own(href, root) or media_type(href) not in _EMBEDDED:
            return None
        try:
            return published.size(href)
        except LocalprocError:
            return None

    return shown_outputs(document, size_of)


def pictures(outputs: Sequence[Shown], published: Published) -> dict[str, str]:
    """Return the pictures of results as data URIs, by their addresses.

    One of more than 2 MiB is left out, and what comes after 24 MiB in all.
    """
    found: dict[str, str] = {}
    left = _MOST_PICTURES
    for href, length in _candidates(outputs):
        if href in found or length > min(left, _MOST_PICTURE):
            continue
        try:
            data = published.read(href)
        except LocalprocError:
            continue
        left -= len(data)
        found[href] = data_uri(data, media_type(href))
    return found


def _candidates(outputs: Sequence[Shown]) -> Iterator[tuple[str, int]]:
    for output in outputs:
        for item in output.items:
            for _, file in item.assets:
                if file.href == item.picture and file.length is not None:
                    yield file.href, file.length
        for file in output.files:
            if file.is_picture and file.length is not None:
                yield file.href, file.length


def _is_own(href: str, root: str) -> bool:
    return href.startswith(f"{root}/") and ".." not in href.split("/")


def software_versions() -> dict[str, str]:
    """Return the versions of what writes a report, by name."""
    return {
        "localproc": version("localproc"),
        "Python": platform.python_version(),
        "system": platform.platform(),
    }
