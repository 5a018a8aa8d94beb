"""Archives that become folders, where that was asked for.

Owns which there are, and what may be in them: files and folders alone, whose names stay in the
folder, of no more bytes than may come. Must not know where archives come from.
"""

import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Final, TypeVar

from localproc.errors import StagingError
from localproc.frozen import frozen
from localproc.storage.disk import telling
from localproc.storage.inflating import check_memory, inflating
from localproc.storage.names import safe_name

_T = TypeVar("_T")

_CHUNK: Final = 1 << 20
_MOST_ENTRIES: Final = 100_000
_DEEPEST: Final = 100  #: folders in one another; what is much deeper cannot be removed again
_ALWAYS: Final = 1 << 30  #: bytes that any archive may have
_RATIO: Final = 200  #: times the size of a larger one that it may have; Deflate reaches 1032
_DIRECTORY: Final = 32 << 20  #: bytes of the list of its entries that a ZIP archive may have
_HEADER: Final = 1 << 20  #: bytes that a tar archive may say of an entry
_REST: Final = 32 << 20  #: bytes that it may have after its end, which is filled up
_GLOBALS: Final = 100  #: what it may say of all its entries
_BROKEN: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # it is encrypted
)
_HINT: Final = "unpack it, and give the folder"


@frozen
class _Entry:
    """Something in an archive; ``open`` gives the contents of a file."""

    name: str
    is_file: bool
    is_folder: bool
    open: Callable[[], IO[bytes] | None]


def unpack(
    archive: str,
    kind: str,
    folder: str,
    shown: str,
    *,
    most: int | None = None,
    watch: Callable[[int], object] = lambda _: None,
) -> None:
    """Write what is in an archive (``zip``, or ``tar`` and ``tar.gz``, ...) into an empty folder.

    ``most`` bytes each file may have. ``watch`` is told how many more have been unpacked; what it
    raises ends that. ``shown`` is where the archive comes from. Raises ``StagingError`` for one
    that is broken, or has what it may not.
    """
    left = max(_ALWAYS, _RATIO * os.path.getsize(archive))
    made: set[tuple[str, ...]] = set()
    try:
        entries = _zipped(archive) if kind == "zip" else _tarred(archive, kind)
        for number, entry in enumerate(entries):
            parts = _parts(entry, shown)
            # A name alone may stand for a hundred folders that no entry is for.
            made.update(parts[:end] for end in range(1, len(parts)))
            if number + len(made) >= _MOST_ENTRIES:
                raise _refused(shown, f"it has more than {_MOST_ENTRIES} entries and folders")
            path = os.path.join(folder, *parts)
            with telling(path):
                left -= _write(entry, path, shown, min(left, most or left), watch)
    except _BROKEN as error:
        raise StagingError(
            f"{shown} is no {kind} archive, or is broken: {error}", uri=shown
        ) from None


def _write(entry: _Entry, path: str, shown: str, most: int, watch: Callable[[int], object]) -> int:
    """Write an entry; return its bytes, which are counted as they come: archives may lie."""
    watch(0)
    try:
        os.makedirs(path if entry.is_folder else os.path.dirname(path), exist_ok=True)
        source = _read(entry.open) if entry.is_file else None
        if source is None:
            return 0
        size = 0
        with source, open(path, "xb") as file:
            while chunk := _read(partial(source.read, _CHUNK)):
                size += len(chunk)
                if size > most:
                    raise _refused(shown, "it has more bytes than may come")
                watch(len(chunk))
                file.write(chunk)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _refused(shown, f"it has {entry.name!r} twice") from None
    return size


def _read(read: Callable[[], _T]) -> _T:
    """Read something of an archive: what fails then is not the disk that is written to."""
    try:
        return read()
    except OSError as error:
        raise EOFError(error.strerror or str(error)) from None


def _parts(entry: _Entry, shown: str) -> tuple[str, ...]:
    """Return the parts of an entry's name, none of which leads out of the folder."""
    if not (entry.is_file or entry.is_folder):
        raise _refused(shown, f"{entry.name!r} is neither a file nor a folder")
    if entry.name.startswith("/"):
        raise _refused(shown, f"{entry.name!r} leads out of it")
    parts = [one for one in entry.name.split("/") if one not in ("", ".")]
    if len(parts) > _DEEPEST:
        raise _refused(shown, f"it has more than {_DEEPEST} folders in one another")
    return tuple(safe_name(one, f"a name in {shown}") for one in parts)


class _Sparing(io.BufferedReader):
    """A file whose headers cannot fill the memory: of them so many bytes may be ``left``.

    ``last`` is what was read last of them.
    """

    left: int | None = None
    last = b""

    def read(self, size: int | None = -1) -> bytes:
        """Read; raises ``EOFError`` for more of headers than there may be."""
        if self.left is not None:
            self.left -= max(size or 0, 0)
            if self.left < 0:
                raise EOFError("its headers have too many bytes")
            self.last = super().read(size)
            return self.last
        return super().read(size)


def _zipped(archive: str) -> Iterator[_Entry]:
    with _Sparing(io.FileIO(archive)) as source:
        source.left = _DIRECTORY
        with zipfile.ZipFile(source) as opened:
            source.left = None
            for one in opened.infolist():
                mode = stat.S_IFMT(one.external_attr >> 16)
                is_file = not one.is_dir() and mode in (0, stat.S_IFREG)
                check_memory(source.fileno(), one)
                yield _Entry(one.filename, is_file, one.is_dir(), partial(opened.open, one))


def _tarred(archive: str, kind: str) -> Iterator[_Entry]:
    with inflating(archive, kind) as plain, _Sparing(plain) as source:  # type: ignore[arg-type]
        source.left = _HEADER
        with tarfile.open(fileobj=source, mode="r:") as opened:
            while (one := opened.next()) is not None:
                if len(opened.pax_headers) > _GLOBALS:
                    raise EOFError("it has too many headers for all of its files")
                source.left = None
                is_file = one.isreg() and not one.issparse()
                yield _Entry(one.name, is_file, one.isdir(), partial(opened.extractfile, one))
                # They are kept for those who ask for them by name.
                opened.members.clear()  # type: ignore[attr-defined]
                source.left = _HEADER
            if source.last != bytes(tarfile.BLOCKSIZE):  # for tarfile a bad header is the end, too
                raise EOFError("it is broken off after an entry")
            source.left = _REST
            while source.read(_CHUNK):  # only its end has the checksum of what was compressed
                pass


def _refused(shown: str, why: str) -> StagingError:
    return StagingError(f"{shown} is not unpacked: {why}", uri=shown, hint=_HINT)
