"""Inputs that have been brought from elsewhere, kept by what they contain.

Owns the folder they are kept in, who may be given which, and removing those that nobody has used
for longest when there are too many. Must not know how anything is fetched.

``blobs/`` has contents by their SHA-256, ``names/`` says which of them lay at a URI. A job has its
files by hard links, where the disk allows: removing a blob takes nothing from it, and who changes
such a file in place changes the blob, so one whose size or time is another is no longer used. What
is mirrored is for everybody, and is never removed to make room. Several processes, on several
homes, may use a folder at once: they count together (``used``). What one that was killed has left,
a part of a file or contents that nothing names, goes when room is made.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from typing import Any, Final

from localproc.frozen import frozen
from localproc.plugins.storage import Info
from localproc.storage.addresses import redacted
from localproc.storage.integrity import file_sha256
from localproc.storage.shared_room import SharedRoom

#: Who owns what is mirrored.
ANYBODY: Final = ""
_ROOM: Final = 0.9  #: what is left of the bytes there may be, once some had to go
_PART: Final = ".part"
_LEFT: Final = 3600.0  #: seconds after which nobody is still about to name what he has put


@frozen
class KeptInput:
    """What lay at a URI, and was found at ``found`` after redirects; neither has secrets in it.

    ``key`` stands for the whole URI and the owner. ``modified`` is the time (nanoseconds) of the
    blob when it was kept.
    """

    key: str
    owner: str
    uri: str
    found: str
    sha256: str
    size: int
    etag: str
    modified: int = 0


class InputCache:
    """A folder of kept inputs; of those that are not mirrored, ``most`` bytes."""

    def __init__(self, folder: str, most: int) -> None:
        self.folder = folder
        self._most = most
        self._room = SharedRoom(os.path.join(folder, "used"), most, self._count, self._evict)

    def find(self, uri: str, owner: str) -> KeptInput | None:
        """Return what was at a URI when this owner read it, or when it was mirrored."""
        for key in (_key(uri, owner), _key(uri, ANYBODY)):
            kept = _read(self._name(key))
            if kept is not None and _is_whole(self._blob(kept.sha256), kept):
                return kept
        return None

    def take(self, kept: KeptInput, path: str) -> bool:
        """Put a file at a path; whether it was still there."""
        try:
            if os.path.exists(path):
                os.remove(path)
            _share(self._blob(kept.sha256), path)
        except FileNotFoundError:
            return False
        with contextlib.suppress(OSError):
            os.utime(self._name(kept.key))
        return True

    def keep(self, uri: str, owner: str, info: Info, path: str) -> None:
        """Keep the file at a path as what is at a URI. Where it cannot be kept, it is not."""
        size = os.path.getsize(path)
        if owner != ANYBODY and size > self._most:
            return
        found = info.uri.partition("?")[0]
        # The fragment of a redirect names a part of the document; one that was given may be secret.
        places = redacted(uri), found.partition("#")[0] if "#" in uri else found
        kept = KeptInput(_key(uri, owner), owner, *places, file_sha256(path), size, info.etag)
        with contextlib.suppress(OSError):
            self.put(kept, path)
            self._room.take(size)

    def mirrored(self) -> Iterator[KeptInput]:
        """Yield all that is mirrored, by URI."""
        found = [one for one, _ in self._all() if one.owner == ANYBODY]
        yield from sorted(found, key=lambda one: one.uri)

    def blob(self, kept: KeptInput) -> str:
        """Return the path of its contents."""
        return self._blob(kept.sha256)

    def damaged(self, kept: KeptInput) -> str:
        """Say what is wrong with a kept file, read to the end; nothing if it is whole."""
        blob = self._blob(kept.sha256)
        if not os.path.exists(blob):
            return "it is gone"
        return "" if file_sha256(blob) == kept.sha256 else "its bytes are others"

    def forget(self, kept: KeptInput) -> None:
        """Remove it."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._name(kept.key))
        if not any(one.sha256 == kept.sha256 for one, _ in self._all()):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._blob(kept.sha256))

    def put(self, kept: KeptInput, path: str) -> None:
        """Keep a file of which all is known already, and true; raises ``OSError``."""
        blob = self._blob(kept.sha256)
        if not os.path.exists(blob) or file_sha256(blob) != kept.sha256:
            os.makedirs(os.path.dirname(blob), exist_ok=True)
            with _made(blob) as part:
                _share(path, part)
        known = replace(kept, modified=os.stat(blob).st_mtime_ns)
        name = self._name(kept.key)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with _made(name) as part, open(part, "w", encoding="utf-8") as file:
            json.dump(asdict(known), file)

    def _count(self) -> int:
        """Return the bytes of all that may be removed."""
        everything = [one for one, _ in self._all()]
        ours = {one.sha256: one.size for one in everything if one.owner != ANYBODY}
        left = self._leftovers({one.sha256 for one in everything})
        return sum(ours.values()) + sum(os.stat(path).st_size for path in left)

    def _evict(self) -> int:
        """Remove what nobody has used for longest; return the bytes that are left."""
        most = int(self._most * _ROOM)
        everything = list(self._all())
        for path in self._leftovers({one.sha256 for one, _ in everything}):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        mirrored = {one.sha256 for one, _ in everything if one.owner == ANYBODY}
        ours = sorted(
            ((used, one) for one, used in everything if one.owner != ANYBODY),
            key=lambda each: each[0],
        )
        left = sum({one.sha256: one.size for _, one in ours}.values())
        users: dict[str, int] = {}
        for _, one in ours:
            users[one.sha256] = users.get(one.sha256, 0) + 1
        for _, one in ours:
            if left <= most:
                break
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._name(one.key))
            users[one.sha256] -= 1
            if not users[one.sha256]:
                left -= one.size
                if one.sha256 not in mirrored:
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(self._blob(one.sha256))
        return left

    def _leftovers(self, named: Collection[str]) -> Iterator[str]:
        """Yield the files that whoever made them has not come to name."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                is_blob = folder.startswith(os.path.join(self.folder, "blobs", ""))
                if name.endswith(_PART) or (is_blob and name not in named):
                    with contextlib.suppress(FileNotFoundError):
                        # Its contents may be as old as they like: it is here since it was linked.
                        if time.time() - os.stat(path).st_ctime > _LEFT:
                            yield path

    def _all(self) -> Iterator[tuple[KeptInput, float]]:
        """Yield all that is kept, and when each was used last."""
        for folder, _, names in os.walk(os.path.join(self.folder, "names")):
            for name in names:
                path = os.path.join(folder, name)
                if (kept := _read(path)) is not None:
                    with contextlib.suppress(FileNotFoundError):
                        yield kept, os.stat(path).st_mtime

    def _name(self, key: str) -> str:
        return os.path.join(self.folder, "names", key[:2], f"{key}.json")

    def _blob(self, sha256: str) -> str:
        return os.path.join(self.folder, "blobs", sha256[:2], sha256)


def _key(uri: str, owner: str) -> str:
    return hashlib.sha256(json.dumps([owner, uri]).encode()).hexdigest()


def _read(path: str) -> KeptInput | None:
    """Return what a file says that is kept, ``None`` if there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            said: dict[str, Any] = json.load(file)
            return KeptInput(**said)
    except (OSError, ValueError, TypeError):
        return None


def _is_whole(blob: str, kept: KeptInput) -> bool:
    try:
        found = os.stat(blob)
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (kept.size, kept.modified)


@contextlib.contextmanager
def _made(path: str) -> Iterator[str]:
    """Give the name of a file that takes the place of ``path`` when it is written."""
    part = f"{path}.{secrets.token_hex(4)}{_PART}"
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(part)
        raise


def _share(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
