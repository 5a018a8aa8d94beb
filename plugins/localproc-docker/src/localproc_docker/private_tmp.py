"""The ``/tmp`` of a container, which everybody in it may write, whatever its image has there.

Owns the mount points in the folder that is mounted at it: a daemon would make them itself, as root,
where nobody else could remove them. Must not know tasks or daemons.

It is a folder of this machine, as runc gives a ``tmpfs`` the mode of the folder in the image.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from localproc.model import StageAction

PLACE: Final = "/tmp"  # noqa: S108


def has_mounts(targets: Iterable[str]) -> bool:
    """Return whether anything is mounted below it."""
    return any(one.startswith(f"{PLACE}/") for one in targets)


def own(outdir: str) -> str:
    """Return the folder that is mounted at it where a task's own would get mount points."""
    return f"{outdir}.tmp"


def remove(outdir: str) -> None:
    """Remove that folder of a task that is over."""
    shutil.rmtree(own(outdir), ignore_errors=True)


def mount(folder: str) -> dict[str, Any]:
    """Return the mount of a folder at it."""
    return {"Type": "bind", "Source": folder, "Target": PLACE, "ReadOnly": False}


def make(mounts: Iterable[Mapping[str, Any]]) -> None:
    """Make what is mounted there, with a place for whatever is mounted below."""
    sources = {one["Target"]: one["Source"] for one in mounts}
    folder = sources.get(PLACE)
    if folder is None or (os.path.isdir(folder) and not has_mounts(sources)):
        return
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o1777)  # noqa: S103 - as everywhere
    for place, is_dir in _places(folder, sources):
        os.makedirs(place if is_dir else os.path.dirname(place), exist_ok=True)
        if not is_dir:
            with open(place, "ab"):
                pass


def stage(mounts: Iterable[Mapping[str, Any]]) -> list[StageAction]:
    """Return the same as what is to be made for who owns the folder."""
    sources = {one["Target"]: one["Source"] for one in mounts}
    folder = sources[PLACE]
    actions = [StageAction("mkdir", folder)]
    for place, is_dir in _places(folder, sources):
        actions.append(StageAction("mkdir", place if is_dir else os.path.dirname(place)))
        if not is_dir:
            actions.append(StageAction("write", place))
    return actions


def _places(folder: str, sources: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Yield where something is mounted, and whether that is a folder."""
    for target, source in sources.items():
        if target.startswith(f"{PLACE}/") and os.path.exists(source):
            yield folder + target.removeprefix(PLACE), os.path.isdir(source)
