"""The ``/tmp`` of a container, which everybody in it may write, whatever its image has there.

Owns the mount points in the folder that is mounted at it: a daemon would make them itself, as root,
where nobody else could remove them. Must not know tasks or daemons.

It is a folder of this machine, as runc gives a ``tmpfs`` the mode of the folder in the image.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Any, Final

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
    for target, source in sources.items():
        if target.startswith(f"{PLACE}/") and os.path.exists(source):
            _make_place(folder + target.removeprefix(PLACE), source)


def _make_place(place: str, source: str) -> None:
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "ab"):
        pass
