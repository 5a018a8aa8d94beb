"""What lies beside the scripts of a package.

Owns one digest for all that a script may use without anybody having declared it: modules that it
imports, settings that it reads. Must not know what is done with it.
"""

import hashlib
import os
import secrets
from collections.abc import Collection, Iterator
from typing import Final

_READ: Final = 1 << 20  #: bytes up to which contents count; of larger files, size and time
_MOST: Final = 10_000  #: files


def siblings(paths: Collection[str], besides: Collection[str]) -> str:
    """Return a digest of all that lies in the folders of some files, and below them.

    It changes when any of that does; nothing for no files. Hidden names and ``__pycache__`` do not
    count, nor do the folders ``besides``. Where there is too much to look at, or something cannot
    be read, it is never the same twice.
    """
    if not paths:
        return ""
    left_out = {os.path.realpath(one) for one in besides}
    folders = {os.path.dirname(one) for one in (*paths, *map(os.path.realpath, paths))}
    total = hashlib.sha256()
    count = 0
    try:
        for top in sorted(folders):
            for path in _below(top, left_out):
                count += 1
                if count > _MOST:
                    return secrets.token_hex(32)
                total.update(
                    f"{os.path.relpath(path, top)}\0{_state(path)}\n".encode(errors="replace")
                )
    except OSError:
        return secrets.token_hex(32)
    return total.hexdigest()


def _below(top: str, left_out: Collection[str]) -> Iterator[str]:
    for folder, folders, names in os.walk(top, onerror=_raise):
        folders[:] = sorted(
            name
            for name in folders
            if not _is_hidden(name) and os.path.realpath(os.path.join(folder, name)) not in left_out
        )
        yield from (os.path.join(folder, name) for name in sorted(names) if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _raise(error: OSError) -> None:
    raise error


def _state(path: str) -> str:
    found = os.stat(path, follow_symlinks=os.path.exists(path))
    if os.path.isfile(path) and found.st_size <= _READ:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return f"{found.st_size} {found.st_mtime_ns}"
