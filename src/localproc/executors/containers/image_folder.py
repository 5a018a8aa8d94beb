"""The folder in which a runtime keeps its images.

Owns their places by name, and that of many who want to make the same image at once one does it, on
this machine and others that share the folder. Must not know any runtime.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from localproc.errors import ImageError
from localproc.executors.containers import roots

_PART: Final = ".part"
_IS_PART: Final = re.compile(r"\.[0-9a-f]{16}\.part")


def normalized(name: str) -> str:
    """Return an image's name as docker knows it: without its registry, ``latest`` for no tag."""
    for start in ("index.docker.io/", "docker.io/", "library/"):
        name = name.removeprefix(start)
    last = name.rpartition("/")[2]
    return name if ":" in last or "@" in last else f"{name}:latest"


def image_file_name(name: str) -> str:
    """Return the name of a file for an image, as ``ch-image`` writes it: no two share one."""
    return name.replace("/", "%").replace(":", "+")


def image_name_of(file: str) -> str:
    """Return the image's name again."""
    return file.replace("+", ":").replace("%", "/")


class ImageFolder:
    """Images by name; each is a folder, or a file with the given ending."""

    def __init__(self, folder: str, ending: str = "") -> None:
        self.folder = folder
        self._ending = ending

    def place(self, name: str) -> str:
        """Return where an image of a name is, or would be."""
        return os.path.join(self.folder, image_file_name(normalized(name)) + self._ending)

    def names(self) -> list[str]:
        """Return the names of all that are here."""
        try:
            found = sorted(os.listdir(self.folder))
        except OSError:
            return []
        return [
            image_name_of(one.removesuffix(self._ending))
            for one in found
            if not one.startswith(".") and one.endswith(self._ending)
        ]

    def make(self, name: str, fill: Callable[[str], None], *, anew: bool = True) -> str:
        """Have ``fill`` make an image at a path that it is given; return where it is then.

        ``anew``: one that is here is replaced, unless somebody else has just made it. Raises
        ``ImageError`` where there is no room, or nothing may be written.
        """
        try:
            return self._make(name, fill, anew=anew)
        except OSError as error:
            said = error.strerror or error
            raise ImageError(
                f"the image {name} cannot be made in {self.folder}: {said}",
                hint="see that it can be written and has room, or choose another: --images DIR",
            ) from error

    def _make(self, name: str, fill: Callable[[str], None], *, anew: bool) -> str:
        place = self.place(name)
        before = _state(place)
        with self._turn(name):
            now = _state(place)
            if now is not None and (not anew or now != before):
                return place
            self._clear(place)
            part = f"{self._hidden(place)}.{secrets.token_hex(8)}{_PART}{self._ending}"
            try:
                fill(part)
                if now is not None:
                    os.rename(place, f"{part}.old")
                os.rename(part, place)
            finally:
                roots.remove(part)
                roots.remove(f"{part}.old")
        return place

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Wait for one's turn to make an image. Who has had it takes the lock's file away."""
        os.makedirs(self.folder, exist_ok=True)
        lock = f"{self._hidden(self.place(name))}.lock"
        while True:
            with open(lock, "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_still(lock, file.fileno()):
                    continue
                try:
                    yield
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(lock)
                return

    def _clear(self, place: str) -> None:
        """Remove what is left of one who was killed in making the same image."""
        begins = os.path.basename(self._hidden(place))
        for one in os.listdir(self.folder):
            if one.startswith(begins) and _IS_PART.match(one.removeprefix(begins)):
                roots.remove(os.path.join(self.folder, one))

    def _hidden(self, place: str) -> str:
        """Return how the paths begin of what is there while an image is made."""
        return os.path.join(self.folder, f".{os.path.basename(place)}")


def _is_still(path: str, file: int) -> bool:
    """Whether an open file is the one that has its name: others would lock another one."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
