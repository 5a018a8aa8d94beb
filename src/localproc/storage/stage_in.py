"""Bringing a job's inputs to where its tools can read them.

Owns File and Directory inputs from paths and URIs, and which of them are STAC documents. Must not
know which storage a URI belongs to, nor jobs.

Everything is made in a temporary folder and renamed: a failure leaves nothing behind, and what is
there is complete.
"""

import base64
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from localproc.cwl.base.files import ARCHIVE, is_local, is_reference, local_path, map_files
from localproc.cwl.base.literals import name_of
from localproc.cwl.base.reading import read_written_json
from localproc.errors import NoSuchObject, NotMirrored, StagingError, StorageUnavailable
from localproc.plugins.storage import Info, object_key
from localproc.storage.access import Access, Document, scheme_of
from localproc.storage.addresses import redacted
from localproc.storage.asset_choice import AssetChoice
from localproc.storage.disk import is_there
from localproc.storage.integrity import verify_input, verify_literal
from localproc.storage.names import safe_name
from localproc.storage.staging_folders import StagingFolders
from localproc.storage.transfers import together
from localproc.uris import data_of, is_data, path_uri, uri_path

if TYPE_CHECKING:
    from localproc.storage.stac_in import StacIn

_Log = Callable[[str], None]
#: Where a Directory that stands for several has them, until they take its place.
_EACH: Final = "/each"


def stage_in(
    inputs: Mapping[str, Any],
    folder: str,
    access: Access,
    log: _Log,
    assets: str = "",
) -> dict[str, Any]:
    """Return the inputs with every file on this machine.

    ``folder`` is the job's own for inputs. ``assets`` says which assets of items are wanted (see
    ``asset_choice``). Raises ``StagingError`` or ``NoSpace``.
    """
    with ExitStack() as unfinished:
        choice = AssetChoice.read(assets)
        return _StageIn(folder, access, log, unfinished, choice).run(inputs)


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

    def __init__(
        self,
        folder: str,
        access: Access,
        log: _Log,
        unfinished: ExitStack,
        choice: AssetChoice,
    ) -> None:
        self._access = access
        self._log = log
        self._name = ""
        self._count = 0
        self._fetches: list[Callable[[], None]] = []
        self._parts: list[Callable[[], None]] = []
        self._folders = StagingFolders(folder, access.go_on, log, unfinished)
        self._choice = choice

    @cached_property
    def _stac(self) -> "StacIn":
        from localproc.storage.stac_in import StacIn

        return StacIn(self._access, self._folders, self._parts, self._choice, self._log)

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        staged = {}
        for name, value in inputs.items():
            self._name = name
            is_whole = is_reference(value)
            staged[name] = self._value(value) if is_whole else self._files(value)
        together(self._fetches, self._access.stopped)
        together(self._parts, self._access.stopped)
        self._folders.end_all()
        return {name: _expanded(value) for name, value in staged.items()}

    def _files(self, value: Any) -> Any:
        """Return a value with its files staged; Directories in an array are items of it."""
        if isinstance(value, list):
            return [
                self._directory(one, several=True)
                if self._is_elsewhere_directory(one)
                else self._files(one)
                for one in value
            ]
        return map_files(value, self._one)

    def _is_elsewhere_directory(self, one: Any) -> bool:
        is_directory = isinstance(one, Mapping) and one.get("class") == "Directory"
        location = str(one.get("location", "")) if is_directory else ""
        return bool(location) and self._is_elsewhere(location)

    def _one(self, one: Mapping[str, Any]) -> dict[str, Any]:
        self._access.go_on()
        staged = dict(one)
        location = str(one.get("location", ""))
        if one.get("encoding") == "base64":
            return self._inline(one)
        if self._is_elsewhere_directory(one):
            return self._directory(one)
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
            return data.decode() if reference["text"] else read_written_json(data)
        except ValueError as error:
            kind = "text in UTF-8" if reference["text"] else "JSON"
            raise StagingError(
                f"{redacted(location)}, the value of {self._name}, is not {kind}: {error}",
                uri=redacted(location),
            ) from None

    def _inline(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Write a file whose contents came with the request, in base64."""
        name = name_of(one, "input")
        data = base64.b64decode(one["contents"])
        folder = self._next()
        if not os.path.isdir(folder):
            with self._folders.making(folder) as new, open(os.path.join(new, name), "wb") as file:
                file.write(data)
        self._log(f"{self._name}: {len(data)} bytes that came with the request")
        location = path_uri(os.path.join(folder, name))
        rest = {key: item for key, item in one.items() if key not in ("contents", "encoding")}
        return {**rest, "location": location, "basename": name, "size": len(data)}

    def _look(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of a file on this machine once it has been looked at."""
        path = local_path(one)
        if not is_there(path):
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
                with self._folders.making(folder) as temporary:
                    path = os.path.join(temporary, name)
                    real = self._access.download(location, path, lambda: verify_input(given, path))
            staged.update(real)
            staged["size"] = size = os.stat(target).st_size
            self._log(f"{label}: {shown} → {self._folders.shown(target)} ({size} bytes)")

        self._fetches.append(fetch)

    # Directories

    def _directory(self, one: Mapping[str, Any], *, several: bool = False) -> dict[str, Any]:
        """Have what is at a location brought into a folder.

        ``several``: if it stands for more than one item, each of them into a folder of its own.
        """
        if ARCHIVE in one:
            return self._unpacked(one)
        location = str(one["location"])
        folder, label = self._next(), self._name
        directory: dict[str, Any] = {"class": "Directory", **_named(folder)}

        def fetch() -> None:
            from localproc.storage.stac_items import items_of  # few inputs are folders elsewhere

            try:
                document = self._document(location)
            except (NoSuchObject, StorageUnavailable) as error:
                self._tree(folder, location, label, self._objects(location, error))
                return
            items = items_of(document, self._access.read, self._choice.items)
            if not several or len(items) == 1:
                self._stac.bring(folder, items, label)
                return
            folders = [f"{folder}-{number}" for number in range(1, len(items) + 1)]
            for each, item in zip(folders, items, strict=True):
                if not os.path.isdir(each):
                    self._stac.bring(each, [item], label)
            directory[_EACH] = [{"class": "Directory", **_named(each)} for each in folders]

        if os.path.isdir(folder):
            self._log(f"{label}: {redacted(location)} is there already")
        else:
            self._fetches.append(fetch)
        return directory

    def _unpacked(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Have an archive become a folder: what is in it, or the only folder that is in it."""
        location, folder, label = str(one["location"]), self._next(), self._name
        directory: dict[str, Any] = {"class": "Directory", **_named(folder)}

        def fetch() -> None:
            if not os.path.isdir(folder):
                with self._folders.making(folder) as temporary:
                    self._access.unpack(location, one[ARCHIVE], temporary)
            inside = os.listdir(folder)
            only = os.path.join(folder, *inside)
            if len(inside) == 1 and os.path.isdir(only):
                directory.update(_named(only))
            self._log(f"{label}: {redacted(location)}, unpacked → {self._folders.shown(folder)}")

        self._fetches.append(fetch)
        return directory

    def _document(self, location: str) -> Document:
        """Read a document, or take it as it is in the request (RFC 2397)."""
        if is_data(location):
            return Document(data_of(location)[0], "data:,inline")
        return self._access.read(location)

    def _objects(self, location: str, why: StagingError) -> list[Info]:
        """List what lies below a location where there is no document, or nobody can be asked."""
        if scheme_of(location) in ("file", "http", "https"):
            raise why
        if isinstance(why, NoSuchObject):
            try:
                return self._access.below(location)
            except NotMirrored:
                raise why from None  # it has the name that was asked for, not that of a folder
        known = self._access.remembered_below(location)
        if known is None:
            raise why
        return known

    def _tree(self, folder: str, location: str, label: str, objects: list[Info]) -> None:
        """Have every object below a prefix fetched into a folder of the same shape."""
        top = object_key(location).rstrip("/") + "/"
        temporary = self._folders.begin(folder)
        for one in objects:
            name = object_key(one.uri).removeprefix(top)
            parts = [safe_name(part, "the name of an input") for part in name.split("/") if part]
            path = os.path.join(temporary, *parts)
            if name.endswith("/") or not parts:  # some make an empty object stand for a folder
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._parts.append(partial(self._download, one.uri, path))
        to = f"{self._folders.shown(folder)} ({len(objects)} objects)"
        self._folders.end(folder, temporary, f"{label}: {redacted(location)}/ → {to}")

    def _download(self, uri: str, path: str) -> None:
        self._access.download(uri, path, lambda: None)

    def _next(self) -> str:
        self._count += 1
        name = self._name.strip("/").replace("/", "_")  # it stays in the folder, whatever it is
        return os.path.join(self._folders.top, f"{name}_{self._count}")


def _named(folder: str) -> dict[str, str]:
    return {"location": path_uri(folder), "basename": os.path.basename(folder)}


def _expanded(value: Any) -> Any:
    """Return a value with each item of a document in the place of the document."""
    if not isinstance(value, list):
        return value
    found: list[Any] = []
    for one in value:
        found += one[_EACH] if isinstance(one, Mapping) and _EACH in one else [_expanded(one)]
    return found
