"""The outputs of earlier steps, by what they depend on.

Owns the folder they are kept in, and seeing that they are still what they were. Must not know what
makes two steps equal, nor jobs beyond their ids.

An entry is a folder: ``entry.json`` and the files, which share their bytes with the job that made
them where the disk allows. Whoever changes such a file in place changes both, so an entry whose
files have another size or time than they had is no longer used.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from localproc.cwl.files import is_local, local_path, map_files, path_uri, walk

_ENTRY: Final = "entry.json"


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier step produced, and the job that it belonged to."""

    outputs: Mapping[str, Any]
    job_id: str


class StepCache:
    """The step cache of a home. Several processes may use it at once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @property
    def folder(self) -> str:
        """Where the files are."""
        return self._folder

    def find(self, key: str) -> Found | None:
        """Give the outputs kept under a key, if they are still what they were."""
        place = self._place(key)
        try:
            with open(os.path.join(place, _ENTRY), encoding="utf-8") as file:
                entry = json.load(file)
        except (OSError, ValueError):
            return None
        for name, was in entry["files"].items():
            if _state(os.path.join(place, name)) != was:
                shutil.rmtree(place, ignore_errors=True)
                return None
        outputs = map_files(entry["outputs"], lambda one: _moved(one, "", path_uri(place) + "/"))
        return Found(outputs, entry["job"])

    def keep(self, key: str, outputs: Mapping[str, Any], outdir: str, job_id: str) -> bool:
        """Keep the outputs that a step left in its folder; whether they could be kept.

        Outputs that lie elsewhere (inputs passed through) belong to somebody else: then nothing
        is kept.
        """
        for one in walk(dict(outputs)):
            if is_local(one) and not local_path(one).startswith(outdir + "/"):
                return False
        temporary = f"{self._place(key)}.{secrets.token_hex(4)}.part"
        try:
            os.makedirs(temporary)
            files = self._take(outputs, outdir, temporary)
            relative = map_files(dict(outputs), lambda one: _moved(one, path_uri(outdir) + "/", ""))
            entry = {"job": job_id, "outputs": relative, "files": files}
            with open(os.path.join(temporary, _ENTRY), "w", encoding="utf-8") as file:
                json.dump(entry, file)
            os.rename(temporary, self._place(key))
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            return False
        return True

    def _place(self, key: str) -> str:
        return os.path.join(self._folder, key[:2], key)

    def _take(self, outputs: Mapping[str, Any], outdir: str, target: str) -> dict[str, list[int]]:
        """Share or copy the files; give the state of each."""
        for one in walk(dict(outputs)):
            if not is_local(one):
                continue
            source = local_path(one)
            place = os.path.join(target, os.path.relpath(source, outdir))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.isdir(source):
                shutil.copytree(source, place, copy_function=_share, dirs_exist_ok=True)
            elif not os.path.exists(place):
                _share(source, place)
        return {
            os.path.relpath(os.path.join(folder, name), target): _state(os.path.join(folder, name))
            for folder, _, names in os.walk(target)
            for name in names
        }


def _share(source: str, target: str) -> str:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _state(path: str) -> list[int]:
    try:
        found = os.stat(path)
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _moved(one: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Give an object whose location, and those of what belongs to it, hang from another folder."""
    moved = dict(one)
    if str(one.get("location", "")).startswith(old) and "location" in one:
        moved["location"] = new + one["location"].removeprefix(old)
    for part in ("secondaryFiles", "listing"):
        if part in moved:
            moved[part] = [_moved(inner, old, new) for inner in moved[part]]
    return moved
