"""Root file systems in folders.

Owns reading layers of images into a folder (OCI image specification, "layer": whiteouts), and
finding a path in a root without ever being led out of it by a link. Must not know any runtime.
"""

import os
import posixpath
import shutil
import stat
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from localproc.errors import ImageError

if TYPE_CHECKING:
    import tarfile

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_MOST_LINKS: Final = 40  #: as the system itself has it
_OWNER_MAY: Final = stat.S_IRWXU


def inside(root: str, path: str, *, covered: Collection[str] = ()) -> str:
    """Return a path as it is without links when ``root`` is the root, beginning with a slash.

    What is not there counts as no link, nor do names in the root itself that are ``covered`` by
    something else. Raises ``ImageError`` for links that go round in circles.
    """
    found: list[str] = []
    left = [part for part in reversed(path.split("/")) if part]
    links = 0
    while left:
        part = left.pop()
        if part in (".", ".."):
            if part == ".." and found:
                found.pop()
            continue
        here = os.path.join(root, *found, part)
        if not os.path.islink(here) or (not found and part in covered):
            found.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise ImageError(f"the links of {path!r} in {root} go round in circles")
        target = os.readlink(here)
        if target.startswith("/"):
            found.clear()
        left += [one for one in reversed(target.split("/")) if one]
    return "/" + "/".join(found)


def program(root: str, name: str, search: str) -> str | None:
    """Return where a program is in a root, by its name and a ``PATH``; ``None`` if nowhere."""
    places = [name] if "/" in name else [posixpath.join(one, name) for one in search.split(":")]
    for one in places:
        path = inside(root, one)
        if os.path.isfile(root + path):
            return path
    return None


def unpack(layer: "tarfile.TarFile", root: str) -> None:
    """Put a layer over what is in a folder; devices are left out, as nobody but root makes them."""
    for member in layer:
        folder, name = posixpath.split(posixpath.normpath(member.name))
        if name in ("", ".", ".."):
            continue
        place = root + inside(root, folder)
        path = os.path.join(place, name)
        if name == _OPAQUE:
            for inner in os.listdir(place) if os.path.isdir(place) else ():
                remove(os.path.join(place, inner))
        elif name.startswith(_WHITEOUT):
            remove(os.path.join(place, name.removeprefix(_WHITEOUT)))
        else:
            _put(layer, member, root, place, path)


def size(root: str) -> int:
    """Return the bytes of all files below a folder."""
    return sum(found.st_size for _, found in _files(root))


def remove(path: str) -> None:
    """Remove whatever is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def _put(
    layer: "tarfile.TarFile", member: "tarfile.TarInfo", root: str, folder: str, path: str
) -> None:
    os.makedirs(folder, exist_ok=True)
    if member.isdir():
        if os.path.islink(path) or not os.path.isdir(path):
            remove(path)
            os.mkdir(path)
        os.chmod(path, member.mode | _OWNER_MAY)
        return
    remove(path)
    if member.issym():
        os.symlink(member.linkname, path)
    elif member.islnk():
        os.link(root + inside(root, member.linkname), path, follow_symlinks=False)
    elif member.isfile() and (source := layer.extractfile(member)) is not None:
        with source, open(path, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.chmod(path, member.mode & 0o777)
        os.utime(path, (member.mtime, member.mtime))


def _files(root: str) -> Iterator[tuple[str, os.stat_result]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            yield path, os.lstat(path)
