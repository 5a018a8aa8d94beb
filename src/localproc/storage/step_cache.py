"""The outputs of earlier steps, by what they depend on.

Owns the folder they are kept in, and seeing that they are still what they were. Must not know what
makes two steps equal, nor jobs beyond their ids.

An entry is a folder: ``entry.json``, the log of the step, and ``files``, which share their bytes
with the job that made them where the disk allows. Whoever changes such a file in place changes
both, so an entry whose files have another size or time than they had is no longer used.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from localproc.cwl.base.files import is_local, local_path, map_files, walk
from localproc.storage.sharing import LeadsOut, share, share_logs
from localproc.uris import path_uri

_ENTRY: Final = "entry.json"
_FILES: Final = "files"
_LOG: Final = "step.log"


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier step produced, the job that it belonged to, its name there and its log."""

    outputs: Mapping[str, Any]
    job_id: str
    step: str
    log: str


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
        files = os.path.join(place, _FILES)
        for name, was in entry["files"].items():
            if _state(os.path.join(files, name)) != was:
                shutil.rmtree(place, ignore_errors=True)
                return None
        outputs = map_files(entry["outputs"], lambda one: _moved(one, _FILES, path_uri(files)))
        log = os.path.join(place, _LOG)
        return Found(outputs, entry["job"], entry.get("step", ""), log)

    def keep(
        self,
        key: str,
        outputs: Mapping[str, Any],
        outdir: str,
        job_id: str,
        step: str = "",
        log: str = "",
    ) -> bool:
        """Keep the outputs that a step left in its folder; whether they could be kept.

        Outputs that lie elsewhere, links followed (inputs passed through), belong to somebody
        else: then nothing is kept.
        """
        temporary = f"{self._place(key)}.{secrets.token_hex(4)}.part"
        files = os.path.join(temporary, _FILES)
        try:
            os.makedirs(files)
            for one in walk(dict(outputs)):
                if is_local(one):
                    name = os.path.relpath(local_path(one), outdir)
                    place = os.path.normpath(os.path.join(files, name))
                    if not f"{place}/".startswith(f"{files}/"):
                        raise LeadsOut(local_path(one))
                    share(local_path(one), place, os.path.realpath(outdir))
            relative = map_files(dict(outputs), lambda one: _moved(one, path_uri(outdir), _FILES))
            share_logs(log, os.path.join(temporary, _LOG))
            entry = {"job": job_id, "step": step, "outputs": relative, "files": _states(files)}
            with open(os.path.join(temporary, _ENTRY), "w", encoding="utf-8") as file:
                json.dump(entry, file)
            os.rename(temporary, self._place(key))
        except (OSError, LeadsOut):
            shutil.rmtree(temporary, ignore_errors=True)
            return False
        return True

    def _place(self, key: str) -> str:
        return os.path.join(self._folder, key[:2], key)


def _states(folder: str) -> dict[str, list[int]]:
    """Give the state of every file below a folder."""
    paths = (os.path.join(inner, name) for inner, _, names in os.walk(folder) for name in names)
    return {os.path.relpath(path, folder): _state(path) for path in paths}


def _state(path: str) -> list[int]:
    try:
        found = os.stat(path)
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _moved(one: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Give an object whose location, and those of what belongs to it, hang from another folder."""
    moved = dict(one)
    location = str(one.get("location", ""))
    if location == old or location.startswith(old + "/"):
        moved["location"] = new + location.removeprefix(old)
    for part in ("secondaryFiles", "listing"):
        if part in moved:
            moved[part] = [_moved(inner, old, new) for inner in moved[part]]
    return moved
