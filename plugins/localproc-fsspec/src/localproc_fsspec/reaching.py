"""The file systems of a storage: opened, asked and left by threads that may be left themselves.

Owns which file system a URI has, and that none of its calls is waited for without end. Must not
know the protocol of storages.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import fsspec

from localproc.errors import EnvironmentProblem
from localproc.storage.bounded_calls import Helper, Helpers, Told
from localproc.storage.pace import slowest_of
from localproc.storage.web import OPTIONS, WebStorage
from localproc_fsspec.failures import telling
from localproc_fsspec.places import NESTED, Place, place_of
from localproc_fsspec.web_file import web_file

_T = TypeVar("_T")

SSH: Final = ("sftp", "ssh")
_OURS: Final = ("enabled", "guarded", "slowest")  #: options that fsspec is not told
_FRESH: Final[Mapping[str, Any]] = {"use_listings_cache": False}
#: What is said besides; SFTP's has no listings and takes nothing but what paramiko does.
_USUAL: Final = {scheme: {"timeout": 30.0} for scheme in SSH}
_PATIENCE: Final = 60.0  #: seconds without a byte by which a connection counts as broken


def unwatched(_: int) -> None:
    """Let a call go on."""


class Files:
    """A path in a file system, and the thread that makes its calls."""

    def __init__(self, place: Place, helper: Helper, opened: Callable[[Place], Any]) -> None:
        self.path = place.path
        self._place = place
        self._helper = helper
        self._opened = opened

    def ask(self, action: Callable[[Any], _T], asked: int = 0, watch: Told = unwatched) -> _T:
        """Return what an action gives of the file system, which brings so many bytes."""
        return self.tell(lambda files, _: action(files), asked, watch)

    def tell(self, action: Callable[[Any, Told], _T], asked: int, watch: Told) -> _T:
        """As ``ask``, with an action that tells how it goes."""
        return self._helper.do(lambda told: action(self._files(), told), asked, watch)

    def forget(self) -> None:
        """Let go of all connections, unless one of them is still waited at."""
        if not self._helper.is_left:
            self._helper.do(lambda _: self._helper.kept.clear())

    def anew(self) -> None:
        """Have it opened when it is asked next."""
        self._helper.kept.pop(self._place.key, None)

    def _files(self) -> Any:
        kept = self._helper.kept
        if self._place.key not in kept:
            kept[self._place.key] = self._opened(self._place)
        return kept[self._place.key]


class Reach:
    """Gives the file systems of a scheme."""

    def __init__(self, scheme: str, options: Mapping[str, Any], *, by_host: bool) -> None:
        self._scheme = scheme
        self._told = {key: one for key, one in options.items() if key not in _OURS}
        self._target = str(options.get("target_protocol", "https"))
        self._by_host = by_host
        self._helpers = Helpers(slowest_of(options))
        is_web = scheme == "zip" and self._target in ("http", "https")
        of_web = {name: options[name] for name in OPTIONS if name in options}
        self._web = WebStorage.open(of_web) if is_web else None
        if self._web and options.get("target_options"):
            raise EnvironmentProblem(
                "the storage zip cannot have target_options for the web",
                hint="what they say would go on to wherever a server sends it",
            )

    def place(self, uri: str) -> Place:
        """Return where a URI leads."""
        return place_of(self._scheme, uri, self._target, by_host=self._by_host)

    @contextmanager
    def at(self, uri: str, etag: str = "", *, fresh: bool = False) -> Iterator[Files]:
        """Give the file system of a URI; what goes wrong with it is a ``StagingError``.

        ``fresh``: what knows its files from when it was opened is opened anew. A connection on
        which something went wrong is let go of.
        """
        secrets = [one for one in self._told.values() if isinstance(one, str)]
        with telling(uri, secrets, etag):
            place = self.place(uri)
            with self._helpers.one() as helper:
                files = Files(place, helper, self._opened)
                if fresh and self._scheme in NESTED:
                    files.anew()
                try:
                    yield files
                except Exception:
                    if self._by_host:
                        files.forget()
                    raise

    def close(self) -> None:
        """Let go of the connections."""
        self._helpers.close()
        if self._web is not None:
            self._web.close()

    def _opened(self, place: Place) -> Any:
        usual = _USUAL.get(self._scheme, _FRESH)
        given = {**usual, **place.given, **self._told}
        if self._web is not None:
            given["fo"] = web_file(self._web, place.given["fo"])
        files = fsspec.filesystem(self._scheme, skip_instance_cache=True, **given)
        if self._scheme in SSH:
            files.ftp.get_channel().settimeout(_PATIENCE)
        return files
