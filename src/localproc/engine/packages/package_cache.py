"""Packages that this user has loaded before, in whatever home.

Owns a folder of the user's cache, and when what lies there is still true. Must not know homes.

Loading a package for the first time in a process costs 0.15 s, most of it for importing cwl-utils.
A test with a home of its own, a job in a batch, or a command in another folder need not pay that
for a package that has not changed.
"""

import base64
import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from importlib.util import find_spec
from threading import get_ident
from typing import Any, Final

from localproc.engine.packages.package_source import PackageSource, same_texts
from localproc.model import ProcessRecord
from localproc.uris import uri_path

_MOST: Final = 500  #: packages that are kept
_LOADERS: Final = (
    "localproc.cwl",
    "localproc.engine.packages",
    "localproc.ogc",
    "cwl_utils.parser",
)


class PackageCache:
    """The processes that packages on disk were, each by the URI of its entry.

    ``folder`` may be unwritable, or no name at all: then nothing is kept.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find(self, source: PackageSource) -> ProcessRecord | None:
        """Return the process that a package was, if neither it nor the loader has changed since."""
        try:
            with open(self._path(source), encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    return None  # it says what to run: nobody else may
                record = _from_json(json.load(file))
                os.utime(file.fileno())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        folder = os.path.dirname(uri_path(source.uri))
        return record if same_texts(record.texts, folder) else None

    def keep(self, source: PackageSource, record: ProcessRecord) -> None:
        """Keep the process that a package is."""
        with suppress(OSError):
            path = self._path(source)
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            temporary = f"{path}.{os.getpid()}-{get_ident()}"
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(_to_json(record), file)
            os.replace(temporary, path)
            self._tidy()

    def _tidy(self) -> None:
        """Remove what was not asked for for the longest time."""
        kept = [entry for entry in os.scandir(self._folder) if entry.is_file()]
        kept.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in kept[:-_MOST]:
            os.remove(entry.path)

    def _path(self, source: PackageSource) -> str:
        if not self._folder:
            raise FileNotFoundError
        name = hashlib.sha256(f"{_loader()}\0{source.entry}".encode()).hexdigest()
        return os.path.join(self._folder, f"{name}.json")


def cache_folder() -> str:
    """Return the user's folder of packages; ``LOCALPROC_CACHE`` names another, or none if empty."""
    own = os.environ.get("LOCALPROC_CACHE")
    if own is not None:
        return own and os.path.join(os.path.abspath(own), "packages")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "localproc", "packages") if os.path.isabs(cache) else ""


def _loader() -> str:
    """Name the code that makes a process of a package; editing or upgrading it changes the name."""
    specs = filter(None, map(find_spec, _LOADERS))
    folders = (folder for spec in specs for folder in spec.submodule_search_locations or ())
    return repr(sorted(itertools.chain.from_iterable(map(_files, folders))))


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield the files of a package and of those within it, with what changes when one does."""
    for entry in os.scandir(folder):
        if entry.is_file():
            found = entry.stat()
            yield entry.path, found.st_size, found.st_mtime_ns
        elif entry.name != "__pycache__":
            yield from _files(entry.path)


def _to_json(record: ProcessRecord) -> dict[str, Any]:
    texts = [[name, base64.b64encode(data).decode()] for name, data in record.texts.items()]
    plain = {one.name: getattr(record, one.name) for one in fields(record)}
    return {**plain, "deployed": record.deployed.isoformat(), "texts": texts}


def _from_json(kept: Mapping[str, Any]) -> ProcessRecord:
    texts = {name: base64.b64decode(data) for name, data in kept["texts"]}
    deployed = datetime.fromisoformat(kept["deployed"])
    return ProcessRecord(**{**kept, "texts": texts, "deployed": deployed})
