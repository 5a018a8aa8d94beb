"""Results where they have been put.

Owns reading and downloading what a job has published, and telling that it is gone. Must not know
jobs, nor what results are.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from localproc.errors import NoSuchObject, ResultsGone, StagingError
from localproc.plugins.storage import Info, Storage, object_key
from localproc.spelling import public
from localproc.storage import catalog_layout, transfer_retries
from localproc.storage.addresses import redacted
from localproc.storage.disk import telling
from localproc.storage.transfers import together
from localproc.uris import is_below

_HINT: Final = "somebody has removed it; run the job again"


@public
class Published:
    """What lies below ``root``, the URI of the folder that a job's results are in."""

    def __init__(self, opening: Callable[[str], Storage], root: str) -> None:
        self._open = opening
        self._root = root

    def read(self, uri: str) -> bytes:
        """Return what is there; raises ``ResultsGone`` or ``StagingError``."""
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "object")
            self.fetch(uri, path)
            with open(path, "rb") as file:
                return file.read()

    def fetch(self, uri: str, path: str) -> Info:
        """Bring a file to a path; raises ``ResultsGone`` or ``StagingError``."""
        storage = self._open(uri)
        try:
            with telling(path):
                fetching = partial(storage.fetch, uri, path)
                return transfer_retries.retrying(
                    fetching, transfer_retries.READING, _never, lambda _: None
                )
        except NoSuchObject:
            raise ResultsGone(redacted(uri), hint=_HINT) from None

    def size(self, uri: str) -> int | None:
        """Return how many bytes a file has, ``None`` if it is gone; raises ``StagingError``."""
        found = self._open(uri).info(uri)
        return None if found is None else found.size

    def presign(self, uri: str, seconds: int) -> str | None:
        """Return a URL that anybody can read it at for ``seconds``, ``None`` if there is none."""
        return self._open(uri).presign(uri, seconds)

    def check(self, uris: Iterable[str]) -> None:
        """Raise ``ResultsGone`` for what is not there; what cannot be asked for may be there.

        What is none of the results is not looked for: a tool may have named any address.
        """
        for uri in uris:
            if not is_below(uri, self._root):
                continue
            try:
                is_gone = self._open(uri).info(uri) is None
            except StagingError:
                continue
            if is_gone:
                raise ResultsGone(redacted(uri), hint=_HINT)

    def below(self) -> list[str]:
        """Return the URIs of all that lies there."""
        return [one.uri for one in self._open(self._root).list(f"{self._root}/")]

    def download(self, uris: Iterable[str], folder: str, folders: Iterable[str] = ()) -> list[str]:
        """Bring files into a folder, at the places that they have there; return their paths.

        Catalogs, collections and items then lead to each other and to their assets in the folder.
        Each is there when it is whole. ``folders`` are there even if nothing is in them. Raises
        ``ResultsGone``, ``StagingError`` or ``NoSpace``.
        """
        for uri in folders:
            path = self._path(uri, folder)
            with telling(path):
                os.makedirs(path, exist_ok=True)
        return together([partial(self._download, uri, folder) for uri in uris], _never)

    def _download(self, uri: str, folder: str) -> str:
        path = self._path(uri, folder)
        with telling(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            part = f"{path}.{secrets.token_hex(8)}.part"  # no other result's name
            try:
                self.fetch(uri, part)
                if path.endswith(".json") and not self._root.startswith("file:"):
                    self._localize(uri, part)
                os.replace(part, path)
            except BaseException:
                if os.path.exists(part):
                    os.remove(part)
                raise
        return path

    def _path(self, uri: str, folder: str) -> str:
        """Return where a result lies in a folder; raises ``StagingError`` for what is none."""
        name = object_key(uri).removeprefix(object_key(self._root) + "/")
        if not uri.startswith(f"{self._root}/") or ".." in name.split("/"):
            raise StagingError(f"{redacted(uri)} is not among the results", uri=redacted(uri))
        return os.path.join(folder, name)

    def _localize(self, uri: str, path: str) -> None:
        """Make the links of a STAC document relative."""
        with open(path, encoding="utf-8") as file:
            try:
                document = json.load(file)
            except ValueError:
                return
        if isinstance(document, dict) and "stac_version" in document and "links" in document:
            moved = catalog_layout.relative(document, uri.rpartition("/")[0], self._root)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(moved, file, indent=2)


def _never() -> bool:
    return False
