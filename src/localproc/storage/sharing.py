"""Files that belong to several folders: one copy of their bytes where the disk allows.

Owns putting a file, a folder or a log a second time, and what of it would lead elsewhere. Must not
know steps or jobs.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.files import is_local, local_path, map_files, walk
from localproc.storage import contents
from localproc.uris import path_uri

#: What is done with a file: ``os.link``, or a copy where somebody will write to it.
Put = Callable[[str, str], object]


class LeadsOut(Exception):
    """A file lies outside of the folder that it is shared from."""


def link(source: str, target: str, go_on: Callable[[], object] = lambda: None) -> None:
    """Put a file a second time, as a hard link where that can be.

    ``go_on`` is called again and again while it is copied; what it raises ends that.
    """
    try:
        os.link(source, target)
    except OSError:
        with open(source, "rb") as old, open(target, "wb") as new:
            contents.copy(old.fileno(), new.fileno(), go_on)
        shutil.copystat(source, target)


def share(
    source: str,
    target: str,
    top: str,
    *,
    put: Put = link,
    keep_links: bool = False,
    above: tuple[str, ...] = (),
) -> None:
    """Put a file or a folder a second time.

    Links are followed within ``top``, a real path. What leads out of it stays a link with
    ``keep_links``, else that raises ``LeadsOut``. Raises ``OSError``.
    """
    real = os.path.realpath(source)
    if real in above:
        raise LeadsOut(source)
    if not (real == top or real.startswith(top + "/")):
        if not keep_links:
            raise LeadsOut(source)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(real, target)
    elif os.path.isdir(real):
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(real):
            share(
                os.path.join(real, name),
                os.path.join(target, name),
                top,
                put=put,
                keep_links=keep_links,
                above=(*above, real),
            )
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        put(real, target)


def share_logs(source: str, target: str) -> None:
    """Put the log of a step a second time, with that of its stdout beside it, if they are there."""
    for ending in _LOGS:
        old, new = (f"{path.removesuffix('.log')}{ending}" for path in (source, target))
        if os.path.isfile(old):
            os.makedirs(os.path.dirname(new), exist_ok=True)
            if os.path.lexists(new):
                os.remove(new)
            link(old, new)


_LOGS: Final = (".log", ".out.log")


def take_over(
    outputs: Mapping[str, Any], tops: Sequence[str], folder: str, *, copies: bool
) -> dict[str, Any]:
    """Put the outputs of a step of an earlier job into a folder; return them as they are there.

    ``tops`` are the folders that they may lie in, that of the step before that of its job: what
    lies elsewhere stays there. ``copies``: somebody will write to them. Raises ``OSError`` or
    ``LeadsOut``.
    """
    shutil.rmtree(folder, ignore_errors=True)  # an earlier engine may have begun
    put: Put = shutil.copy2 if copies else link
    for one in walk(dict(outputs)):
        path = local_path(one) if is_local(one) else ""
        top = _top(path, tops)
        if top:
            whole = os.path.realpath(next(one for one in reversed(tops) if _top(path, [one])))
            share(path, _place(path, top, folder), whole, put=put, keep_links=True)

    def moved(one: Mapping[str, Any]) -> dict[str, Any]:
        new = dict(one)
        path = local_path(one) if is_local(one) else ""
        if top := _top(path, tops):
            new["location"] = path_uri(_place(path, top, folder))
        for part in ("secondaryFiles", "listing"):
            if part in new:
                new[part] = [moved(inner) for inner in new[part]]
        return new

    return map_files(dict(outputs), moved)  # type: ignore[no-any-return]


def _top(path: str, tops: Sequence[str]) -> str:
    """Return the folder that a path lies in, nothing for one that lies elsewhere."""
    return next((one for one in tops if path == one or path.startswith(one + "/")), "")


def _place(path: str, top: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, os.path.relpath(path, top)))
