"""The outputs of earlier steps, by what they depend on.

Owns the folder they are kept in, and seeing that they are still what they were. Must not know what
makes two steps equal, nor jobs beyond their ids.

An entry is a folder: ``entry.json``, the log of the step, and ``files``, which share their bytes
with the job that made them where the disk allows. Whoever changes such a file in place changes
both, so an entry whose files have another size or time than they had is no longer used.
"""

import glob
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from localproc.cwl.base.files import is_local, local_path, map_files, walk
from localproc.frozen import frozen
from localproc.storage.sharing import LeadsOut, link, share, share_logs
from localproc.uris import path_uri

_ENTRY: Final = "entry.json"
_FILES: Final = "files"
_LOG: Final = "step.log"
_FRESH: Final = 600.0  #: seconds that what was found or kept is safe: its job has yet to say so
_LESS: Final = 0.9  #: of what there may be, is left when some had to go


@frozen
class CachedStep:
    """What an earlier step produced, the job that it belonged to, its name there and its log."""

    outputs: Mapping[str, Any]
    job_id: str
    step: str
    log: str


class StepCache:
    """The step cache of a home. Several processes may use it at once.

    ``most``: how many bytes it may take; beyond that what was least used goes, but for the keys
    that ``needed`` gives.
    """

    def __init__(
        self,
        folder: str,
        most: int = 0,
        needed: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._folder = folder
        self._most = most
        self._needed = needed
        self._room = 0  # that is known to be left; others may have taken it since

    @property
    def folder(self) -> str:
        """Where the files are."""
        return self._folder

    def find(self, key: str) -> CachedStep | None:
        """Return the outputs kept under a key, if they are still what they were."""
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
        with suppress(OSError):
            os.utime(os.path.join(place, _ENTRY))  # it was used now
        outputs = map_files(entry["outputs"], lambda one: _moved(one, _FILES, path_uri(files)))
        log = os.path.join(place, _LOG)
        return CachedStep(outputs, entry["job"], entry.get("step", ""), log)

    def keep(
        self,
        key: str,
        outputs: Mapping[str, Any],
        outdir: str,
        job_id: str,
        step: str = "",
        log: str = "",
        *,
        go_on: Callable[[], object] = lambda: None,
    ) -> bool:
        """Keep the outputs that a step left in its folder; whether they could be kept.

        Outputs that lie elsewhere, links followed (inputs passed through), belong to somebody
        else: then nothing is kept. ``go_on`` is called again and again where files have to be
        copied; what it raises ends that, and nothing is kept. See ``make_room``.
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
                    put = partial(link, go_on=go_on)
                    share(local_path(one), place, os.path.realpath(outdir), put=put)
            relative = map_files(dict(outputs), lambda one: _moved(one, path_uri(outdir), _FILES))
            share_logs(log, os.path.join(temporary, _LOG))
            entry = {"job": job_id, "step": step, "outputs": relative, "files": _states(files)}
            with open(os.path.join(temporary, _ENTRY), "w", encoding="utf-8") as file:
                json.dump(entry, file)
            os.rename(temporary, self._place(key))
            self._room -= sum(size for size, _ in filter(None, entry["files"].values()))
        except (OSError, LeadsOut):
            return False
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return True

    def make_room(self) -> None:
        """When what was kept has used up the room, see how much there is, and remove some."""
        if self._most and self._room < 0:
            self._room = self._most - self.evict(self._most)

    def evict(self, most: int) -> int:
        """Remove what was least used, until there is clearly less than ``most``; return its size.

        What open jobs have been given stays.
        """
        found = sorted(self._entries())
        total = sum(size for _, size, _ in found)
        if total <= most:
            return total
        needed = self._needed()
        for used, size, place in found:
            if total <= most * _LESS or time.time() - used < _FRESH:
                break
            if os.path.basename(place) in needed or _used(place) != used:
                continue
            aside = f"{place}.{secrets.token_hex(4)}.part"
            try:
                os.rename(place, aside)  # nobody finds half of it
            except OSError:
                continue
            shutil.rmtree(aside, ignore_errors=True)
            total -= size
        return total

    def _entries(self) -> Iterator[tuple[float, int, str]]:
        """Yield when each entry was used last, its size and its folder."""
        for path in glob.iglob(os.path.join(glob.escape(self._folder), "*", "*", _ENTRY)):
            place = os.path.dirname(path)
            try:
                with open(path, encoding="utf-8") as file:
                    states = json.load(file)["files"].values()
            except (OSError, ValueError, KeyError, TypeError):
                continue
            yield _used(place), sum(state[0] for state in states if state), place

    def _place(self, key: str) -> str:
        return os.path.join(self._folder, key[:2], key)


def _states(folder: str) -> dict[str, list[int]]:
    """Return the state of every file below a folder."""
    paths = (os.path.join(inner, name) for inner, _, names in os.walk(folder) for name in names)
    return {os.path.relpath(path, folder): _state(path) for path in paths}


def _used(place: str) -> float:
    """Return when an entry was used last, 0 for one that is gone."""
    try:
        return os.stat(os.path.join(place, _ENTRY)).st_mtime
    except OSError:
        return 0


def _state(path: str) -> list[int]:
    try:
        found = os.stat(path)
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _moved(one: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return an object whose location, and those of what belongs to it, are in another folder."""
    moved = dict(one)
    location = str(one.get("location", ""))
    if location == old or location.startswith(old + "/"):
        moved["location"] = new + location.removeprefix(old)
    for part in ("secondaryFiles", "listing"):
        if part in moved:
            moved[part] = [_moved(inner, old, new) for inner in moved[part]]
    return moved
