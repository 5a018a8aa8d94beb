"""Bringing a job's inputs to where its tools can read them.

Owns File and Directory inputs from paths and URIs, and STAC items that become local catalogs (the
layout of EOEPCA's stage-in: ``catalog.json``, ``<id>/<id>.json`` and the assets beside it). Must
not know which storage a URI belongs to, nor jobs.

Everything is made in a temporary folder and renamed: a failure leaves nothing behind, and what is
there is complete.
"""

import base64
import json
import os
import posixpath
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.base.files import is_local, is_reference, local_path, map_files
from localproc.errors import NoSuchObject, StagingError
from localproc.plugins.storage import Info, object_key
from localproc.storage import stac
from localproc.storage.access import Access, Document, scheme_of
from localproc.storage.addresses import redacted
from localproc.storage.disk import telling
from localproc.storage.integrity import verify_asset, verify_input, verify_literal
from localproc.storage.names import free_name, link_name, safe_name
from localproc.storage.transfers import together
from localproc.uris import path_uri, unquoted, uri_path

_Log = Callable[[str], None]


def stage_in(
    inputs: Mapping[str, Any],
    folder: str,
    access: Access,
    log: _Log,
) -> dict[str, Any]:
    """Return the inputs with every file on this machine.

    ``folder`` is the job's own for inputs. Raises ``StagingError`` or ``NoSpace``.
    """
    with ExitStack() as unfinished:
        return _StageIn(folder, access, log, unfinished).run(inputs)


def linked_files(folder: str) -> list[str]:
    """Return the files of the user that were not copied into the folder for inputs, but linked."""
    return [
        os.path.realpath(os.path.join(inner, name))
        for inner, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if os.path.islink(os.path.join(inner, name))
    ]


class _StageIn:
    """Inputs on their way in.

    First every object is given its place, then all of them are fetched, several at a time: files
    and documents, then what the documents name.
    """

    def __init__(self, folder: str, access: Access, log: _Log, unfinished: ExitStack) -> None:
        self._folder = folder
        self._access = access
        self._log = log
        self._unfinished = unfinished
        self._name = ""
        self._count = 0
        self._fetches: list[Callable[[], None]] = []
        self._parts: list[Callable[[], None]] = []
        self._finish: list[Callable[[], None]] = []

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        staged = {}
        for name, value in inputs.items():
            self._name = name
            is_whole = is_reference(value)
            staged[name] = self._value(value) if is_whole else map_files(value, self._one)
        together(self._fetches, self._access.stopped)
        together(self._parts, self._access.stopped)
        for finish in self._finish:
            finish()
        return staged

    def _one(self, one: Mapping[str, Any]) -> dict[str, Any]:
        self._access.go_on()
        staged = dict(one)
        location = str(one.get("location", ""))
        if one.get("encoding") == "base64":
            return self._inline(one)
        if one["class"] == "Directory" and location and self._is_elsewhere(location):
            return self._directory(location)
        if location and not is_local(one):
            self._file(staged, location)
        elif location:
            self._access.check_path(local_path(one))
            staged |= self._look(one)
        elif one["class"] == "File" and isinstance(one.get("contents"), str):
            staged |= verify_literal(one)
        for part in ("secondaryFiles", "listing"):
            if part in staged:
                staged[part] = [self._one(inner) for inner in staged[part]]
        return staged

    def _value(self, reference: Mapping[str, Any]) -> Any:
        """Read an input's value from where it lies."""
        location = reference["location"]
        (document,) = together([lambda: self._access.read(location)], self._access.stopped)
        data = document.data
        self._log(f"{self._name}: {redacted(location)} ({len(data)} bytes)")
        try:
            return data.decode() if reference["text"] else json.loads(data)
        except ValueError as error:
            kind = "text in UTF-8" if reference["text"] else "JSON"
            raise StagingError(
                f"{redacted(location)}, the value of {self._name}, is not {kind}: {error}",
                uri=redacted(location),
            ) from None

    def _inline(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Write a file whose contents came with the request, in base64."""
        name = safe_name(str(one["basename"]), "the name of an input")
        data = base64.b64decode(one["contents"])
        folder = self._next()
        if not os.path.isdir(folder):
            with self._making(folder) as new, open(os.path.join(new, name), "wb") as file:
                file.write(data)
        self._log(f"{self._name}: {len(data)} bytes that came with the request")
        location = path_uri(os.path.join(folder, name))
        rest = {key: item for key, item in one.items() if key not in ("contents", "encoding")}
        return {**rest, "location": location, "basename": name, "size": len(data)}

    def _look(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of a file on this machine once it has been looked at."""
        path = local_path(one)
        if not _is_there(path):
            raise StagingError(f"{path} does not exist", uri=one["location"])
        self._log(f"{self._name}: {path}")
        return verify_input(one, path) if one["class"] == "File" else {}

    def _is_elsewhere(self, location: str) -> bool:
        """A Directory that is no folder here is a STAC item, or all objects below a prefix."""
        return not location.startswith("file:") or not os.path.isdir(uri_path(location))

    def _file(self, staged: dict[str, Any], location: str) -> None:
        name = safe_name(str(staged.get("basename") or "staged"), "the name of an input")
        given = dict(staged)
        folder, label, shown = self._next(), self._name, redacted(location)
        target = os.path.join(folder, name)
        staged |= {"location": path_uri(target), "basename": name}

        def fetch() -> None:
            if os.path.isdir(folder):
                real = verify_input(given, target)
            else:
                with self._making(folder) as temporary:
                    path = os.path.join(temporary, name)
                    self._access.download(location, path)
                    real = verify_input(given, path)
            staged.update(real)
            staged["size"] = size = os.stat(target).st_size
            self._log(f"{label}: {shown} → {self._shown(target)} ({size} bytes)")

        self._fetches.append(fetch)

    # Directories

    def _directory(self, location: str) -> dict[str, Any]:
        folder, label = self._next(), self._name

        def fetch() -> None:
            try:
                document = self._access.read(location)
            except NoSuchObject as error:
                self._tree(folder, location, label, self._objects(location, error))
            else:
                self._item(folder, location, label, document)

        if os.path.isdir(folder):
            self._log(f"{label}: {redacted(location)} is there already")
        else:
            self._fetches.append(fetch)
        name = os.path.basename(folder)
        return {"class": "Directory", "location": path_uri(folder), "basename": name}

    def _objects(self, location: str, missing: NoSuchObject) -> list[Info]:
        """List what lies below a location where there is no document."""
        if scheme_of(location) in ("file", "http", "https"):
            raise missing
        return self._access.below(location)

    def _tree(self, folder: str, location: str, label: str, objects: list[Info]) -> None:
        """Have every object below a prefix fetched into a folder of the same shape."""
        top = object_key(location).rstrip("/") + "/"
        temporary = self._begin(folder)
        for one in objects:
            name = object_key(one.uri).removeprefix(top)
            parts = [safe_name(part, "the name of an input") for part in name.split("/") if part]
            path = os.path.join(temporary, *parts)
            if name.endswith("/") or not parts:  # some make an empty object stand for a folder
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._parts.append(partial(self._download, one.uri, path))
        shown = f"{label}: {redacted(location)}/ → {self._shown(folder)} ({len(objects)} objects)"
        self._end(folder, temporary, shown)

    def _download(self, uri: str, path: str) -> None:
        self._access.download(uri, path)

    def _item(self, folder: str, location: str, label: str, document: Document) -> None:
        """Have an item's assets brought beside it."""
        shown = redacted(location)
        item = stac.checked_item(stac.parse(document.data, shown), shown)
        if safe_name(item["id"], "the id of an item") in (stac.CATALOG, stac.COLLECTION):
            raise StagingError(f"{item['id']!r} cannot be the id of an item", uri=shown)
        temporary = self._begin(folder)
        folder_name = link_name(item["id"])
        inside = os.path.join(temporary, folder_name)
        name = f"{folder_name}.json"
        os.makedirs(inside)
        names: dict[str, str] = {}
        for key, asset in item["assets"].items():
            uri = stac.absolute(asset["href"], document.uri)
            wanted = posixpath.basename(unquoted(urlsplit(uri).path))
            wanted = safe_name(wanted, f"the file name of the asset {key!r}")
            names[key] = free_name(link_name(wanted), link_name(key), {name, *names.values()})
            self._parts.append(self._asset(uri, asset, f"{inside}/{names[key]}", location, label))
        _write(os.path.join(inside, name), stac.staged_item(item, names))
        _write(os.path.join(temporary, stac.CATALOG), stac.staged_catalog(item, folder_name))
        self._end(folder, temporary, f"{label}: the STAC item {item['id']} → {self._shown(folder)}")

    def _asset(
        self, uri: str, asset: Mapping[str, Any], target: str, location: str, label: str
    ) -> Callable[[], None]:
        """Link a local asset, download any other; what the item says of it must be true."""
        shown = redacted(uri)
        said = asset.get("file:size"), asset.get("file:checksum")

        def bring() -> None:
            if not uri.startswith("file:"):
                self._access.download(uri, target)
                verify_asset(target, *said, shown)
            elif not location.startswith("file:"):
                raise StagingError(
                    f"the item {redacted(location)} has an asset on this machine", uri=shown
                )
            else:
                path = uri_path(uri)
                self._access.check_path(path)
                if not _is_there(path):
                    raise StagingError(f"the asset {path} of {location} does not exist", uri=shown)
                os.symlink(path, target)
                if os.path.isfile(path):  # a Zarr store is a folder
                    verify_asset(path, *said, shown)
            self._log(f"{label}: asset {shown}")

        return bring

    # Folders, which are there when they are complete

    def _begin(self, folder: str) -> str:
        """Make a temporary folder, which is removed unless it is ended."""
        self._access.go_on()
        temporary = f"{folder}.{secrets.token_hex(4)}.part"
        self._unfinished.callback(shutil.rmtree, temporary, ignore_errors=True)
        with telling(folder):
            os.makedirs(temporary)
        return temporary

    def _end(self, folder: str, temporary: str, told: str) -> None:
        def end() -> None:
            with telling(folder):
                os.replace(temporary, folder)
            self._log(told)

        self._finish.append(end)

    @contextmanager
    def _making(self, folder: str) -> Iterator[str]:
        """Give a temporary folder, which becomes the folder if all goes well."""
        temporary = self._begin(folder)
        with telling(folder):
            yield temporary
            self._access.go_on()
            os.replace(temporary, folder)

    def _shown(self, target: str) -> str:
        return os.path.relpath(target, os.path.dirname(self._folder))

    def _next(self) -> str:
        self._count += 1
        name = self._name.strip("/").replace("/", "_")  # it stays in the folder, whatever it is
        return os.path.join(self._folder, f"{name}_{self._count}")


def _is_there(path: str) -> bool:
    """Whether there is anything; raises ``StagingError`` if that cannot be told."""
    with telling(path):
        try:
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
    return True


def _write(path: str, document: Mapping[str, Any]) -> None:
    with telling(path), open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
