"""Putting files on hosts, which write them bit by bit: aside, and renamed once they are whole.

Owns which hosts can rename so that nobody sees a part, and what a put that was cut short leaves.
Must not know URIs.
"""

import posixpath
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Final, Protocol

from localproc.errors import StagingError, StorageUnavailable

CHUNK: Final = 1 << 18  #: bytes that are given to a host at a time
_LEFTOVER: Final = re.compile(r"\.localproc\.[0-9a-f]{16}\.part")


class Host(Protocol):
    """What of a host's protocol fsspec does not have, by a file system of fsspec."""

    def send(self, files: Any, source: BinaryIO, path: str, watch: Callable[[int], None]) -> None:
        """Write a file bit by bit."""

    def replace(self, files: Any, old: str, new: str) -> None:
        """Rename a file, over one that may be there, at once."""

    def place(self, files: Any, old: str, new: str) -> None:
        """Rename a file where nothing is; raises ``FileExistsError``."""


class Sftp:
    """SFTP, with the extension by which a rename replaces (``posix-rename@openssh.com``)."""

    def send(self, files: Any, source: BinaryIO, path: str, watch: Callable[[int], None]) -> None:
        """Write without waiting for each piece to be confirmed; all are when it is closed."""
        with files.ftp.open(path, "wb") as target:
            target.set_pipelined(True)
            while chunk := source.read(CHUNK):
                target.write(chunk)
                watch(source.tell())

    def replace(self, files: Any, old: str, new: str) -> None:
        """Rename at once."""
        files.ftp.posix_rename(old, new)

    def place(self, files: Any, old: str, new: str) -> None:
        """Rename as SFTP does without its extension: never over what is there."""
        try:
            files.ftp.rename(old, new)
        except OSError:
            if files.exists(new):
                raise FileExistsError(new) from None
            raise


class Ftp:
    """FTP, whose servers rename as their file systems do (RFC 959 does not say)."""

    def send(self, files: Any, source: BinaryIO, path: str, watch: Callable[[int], None]) -> None:
        """Store in one transfer."""
        try:
            files.ftp.storbinary(f"STOR {path}", source, CHUNK, lambda _: watch(source.tell()))
        except BaseException:
            with suppress(Exception):
                files.ftp.voidresp()  # what the server says of the transfer that ended
            raise

    def replace(self, files: Any, old: str, new: str) -> None:
        """Rename at once, or be refused by servers that do not replace."""
        files.ftp.rename(old, new)

    def place(self, files: Any, old: str, new: str) -> None:
        """Refuse: there is no way to look and rename at once."""
        raise StagingError("FTP cannot put a file only where nothing is")


#: Those that results can go to.
HOSTS: Final[Mapping[str, Host]] = {"sftp": Sftp(), "ssh": Sftp(), "ftp": Ftp()}


def put(
    host: Host,
    files: Any,
    source: BinaryIO,
    path: str,
    size: int,
    watch: Callable[[int], None],
    *,
    if_absent: bool,
) -> None:
    """Put a file: it is there whole, or not at all."""
    aside = _beside(files, posixpath.dirname(path))
    try:
        host.send(files, source, aside, watch)
        if (came := files.info(aside)["size"]) != size:
            raise StorageUnavailable(f"{came} of {size} bytes have come to {path}")
        watch(size)  # nobody may wait for it any more
        (host.place if if_absent else host.replace)(files, aside, path)
    except BaseException:
        with suppress(Exception):  # or it is swept later
            files.rm_file(aside)
        raise


def probe(files: Any, folder: str) -> None:
    """See that a file can be written below a folder, or where that would be made."""
    while folder != "/" and not files.exists(folder):
        folder = posixpath.dirname(folder)
    aside = f"{folder.rstrip('/')}/{_name()}"
    with files.open(aside, "wb") as file:
        file.write(b"x")
    files.rm_file(aside)


def is_leftover(path: str) -> bool:
    """Whether a file is what a put has left that was cut short."""
    return bool(_LEFTOVER.fullmatch(posixpath.basename(path)))


def _beside(files: Any, folder: str) -> str:
    """Make a folder, as others may at the same time, and give the name of a new file there."""
    for parent in [*reversed(list(_parents(folder))), folder]:
        if parent != "/" and not files.exists(parent):
            try:
                files.mkdir(parent, create_parents=False)
            except Exception:
                if not files.exists(parent):
                    raise
    return f"{folder.rstrip('/')}/{_name()}"


def _parents(folder: str) -> Iterator[str]:
    while folder != (folder := posixpath.dirname(folder)):
        yield folder


def _name() -> str:
    return f".localproc.{secrets.token_hex(8)}.part"
