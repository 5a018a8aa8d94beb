"""Packages of several files as one: ZIP archives.

Owns what may be in an archive, and which files of a process go into one. Must not know who asks.
"""

import io
import os
import posixpath
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import InvalidPackage
from localproc.model import ProcessRecord
from localproc.uris import uri_path

ZIP: Final = "application/zip"
MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_FILES: Final = 10_000
_MOST_BYTES: Final = 64 << 20
_ALWAYS: Final = (1980, 1, 1, 0, 0, 0)  #: the same files give the same archive


def read_archive(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive by their paths; raises ``InvalidPackage``.

    Hidden files, and what macOS adds, are left out.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [one for one in archive.infolist() if _counts(one)]
            size = sum(one.file_size for one in infos)
            if len(infos) > _MOST_FILES or size > _MOST_BYTES:
                raise InvalidPackage(
                    f"the archive holds {len(infos)} files of {size} bytes",
                    hint=f"{_MOST_FILES} files of {_MOST_BYTES} bytes are the most",
                )
            return {_name(one.filename): _contents(archive, one) for one in infos}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise InvalidPackage(f"the archive cannot be read: {error}") from None


def _counts(info: zipfile.ZipInfo) -> bool:
    hidden = any(part.startswith(".") for part in info.filename.split("/") if part.strip("."))
    return not (info.filename.endswith("/") or hidden or info.filename.startswith("__MACOSX/"))


def _name(path: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise InvalidPackage(f"the archive has a file that leads out of it: {path!r}")
    return path


def _contents(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as file:
        found = file.read(info.file_size + 1)
    if len(found) > info.file_size:
        raise InvalidPackage(f"{info.filename!r} in the archive is larger than it says")
    return found


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files by their paths; those beside the first one's folder stay there."""
    up = max(name.split("/").count("..") for name in files)
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            is_path = not urlsplit(name).scheme
            path = posixpath.normpath("package/" * up + name) if is_path else name
            info = zipfile.ZipInfo(path, _ALWAYS)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return found.getvalue()


def package_files(record: ProcessRecord) -> dict[str, bytes]:
    """Return the files that a process was made of by their paths, the document first.

    They are its texts, and the files in the folder that it came from which its defaults name.
    """
    names = [name for name in record.texts if "?" not in name]
    if len(names) > 1 and (record.media_type == ZIP or record.media_type.startswith("multipart/")):
        del names[0]  # that is what they came in
    texts = {name: record.texts[name] for name in names}
    return texts | dict(_defaults(record, texts))


def is_several(files: Mapping[str, bytes]) -> bool:
    """Whether the first of a package's files needs the others: what is on the network is there."""
    return sum(not urlsplit(name).scheme for name in files) > 1


def _defaults(record: ProcessRecord, texts: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    entry = record.entry.partition("#")[0]
    if not entry.startswith("file:///"):
        return
    folder = os.path.realpath(os.path.dirname(uri_path(entry)))
    for location in sorted(set(_locations(record.resolved))):
        for path in _files_of(uri_path(location)):
            name = os.path.relpath(os.path.realpath(path), folder)
            if name.startswith("..") or name in texts:
                continue
            with open(path, "rb") as file:
                yield name, file.read()


def _files_of(path: str) -> Iterator[str]:
    if os.path.isfile(path):
        yield path
    for root, _, names in os.walk(path):
        yield from (os.path.join(root, name) for name in sorted(names))


def _locations(value: Any) -> Iterator[str]:
    """Yield the locations of the files that a package names on this machine."""
    if isinstance(value, list):
        for item in value:
            yield from _locations(item)
    elif isinstance(value, Mapping):
        location = str(value.get("location", ""))
        if value.get("class") in ("File", "Directory") and location.startswith("file:///"):
            yield location
        for item in value.values():
            yield from _locations(item)
