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
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.base.files import is_local, is_reference, local_path, map_files
from localproc.errors import StagingError
from localproc.storage import stac
from localproc.storage.access import Access, free_name, safe_name, verify
from localproc.storage.addresses import redacted
from localproc.storage.disk import telling
from localproc.uris import path_uri, unquoted, uri_path

_Log = Callable[[str], None]


def stage_in(
    inputs: Mapping[str, Any],
    folder: str,
    access: Access,
    log: _Log,
) -> dict[str, Any]:
    """Give the inputs with every file on this machine.

    ``folder`` is the job's own for inputs. Raises ``StagingError`` or ``NoSpace``.
    """
    return _StageIn(folder, access, log).run(inputs)


def linked_files(folder: str) -> list[str]:
    """Give the files of the user that were not copied into the folder for inputs, but linked to."""
    return [
        os.path.realpath(os.path.join(inner, name))
        for inner, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if os.path.islink(os.path.join(inner, name))
    ]


class _StageIn:
    def __init__(self, folder: str, access: Access, log: _Log) -> None:
        self._folder = folder
        self._access = access
        self._log = log
        self._name = ""
        self._count = 0

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        staged = {}
        for name, value in inputs.items():
            self._name = name
            is_whole = is_reference(value)
            staged[name] = self._value(value) if is_whole else map_files(value, self._one)
        return staged

    def _one(self, one: Mapping[str, Any]) -> dict[str, Any]:
        self._access.go_on()
        staged = dict(one)
        location = str(one.get("location", ""))
        if one.get("encoding") == "base64":
            return self._inline(one)
        if one["class"] == "Directory" and location and self._is_document(location):
            return self._item(location)
        if location and not is_local(one):
            staged |= self._file(location, str(one.get("basename") or "staged"))
        elif location:
            self._access.check_path(local_path(one))
            self._look(one)
        for part in ("secondaryFiles", "listing"):
            if part in staged:
                staged[part] = [self._one(inner) for inner in staged[part]]
        return staged

    def _value(self, reference: Mapping[str, Any]) -> Any:
        """Read an input's value from where it lies."""
        location = reference["location"]
        data = self._access.read(location)
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

    def _look(self, one: Mapping[str, Any]) -> None:
        path = local_path(one)
        if not os.path.exists(path):
            raise StagingError(f"{path} does not exist", uri=one["location"])
        self._log(f"{self._name}: {path}")

    def _is_document(self, location: str) -> bool:
        """A Directory that is not a folder here stands for the STAC item behind its URI."""
        return not location.startswith("file:") or not os.path.isdir(uri_path(location))

    def _file(self, location: str, basename: str) -> dict[str, Any]:
        name = safe_name(basename, "the name of an input")
        folder = self._next()
        target = os.path.join(folder, name)
        if not os.path.isdir(folder):
            with self._making(folder) as temporary:
                self._access.download(location, os.path.join(temporary, name))
        size = os.stat(target).st_size
        self._log(f"{self._name}: {redacted(location)} → {self._shown(target)} ({size} bytes)")
        return {"location": path_uri(target), "size": size, "basename": name}

    def _item(self, location: str) -> dict[str, Any]:
        shown = redacted(location)
        item = stac.checked_item(stac.parse(self._access.read(location), shown), shown)
        folder = self._next()
        if not os.path.isdir(folder):
            with self._making(folder) as temporary:
                self._fill(temporary, item, location)
        self._log(f"{self._name}: the STAC item {item['id']} → {self._shown(folder)}")
        return {
            "class": "Directory",
            "location": path_uri(folder),
            "basename": os.path.basename(folder),
        }

    def _fill(self, folder: str, item: Mapping[str, Any], location: str) -> None:
        inside = os.path.join(folder, item["id"])
        document = f"{item['id']}.json"
        os.makedirs(inside)
        names: dict[str, str] = {}
        for key, asset in item["assets"].items():
            self._access.go_on()
            uri = stac.absolute(asset["href"], location)
            name = posixpath.basename(unquoted(urlsplit(uri).path))
            name = safe_name(name, f"the file name of the asset {key!r}")
            names[key] = free_name(name, key, {document, *names.values()})
            self._asset(uri, asset, os.path.join(inside, names[key]), location)
        _write(os.path.join(inside, document), stac.staged_item(item, names))
        _write(os.path.join(folder, stac.CATALOG), stac.staged_catalog(item))

    def _asset(self, uri: str, asset: Mapping[str, Any], target: str, location: str) -> None:
        """Link a local asset, download any other; what the item says of it must be true."""
        shown = redacted(uri)
        if not uri.startswith("file:"):
            self._access.download(uri, target)
            verify(target, asset.get("file:size"), asset.get("file:checksum"), shown)
        elif not location.startswith("file:"):
            raise StagingError(
                f"the item {redacted(location)} has an asset on this machine", uri=shown
            )
        else:
            path = uri_path(uri)
            self._access.check_path(path)
            if not os.path.exists(path):
                raise StagingError(f"the asset {path} of {location} does not exist", uri=shown)
            os.symlink(path, target)
            if os.path.isfile(path):  # a Zarr store is a folder
                verify(path, asset.get("file:size"), None, shown)
        self._log(f"{self._name}: asset {shown}")

    @contextmanager
    def _making(self, folder: str) -> Iterator[str]:
        """Give a temporary folder, which becomes the folder if all goes well."""
        temporary = f"{folder}.{secrets.token_hex(4)}.part"
        with telling(folder):
            try:
                os.makedirs(temporary)
                yield temporary
                os.replace(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _shown(self, target: str) -> str:
        return os.path.relpath(target, os.path.dirname(self._folder))

    def _next(self) -> str:
        self._count += 1
        return os.path.join(self._folder, f"{self._name}_{self._count}")


def _write(path: str, document: Mapping[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
