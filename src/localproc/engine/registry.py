"""The processes of a namespace.

Owns deploying packages in all the forms they come in, and revisions. Must not know jobs beyond
whether a process has any that are open.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urlsplit

from localproc.cwl.describe import describe_process
from localproc.cwl.files import path_uri, uri_path
from localproc.cwl.sources import Read, Sources
from localproc.errors import (
    DuplicatedProcess,
    ImmutableProcess,
    InvalidPackage,
    NoSuchProcess,
    ProcessInUse,
)
from localproc.model import InputPolicy, ProcessRecord
from localproc.plugins.store import Store

if TYPE_CHECKING:
    from localproc.cwl.check import Findings


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Where a package's entry is, its fragment, and its bytes if they were handed over."""

    uri: str
    fragment: str
    data: bytes | None
    media_type: str


class Registry:
    """Deploys and finds processes. ``remote`` reads documents from elsewhere, if it is given."""

    def __init__(self, store: Store, namespace: str, remote: Read | None = None) -> None:
        self._store = store
        self._namespace = namespace
        self._read = reader(remote)

    def load(self, package: object, fragment: str = "") -> tuple[Any, str]:
        """Load and check a package; give it and the media type of its entry.

        Raises ``InvalidPackage`` or ``UnsupportedPackage``.
        """
        from localproc.cwl.check import check
        from localproc.cwl.load import load

        source = find_source(package)
        texts = {} if source.data is None else {source.uri: source.data}
        loaded = load(Sources(source.uri, self._read, texts), fragment or source.fragment)
        check(loaded)
        return loaded, source.media_type

    def deploy(
        self,
        package: object,
        *,
        process_id: str = "",
        fragment: str = "",
        replace: bool = True,
        mutable: bool = True,
    ) -> ProcessRecord:
        """Make a package a process; deploying the same texts again changes nothing.

        Raises ``DuplicatedProcess`` where another revision is deployed and ``replace`` is false,
        ``ImmutableProcess`` where it may not be replaced.
        """
        unchanged = self._unchanged(package, process_id, fragment)
        if unchanged is not None:
            return unchanged
        loaded, media_type = self.load(package, fragment)
        digest = loaded.sources.digest()
        description = describe_process(loaded.resolved, digest)
        name = process_id or description["id"]
        current = self._store.process(self._namespace, name)
        if current is not None:
            if current.revision == digest and current.resolved["main"] == loaded.resolved["main"]:
                return current
            if not current.mutable:
                raise ImmutableProcess(f"the process {name!r} cannot be replaced")
            if not replace:
                raise DuplicatedProcess(
                    f"a process {name!r} is deployed already", hint="replace it, or undeploy it"
                )
        record = ProcessRecord(
            id=name,
            namespace=self._namespace,
            version=description["version"],
            revision=digest,
            title=description["title"],
            mutable=mutable,
            deployed=datetime.now(UTC),
            description={**description, "id": name},
            resolved=loaded.resolved,
            texts=loaded.sources.named(),
            media_type=media_type,
            entry=_entry(find_source(package), fragment),
        )
        self._store.put_process(record)
        return record

    def undeploy(self, process_id: str, *, force: bool = False) -> None:
        """Take a process away; its jobs and their history stay.

        Raises ``NoSuchProcess``, ``ImmutableProcess``, or ``ProcessInUse`` without ``force``.
        """
        if not self.get(process_id).mutable:
            raise ImmutableProcess(f"the process {process_id!r} cannot be undeployed")
        count = self._store.open_jobs(self._namespace, process_id)
        if count and not force:
            raise ProcessInUse(
                f"the process {process_id!r} has {count} jobs that have not ended",
                hint="dismiss them, or force it",
            )
        self._store.remove_process(self._namespace, process_id)

    def get(self, process_id: str) -> ProcessRecord:
        """Give a process; raises ``NoSuchProcess``."""
        found = self._store.process(self._namespace, process_id)
        if found is None:
            import difflib

            known = [one.id for one in self.all()]
            close = difflib.get_close_matches(process_id, known, 1)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else f"deployed: {', '.join(known) or 'none'}"
            )
            raise NoSuchProcess(process_id, hint=hint)
        return found

    def all(self) -> list[ProcessRecord]:
        """Give all processes, by id."""
        return self._store.processes(self._namespace)

    def _unchanged(self, package: object, process_id: str, fragment: str) -> ProcessRecord | None:
        """Find the process that was made of just these files: nothing needs to be parsed then."""
        source = find_source(package)
        if source.data is not None or urlsplit(source.uri).scheme != "file":
            return None
        entry = _entry(source, fragment)
        folder = os.path.dirname(uri_path(source.uri))
        for record in self._store.processes_from(self._namespace, entry):
            if process_id in ("", record.id) and _same_texts(record.texts, folder):
                return record
        return None


def reader(remote: Read | None) -> Read:
    """Give what reads the documents of packages: files here, others only if ``remote`` is given."""

    def read(uri: str) -> bytes:
        if urlsplit(uri).scheme == "file":
            with open(uri_path(uri), "rb") as file:
                return file.read()
        if remote is None:
            raise InvalidPackage(
                f"{uri} is not on this machine",
                hint="documents on the network are read with allow_remote=True (--allow-remote)",
            )
        return remote(uri)

    return read


def examine(package: object, *, allow_remote: bool = False) -> "Findings":
    """Check a package without deploying it; raises ``PackageError`` if it cannot even be loaded."""
    from localproc.cwl import check
    from localproc.cwl.load import load
    from localproc.storage.access import Access
    from localproc.storage.web import WebStorage

    source = find_source(package)
    remote = Access(lambda *_: WebStorage(), InputPolicy()).read if allow_remote else None
    texts = {} if source.data is None else {source.uri: source.data}
    return check.examine(load(Sources(source.uri, reader(remote), texts), source.fragment))


def find_source(package: object) -> PackageSource:
    """Say where a package is: a path or URL, perhaps with ``#fragment``; its text; a mapping.

    A text is told from a path by its line breaks. A mapping may also be a cwl-utils object.
    """
    save = getattr(package, "save", None)
    if callable(save):
        package = save()
    if isinstance(package, Mapping):
        data = json.dumps(package, indent=2).encode()
        return PackageSource(_here("package.json"), "", data, "application/cwl+json")
    if isinstance(package, bytes):
        is_json = package.lstrip()[:1] == b"{"
        kind, name = ("json", "package.json") if is_json else ("yaml", "package.cwl")
        return PackageSource(_here(name), "", package, f"application/cwl+{kind}")
    text = str(package)
    if isinstance(package, str) and "\n" in text:
        return find_source(text.encode())
    path, fragment = urldefrag(text)
    if urlsplit(text).scheme in ("http", "https", "file"):
        return PackageSource(path, fragment, None, _media_type(path))
    if os.path.exists(text):  # a "#" may be part of the name
        path, fragment = text, ""
    uri = path_uri(os.path.abspath(os.path.expanduser(path)))
    return PackageSource(uri, fragment, None, _media_type(path))


def _entry(source: PackageSource, fragment: str) -> str:
    name = fragment or source.fragment
    return "" if source.data is not None else f"{source.uri}#{name}" if name else source.uri


def _media_type(path: str) -> str:
    return "application/cwl+json" if path.endswith(".json") else "application/cwl+yaml"


def _here(name: str) -> str:
    return path_uri(os.path.join(os.getcwd(), name))


def _same_texts(texts: Mapping[str, bytes], folder: str) -> bool:
    for name, data in texts.items():
        if urlsplit(name).scheme:
            return False  # it may have changed where it comes from
        try:
            with open(os.path.join(folder, name), "rb") as file:
                if file.read() != data:
                    return False
        except OSError:
            return False
    return True
