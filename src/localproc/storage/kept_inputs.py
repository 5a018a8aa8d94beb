"""When an input that was read before is used again, and when the network is asked.

Owns the answer for one reader: offline or not, and whose inputs it may be given. Must not know
storages beyond what it is told to ask.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import Final

from localproc.errors import NotMirrored, StagingError, StorageUnavailable, StorageUnreachable
from localproc.plugins.storage import Info
from localproc.storage.addresses import redacted
from localproc.storage.input_cache import InputCache, KeptInput

#: What the kept listing of a prefix is kept under.
_LISTING: Final = "#listing"


class Offline(StrEnum):
    """Whether inputs that lie elsewhere may be asked for."""

    NEVER = "never"  #: they are: what is kept is used only if it is still the same
    AUTO = "auto"  #: they are, and where there is no way to them what is kept is used
    ALWAYS = "always"  #: they are not: there is what is kept, and nothing else


class KeptInputs:
    """What a reader has of a cache, if there is one.

    ``owner`` says who reads: what was read with other keys, or under another policy, is not given
    to it, except what is mirrored.
    """

    def __init__(
        self, cache: InputCache | None, owner: str, offline: Offline = Offline.NEVER
    ) -> None:
        self._cache = cache
        self._owner = owner
        self._offline = offline

    @property
    def may_ask(self) -> bool:
        """Whether anything may be asked of the network."""
        return self._offline is not Offline.ALWAYS

    def fetched(
        self,
        uri: str,
        path: str,
        most: int | None,
        *,
        asked: Callable[[], Info | None],
        download: Callable[[], Info],
        log: Callable[[str], None],
        fresh: bool = False,
    ) -> Info:
        """Put what is at a URI at a path, from here or from there.

        ``asked`` gives what is there now, ``download`` brings it; ``fresh``: it is brought in any
        case. Raises ``NotMirrored``, and what
        these raise.
        """
        kept = self._cache.find(uri, self._owner) if self._cache and not fresh else None
        if kept is not None and self._is_current(kept, asked) and self._took(kept, path, most):
            log(f"{redacted(uri)} is kept here already")
            return Info(kept.found, kept.size, kept.etag)
        if self._offline is Offline.ALWAYS:
            raise _missing(uri)
        try:
            info = download()
        except (StorageUnreachable, StorageUnavailable) as error:
            if self._offline is Offline.AUTO and kept is not None and self._took(kept, path, most):
                log(f"{error.message}: what was kept of it is used")
                return Info(kept.found, kept.size, kept.etag)
            raise
        if self._cache is not None:
            self._cache.keep(uri, self._owner, info, path)
        return info

    def listed(self, prefix: str, ask: Callable[[], list[Info]]) -> list[Info]:
        """Return what lies below a prefix, as ``ask`` gives it or as it was when it was asked."""
        if self._cache is None:
            return ask()
        name = prefix + _LISTING
        if self._offline is not Offline.ALWAYS:
            try:
                found = ask()
            except (StorageUnreachable, StorageUnavailable):
                if self._offline is not Offline.AUTO:
                    raise
            else:
                self._keep_listing(name, found)
                return found
        kept = self._kept_listing(prefix)
        if kept is None:
            raise _missing(prefix)
        return kept

    def remembered(self, prefix: str) -> list[Info] | None:
        """Return what lay below a prefix that cannot be asked now, ``None`` if it has to be."""
        return self._kept_listing(prefix) if self._offline is Offline.AUTO else None

    def _kept_listing(self, prefix: str) -> list[Info] | None:
        kept = self._cache.find(prefix + _LISTING, self._owner) if self._cache else None
        if kept is None:
            return None
        assert self._cache is not None
        try:
            with open(self._cache.blob(kept), encoding="utf-8") as file:
                return [Info(**one) for one in json.load(file)]
        except FileNotFoundError:  # others have just made room
            return None

    def _keep_listing(self, name: str, found: list[Info]) -> None:
        assert self._cache is not None
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
            json.dump([asdict(one) for one in found], file)
            file.flush()
            size = os.path.getsize(file.name)
            self._cache.keep(name, self._owner, Info(name, size), file.name)

    def _is_current(self, kept: KeptInput, asked: Callable[[], Info | None]) -> bool:
        """Whether what is kept is what is there, as far as this may be asked."""
        if self._offline is Offline.ALWAYS:
            return True
        if not kept.etag:
            return False
        try:
            now = asked()
        except StagingError:
            return False  # the download tells what is wrong
        # A size of 0 may be one that nobody has told.
        return now is not None and now.etag == kept.etag and now.size in (0, kept.size)

    def _took(self, kept: KeptInput, path: str, most: int | None) -> bool:
        assert self._cache is not None
        if most is not None and kept.size > most:
            raise StagingError(f"{kept.uri} is larger than {most} bytes", uri=kept.uri)
        return self._cache.take(kept, path)


def _missing(uri: str) -> NotMirrored:
    shown = redacted(uri)
    return NotMirrored(
        f"{shown} is not kept here, and nothing is asked of the network (offline)",
        uri=shown,
        hint=f"where there is a network: localproc mirror add {shown}",
    )
