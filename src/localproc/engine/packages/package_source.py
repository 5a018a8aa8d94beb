"""The forms in which packages arrive, and reading them.

Owns telling a path from a text, an application package from a CWL document, and which documents may
be read. Must not know what is deployed.
"""

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urldefrag, urlsplit

from localproc.cwl.base.reading import check_depth
from localproc.cwl.load.sources import Read, Sources
from localproc.engine.container_runtimes import Containers
from localproc.engine.home.cwd import check_current_folder, current_folder
from localproc.engine.packages.archive import MAGIC, ZIP, read_archive
from localproc.engine.packages.own_files import missing_files
from localproc.engine.packages.parts import NOWHERE, Parts, main_of, part_uri
from localproc.engine.packages.well_known import well_known
from localproc.errors import InvalidPackage
from localproc.frozen import frozen
from localproc.model import InputPolicy
from localproc.ogc.apppkg import MEDIA_TYPE, YAML_MEDIA_TYPE, is_apppkg, read_apppkg
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.manager import PluginManager
from localproc.plugins.storage import StoragePlugin
from localproc.storage.access import Access
from localproc.storage.open_storages import StorageOptions, Storages
from localproc.uris import is_absolute, joined_uri, path_uri, uri_path

if TYPE_CHECKING:
    from localproc.cwl.check.check import Findings
    from localproc.cwl.load.load import Package

#: What documents that are handed over are called, if they do not say so themselves.
UNNAMED: Final = "package"


@frozen
class PackageSource:
    """Where a package's entry is, and what of it was handed over.

    ``uri`` is the entry's, ``fragment`` picks a process of it, ``data`` are its bytes. ``parts``
    are further documents by URI. ``deposit`` is the application package that the entry came in,
    by its name; ``process_id`` and ``described`` are what that says of the process.
    """

    uri: str
    fragment: str = ""
    data: bytes | None = None
    media_type: str = ""
    parts: Mapping[str, bytes] = field(default_factory=dict)
    deposit: Mapping[str, bytes] = field(default_factory=dict)
    process_id: str = ""
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> str:
        """What is remembered of where it came from; nothing if it was handed over."""
        if self.data is not None:
            return ""
        return f"{self.uri}#{self.fragment}" if self.fragment else self.uri


def find_source(package: object, base: str = "") -> PackageSource:
    """Say where a package is: a path or URL, perhaps with ``#fragment``; its text; a mapping.

    A text is told from a path by its line breaks, or by the braces around it. A mapping may also be
    a cwl-utils object. What has several files may be a ZIP archive of them.
    ``base`` is where a text is thought to lie, the current folder by default.
    """
    base = base or path_uri(os.path.join(current_folder(), ""))
    save = getattr(package, "save", None)
    if callable(save):
        package = save()
    if isinstance(package, Mapping):
        package = _written(package)
    if isinstance(package, bytes) and package.startswith(MAGIC):
        named = read_archive(package)
        if not named:
            raise InvalidPackage("the archive is empty")
        return package_of(
            Parts(named), main_of(named), media_type=ZIP, deposit={"package.zip": package}
        )
    if isinstance(package, bytes):
        is_json = package.lstrip()[:1] == b"{"
        kind, suffix = ("json", ".json") if is_json else ("yaml", ".cwl")
        return PackageSource(
            base + UNNAMED + suffix, data=package, media_type=f"application/cwl+{kind}"
        )
    text = str(package)
    if isinstance(package, str) and _is_document(text):
        return find_source(text.encode(), base)
    path, fragment = _parted(text)
    if is_absolute(text) and not os.path.exists(text):
        return PackageSource(path, fragment, media_type=_media_type(path))
    if os.path.exists(text):  # a "#" may be part of the name
        path, fragment = text, ""
    if path.endswith(".zip") and os.path.isfile(path):
        with open(path, "rb") as file:
            return replace(find_source(file.read(), base), fragment=fragment)
    try:
        uri = path_uri(os.path.normpath(os.path.join(current_folder(), os.path.expanduser(path))))
    except UnicodeEncodeError:
        raise InvalidPackage(f"{path!r} is no name of a file") from None
    return PackageSource(uri, fragment, media_type=_media_type(path))


def _is_document(text: str) -> bool:
    return "\n" in text or (text.lstrip().startswith("{") and text.rstrip().endswith("}"))


def _parted(text: str) -> tuple[str, str]:
    """Return a path or an address, and its fragment."""
    try:
        urlsplit(text)  # without a fragment ``urldefrag`` does not look
        path, fragment = urldefrag(text)
    except ValueError as error:
        raise InvalidPackage(f"{text!r} is no address: {error}") from None
    return path, fragment


def _written(package: Mapping[str, Any]) -> bytes:
    try:
        check_depth(package)
        return json.dumps(package, indent=2).encode()
    except (TypeError, ValueError) as error:
        raise InvalidPackage(f"the package cannot be written as JSON: {error}") from None


def package_of(
    parts: Parts, main: str, *, media_type: str, deposit: Mapping[str, bytes]
) -> PackageSource:
    """Return the package that parts are, of which ``main`` is the name of the entry.

    ``deposit`` is what they came in.
    """
    uri = part_uri(main)
    return PackageSource(uri, data=parts[uri], media_type=media_type, parts=parts, deposit=deposit)


def _media_type(path: str) -> str:
    return "application/cwl+json" if path.endswith(".json") else "application/cwl+yaml"


def _apppkg_type(data: bytes) -> str:
    return MEDIA_TYPE if data.lstrip()[:1] == b"{" else YAML_MEDIA_TYPE


def is_on_disk(source: PackageSource) -> bool:
    """Whether a package is on this machine's disk, as its user wrote it."""
    return source.data is None and urlsplit(source.uri).scheme == "file"


def same_texts(texts: Mapping[str, bytes], folder: str) -> bool:
    """Whether a package's files in a folder are as they were."""
    for name, data in texts.items():
        if "?" in name:
            continue  # it is a part of another
        if urlsplit(name).scheme:
            return False  # it may have changed where it comes from
        try:
            with open(os.path.join(folder, name), "rb") as file:
                if file.read() != data:
                    return False
        except OSError:
            return False
    return True


class Reader:
    """Reads packages. ``remote``: documents may include others from the network."""

    def __init__(self, access: Access, *, remote: bool) -> None:
        self._access = access
        self._remote = remote

    def read(self, source: PackageSource) -> tuple["Package", PackageSource]:
        """Read a package; give it and its source, now that it is known what it holds.

        Raises ``InvalidPackage`` or ``UnsupportedPackage``.
        """
        from localproc.cwl.load.load import read

        source, sources = self.found(source)
        return read(sources, source.fragment), source

    def found(self, source: PackageSource) -> tuple[PackageSource, Sources]:
        """Find a package; give what is known of it now, and its texts.

        Raises ``InvalidPackage``.
        """
        check_current_folder()
        source = self._located(self._unwrapped(self._located(source)))
        texts = dict(source.parts)
        if source.data is not None:
            texts[source.uri] = source.data
        return source, self._sources(source, texts)

    def _sources(self, source: PackageSource, texts: Mapping[str, bytes]) -> Sources:
        moved: dict[str, str] = {}
        return Sources(source.uri, self._fetcher(source, moved), texts, well_known, moved)

    def _located(self, source: PackageSource) -> PackageSource:
        """Follow the redirects of a package's URL: what it includes is relative to the last."""
        if source.data is not None or urlsplit(source.uri).scheme not in ("http", "https"):
            return source
        sources = self._sources(source, source.parts)
        uri, named = urldefrag(sources.located(source.uri))
        fragment = source.fragment or named
        return replace(source, uri=uri, fragment=fragment, parts=sources.texts)

    def _unwrapped(self, source: PackageSource) -> PackageSource:
        """Take the CWL out of an application package."""
        data = source.data
        if data is None and source.uri.endswith((".json", ".yaml", ".yml")):
            data = self._sources(source, source.parts).text(source.uri).encode()
        if data is None or not is_apppkg(data):
            return source
        name = self._sources(source, {}).name(source.uri)
        package = read_apppkg(data, name)
        found = replace(
            source,
            deposit=source.deposit or {name: data},
            media_type=source.media_type if source.deposit else _apppkg_type(data),
            process_id=package.process_id,
            described=package.described,
        )
        if package.document is not None:
            text = json.dumps(package.document, indent=2).encode()
            return replace(found, uri=f"{source.uri}?unit", data=text)
        try:
            href, fragment = urldefrag(package.href)
            uri = joined_uri(source.uri, href.removeprefix("cid:"))
        except ValueError as error:
            raise InvalidPackage(f"{package.href!r} is no address: {error}") from None
        return replace(found, uri=uri, data=None, fragment=fragment or source.fragment)

    def _fetcher(self, source: PackageSource, moved: dict[str, str]) -> Read:
        def read(uri: str) -> bytes:
            if uri in source.parts:
                return source.parts[uri]
            if uri.startswith((NOWHERE, "cid:")):
                raise FileNotFoundError(errno.ENOENT, "it was not sent")
            if urlsplit(uri).scheme == "file":
                return self._contents(uri_path(uri))
            if uri != source.uri and not self._remote:
                raise InvalidPackage(
                    f"{uri} is not on this machine",
                    hint="packages include documents from the network only with "
                    "allow_remote=True (--allow-remote)",
                )
            document = self._access.read(uri)
            if document.uri != uri:
                moved[uri] = document.uri
            return document.data

        return read

    def _contents(self, path: str) -> bytes:
        try:
            self._access.check_path(path)
            with open(path, "rb") as file:
                return file.read()
        except ValueError as error:
            raise InvalidPackage(f"{path!r} is no name of a file: {error}") from error


def _installed_storage(scheme: str) -> StoragePlugin:
    """Return an installed storage: most packages need none, and what is installed none of them."""
    return PluginManager().storage(scheme)


@contextmanager
def package_reader(
    *,
    allow_remote: bool,
    plugins: PluginManager | None = None,
    storage_options: StorageOptions | None = None,
) -> Iterator[Reader]:
    """Give a reader of packages that needs no home; ``plugins``: not just those installed."""
    find = _installed_storage if plugins is None else plugins.storage
    with closing(Storages(find, storage_options or {}, {})) as storages:
        yield Reader(Access(storages.open, InputPolicy()), remote=allow_remote)


def validate(
    package: object,
    *,
    allow_remote: bool = False,
    executor: ExecutorPlugin | None = None,
    containers: Containers | None = None,
    profile: str = "",
    storage_options: StorageOptions | None = None,
) -> "Findings":
    """Check a package without deploying it, and whether an executor can run it here.

    ``containers`` are those that its tools may run in. ``profile``: what else it is held to,
    ``eoap`` for the best practice for Earth observation packages (OGC 20-089r1). Raises
    ``PackageError`` if it cannot be loaded.
    """
    from localproc.cwl.check.check import examine
    from localproc.cwl.check.profile_eoap import PROFILES
    from localproc.engine.packages.fitness import misgivings

    with package_reader(allow_remote=allow_remote, storage_options=storage_options) as reader:
        loaded, _ = reader.read(find_source(package))
    found = examine(loaded)
    found.warnings += missing_files(loaded)
    if executor is not None and not found.errors:
        found.warnings += misgivings(loaded, executor, containers)
    if profile and not found.errors:
        further = PROFILES[profile](loaded)
        found.errors += further.errors
        found.warnings += further.warnings
    return found
