"""The processes of a namespace.

Owns deploying packages, and revisions. Must not know jobs beyond whether a process has any that are
open.
"""

import dataclasses
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from localproc.cwl.load.carried import carried
from localproc.cwl.load.sources import digest
from localproc.cwl.load.wrapped import unwrapped
from localproc.engine.packages.own_files import named_places
from localproc.engine.packages.package_cache import PackageCache
from localproc.engine.packages.package_source import (
    UNNAMED,
    PackageSource,
    Reader,
    find_source,
    is_on_disk,
    same_texts,
)
from localproc.engine.packages.parts import NOWHERE
from localproc.errors import (
    DuplicatedProcess,
    ImmutableProcess,
    InvalidInputs,
    InvalidPackage,
    NoSuchProcess,
    ProcessInUse,
    StoreCorrupted,
)
from localproc.model import InputPolicy, ProcessRecord
from localproc.near import near
from localproc.ogc.apppkg import described_process
from localproc.ogc.author_schemas import AuthorSchemas
from localproc.ogc.describe import describe_process
from localproc.plugins.store import Store
from localproc.spelling import is_of_type
from localproc.storage.access import Access
from localproc.uris import uri_path

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{0,199}")


class WhoStages(StrEnum):
    """Whose steps stage in and out for a package that came wrapped with some."""

    OWN = "own"
    OURS = "ours"


class Registry:
    """Deploys and finds processes. ``allow_remote``: packages may include remote documents.

    ``access`` is the way to what lies elsewhere, under a policy.
    """

    def __init__(
        self,
        store: Store,
        namespace: str,
        package_cache: PackageCache,
        access: Callable[[InputPolicy], Access],
        *,
        allow_remote: bool,
    ) -> None:
        self._store = store
        self._package_cache = package_cache
        self._namespace = namespace
        self._access = access
        self._allow_remote = allow_remote
        #: The files that revisions name which were read, and perhaps never deployed.
        self._seen: dict[tuple[str, str], list[str]] = {}

    def deploy(
        self,
        package: object,
        *,
        process_id: str = "",
        fragment: str = "",
        replace: bool = True,
        mutable: bool = True,
        policy: InputPolicy | None = None,
        staging: str = WhoStages.OWN,
    ) -> ProcessRecord:
        """Make a package a process; deploying the same texts again changes nothing.

        ``staging``: whose steps bring inputs in and results out where it has some of its own.
        Raises ``DuplicatedProcess`` where a process is deployed and ``replace`` is false,
        ``ImmutableProcess`` where it may not be replaced.
        """
        source = _source(package, fragment)
        if _staging(staging) is WhoStages.OURS:
            source = self._unwrapped(source, policy or InputPolicy())
        unchanged = self._unchanged(source, process_id) if replace else None
        if unchanged is not None:
            return unchanged
        record = self._record(source, process_id, policy or InputPolicy(), mutable=mutable)
        current = self._stored(record.id)
        if current is not None:
            if not current.mutable and mutable:
                raise ImmutableProcess(
                    f"the process {record.id!r} cannot be replaced",
                    hint="deploy yours under another id",
                )
            if not replace:
                raise DuplicatedProcess(record.id)
            if current.revision == record.revision:
                return current
        if not self._store.put_process(record, if_absent=not replace):
            raise DuplicatedProcess(record.id)  # another process has deployed it just now
        return record

    def read(self, package: object, fragment: str = "") -> ProcessRecord:
        """Return what deploying a package would record, without recording it."""
        source = _source(package, fragment)
        return self._unchanged(source, "") or self._record(source, "", InputPolicy(), mutable=True)

    def _unwrapped(self, source: PackageSource, policy: InputPolicy) -> PackageSource:
        """Pick what a package wraps; one that is not wrapped is as it is."""
        loaded, _ = self._reader(policy).read(source)
        inner = unwrapped(loaded.resolved)
        return dataclasses.replace(source, fragment=inner) if inner else source

    def _record(
        self, source: PackageSource, process_id: str, policy: InputPolicy, *, mutable: bool
    ) -> ProcessRecord:
        """Return a package as a process; raises ``InvalidPackage`` or ``UnsupportedPackage``."""
        name = check_id(process_id) if process_id else ""
        may_be_known = is_on_disk(source) and policy == InputPolicy()
        record = self._package_cache.find(source) if may_be_known else None
        if record is None:
            record = self._loaded(source, policy)
            if may_be_known:
                self._package_cache.keep(source, record)
        name = name or record.id
        return dataclasses.replace(
            record,
            id=name,
            namespace=self._namespace,
            revision=self._revision(record, name),
            mutable=mutable,
            deployed=datetime.now(UTC),
            description={**record.description, "id": name},
        )

    def _revision(self, record: ProcessRecord, name: str) -> str:
        """Return the revision of a package: another one if its files are not the known one's.

        The same document in another folder names other files, if it names any.
        """
        places = named_places(record.resolved)
        if not places:
            return record.revision
        known = self._stored(name, record.revision)
        seen = self._seen.setdefault((name, record.revision), places)
        if places == (seen if known is None else named_places(known.resolved)):
            return record.revision
        text = "\0".join([record.revision, *places])
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()

    def _loaded(self, source: PackageSource, policy: InputPolicy) -> ProcessRecord:
        """Load and check a package; raises ``InvalidPackage`` or ``UnsupportedPackage``."""
        from localproc.cwl.check.check import check

        entry = source.entry
        loaded, source = self._reader(policy).read(source)
        check(loaded)
        resolved = loaded.resolved
        if source.uri.startswith(NOWHERE):
            resolved = carried(resolved, NOWHERE, source.parts)
        texts = {**source.deposit, **loaded.sources.named()}
        revision = digest(texts, resolved["main"])
        derived = describe_process(resolved, revision)
        described = described_process(derived, source.described, loaded.sources.name(source.uri))
        AuthorSchemas(loaded.main["inputs"], described["inputs"])
        asked = source.process_id
        name = check_id(asked) if asked else _id_like(derived["id"])
        if not asked and source.uri.startswith(NOWHERE) and name == UNNAMED:
            name = f"process-{revision[:8]}"  # or all that came without an id would have the same
        return ProcessRecord(
            id=name,
            namespace=self._namespace,
            version=described["version"],
            revision=revision,
            title=described["title"],
            mutable=True,
            deployed=datetime.now(UTC),
            description=described,
            resolved=resolved,
            texts=texts,
            media_type=source.media_type,
            entry=entry,
        )

    def undeploy(self, process_id: str, *, force: bool = False) -> None:
        """Take a process away; its jobs and their history stay.

        Raises ``NoSuchProcess``, ``ImmutableProcess``, or ``ProcessInUse`` without ``force``.
        """
        try:
            mutable = self.get(process_id).mutable
        except StoreCorrupted:
            mutable = True
        if not mutable:
            raise ImmutableProcess(f"the process {process_id!r} cannot be undeployed")
        count = self._store.open_jobs(self._namespace, process_id)
        if count and not force:
            raise ProcessInUse(
                f"the process {process_id!r} has {count} jobs that have not ended",
                hint="dismiss them, or force it",
            )
        self._store.remove_process(self._namespace, process_id)

    def _stored(self, process_id: str, revision: str | None = None) -> ProcessRecord | None:
        """Return a process, its current revision if none is named; ``None`` for a damaged one."""
        try:
            return self._store.process(self._namespace, process_id, revision)
        except StoreCorrupted:
            return None

    def get(self, process_id: str, revision: str | None = None) -> ProcessRecord:
        """Return a process, its current revision if none is named.

        Raises ``NoSuchProcess`` or ``StoreCorrupted``.
        """
        if not is_of_type(process_id, str):
            raise NoSuchProcess(process_id, hint="an id is a text: deploy a package to have one")
        found = self._store.process(self._namespace, process_id, revision)
        if found is None and revision is not None:
            raise NoSuchProcess(process_id, hint=f"there is no revision {revision} of it")
        if found is None:
            known = [one.id for one in self.all()]
            there = ", ".join(known) or "none, deploy a package first"
            raise NoSuchProcess(process_id, hint=near(process_id, known, f"deployed: {there}"))
        return found

    def all(self) -> list[ProcessRecord]:
        """Return all processes, by id; those that cannot be read are told in the log."""
        return self._store.processes(self._namespace)

    def _reader(self, policy: InputPolicy) -> Reader:
        return Reader(self._access(policy), remote=self._allow_remote)

    def _unchanged(self, source: PackageSource, process_id: str) -> ProcessRecord | None:
        """Find the process that was made of just these files: nothing needs to be parsed then."""
        if not is_on_disk(source):
            return None
        folder = os.path.dirname(uri_path(source.uri))
        for record in self._store.processes_from(self._namespace, source.entry):
            if process_id in ("", record.id) and same_texts(record.texts, folder):
                return record
        return None


def _staging(name: str) -> WhoStages:
    try:
        return WhoStages(name)
    except ValueError:
        raise InvalidInputs(f"staging is {name!r}; it is own or ours") from None


def _source(package: object, fragment: str) -> PackageSource:
    source = package if isinstance(package, PackageSource) else find_source(package)
    return dataclasses.replace(source, fragment=fragment or source.fragment)


def _id_like(name: str) -> str:
    """Make an id of whatever a document calls its process, another one of another name.

    Marks are taken off letters; letters of other scripts are told apart by a digest.
    """
    plain = "".join(
        one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one)
    )
    found = re.sub(r"[^A-Za-z0-9._~+-]+", "-", plain).strip("._~+-")[:180]
    if any(one.isalnum() and not one.isascii() for one in plain):
        found = f"{found or 'process'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return found or "process"


def check_id(process_id: str) -> str:
    """Return an id that can be a part of a URL; raises ``InvalidPackage`` for any other."""
    if _ID.fullmatch(process_id):
        return process_id
    raise InvalidPackage(
        f"{process_id!r} cannot be the id of a process",
        hint="an id has letters, digits and . _ - ~ + alone, at most 200, and begins with none "
        "of these marks",
    )
