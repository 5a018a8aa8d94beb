"""The disk of this machine, as the interpreter wants to see it.

Owns ``Files`` for real paths, doing ``StageAction``s, and what errors of the disk mean. Must not
know what the files are for.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from localproc.cwl.base import globs
from localproc.cwl.base.files import Stat
from localproc.errors import LocalprocError, NoSpace, StagingError
from localproc.model import StageAction
from localproc.storage import contents
from localproc.uris import path_uri

_KIND, _FOLDER, _FILE = 0o170000, 0o040000, 0o100000  #: of ``st_mode``
_RUN: Final = 0o111
_ROOM: Final = 64 * 1024
_UNSETTLED: Final = frozenset({"", ".", ".."})
_HINTS: Final = {
    errno.EACCES: "see that it may be read by whoever runs localproc",
    errno.ELOOP: "a link leads to itself: remove it",
    errno.ENAMETOOLONG: "shorten the name",
}


#: Called again and again by what may take long; raises what ends it.
GoOn = Callable[[], object]


def on(*_: object) -> None:
    """Let what may take long go on to its end."""


class TooBig(Exception):
    """More would have to be read than is allowed here: do it elsewhere."""


class Disk:
    """Implements ``localproc.cwl.base.files.Files``.

    ``budget`` bounds how many bytes may be read for checksums before ``TooBig`` is raised;
    ``None`` for no bound. It keeps the engine's loop from reading large outputs. ``settled`` is a
    folder that no link leads to: of a path in it, only what lies below is looked at. ``go_on`` is
    called at every look, and while a large file is read for its checksum.
    """

    def __init__(self, budget: int | None = None, settled: str = "", go_on: GoOn = on) -> None:
        self._budget = budget
        self._settled = settled
        self._go_on = go_on

    def stat(self, path: str) -> Stat | None:
        """Return what is there; raises ``StagingError`` if that cannot be told."""
        self._look()
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise told(error, path) from error
        kind = found.st_mode & _KIND
        special = kind not in (_FOLDER, _FILE)
        return Stat(
            kind == _FOLDER,
            found.st_size,
            special,
            found.st_mtime_ns,
            found.st_ino,
            changed=found.st_ctime_ns,
            is_executable=kind == _FILE and bool(found.st_mode & _RUN),
            owned=(found.st_mode, found.st_nlink, found.st_uid, found.st_gid),
        )

    def listdir(self, path: str) -> Sequence[str]:
        """Return the names in a directory, sorted."""
        self._look()
        try:
            return sorted(self._listed(path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise told(error, path) from error

    def _listed(self, path: str) -> list[str]:
        """Return the names in a directory; raises ``OSError``."""
        return os.listdir(path)

    def _look(self) -> None:
        self._go_on()

    def glob(self, root: str, pattern: str) -> Sequence[str]:
        """Return the paths below ``root`` that match, sorted."""
        return globs.matching(pattern, self._names, os.path.lexists, root)

    def _names(self, path: str) -> Sequence[str]:
        """Return the names in a directory as ``glob(3)`` does: none for one that cannot be read."""
        try:
            return self._listed(path)
        except OSError:
            return []

    def read(self, path: str, most: int = -1) -> bytes:
        """Return the contents."""
        with telling(path), open(path, "rb") as file:
            return file.read(most)

    def realpath(self, path: str) -> str:
        """Follow every link."""
        if self._settled and path.startswith(self._settled + "/"):
            at = self._settled
            for name in path[len(at) + 1 :].split("/"):
                at = f"{at}/{name}"
                if name in _UNSETTLED or os.path.islink(at):
                    return os.path.realpath(path)
            return path
        return os.path.realpath(path)

    def checksum(self, path: str) -> str:
        """Return the SHA-1 of the contents, as CWL writes it. Raises ``TooBig``."""
        self._look()
        with telling(path):
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if self._budget is not None:
                    self._budget -= os.fstat(file).st_size
                    if self._budget < 0:
                        raise TooBig(path)
                return f"sha1${contents.digest(file, 'sha1', self._look)}"
            finally:
                os.close(file)


def is_full(path: str) -> bool:
    """Whether there is hardly any room left on the disk of a path, for data or for files."""
    try:
        found = os.statvfs(path)
    except OSError:
        return False
    no_files = found.f_files > 0 and found.f_favail == 0
    return no_files or found.f_bavail * found.f_frsize < _ROOM


class telling:  # noqa: N801 - reads as a statement
    """Says which file an ``OSError`` is about: ``NoSpace`` on a full disk, else ``StagingError``.

    ``path`` is the file that was to be read or written.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise told(error, self._path) from error


def told(error: OSError, path: str) -> LocalprocError:
    """Return what an error of the disk means for a path: ``NoSpace`` or ``StagingError``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = os.path.dirname(path)
        return NoSpace(f"no space left for {path}", hint=f"make room on the disk of {folder}")
    if isinstance(error.filename, str) and error.filename.startswith(path.rstrip("/") + "/"):
        path = error.filename  # what lies below says more
    reason = error.strerror or str(error)
    hint = _HINTS.get(error.errno or 0, "")
    return StagingError(f"{path}: {reason}", uri=path_uri(path), hint=hint)


def stage(actions: Iterable[StageAction], go_on: GoOn = on) -> None:
    """Do the actions in order; raises ``StagingError`` or ``NoSpace``.

    ``go_on`` is called before each of them, and while files are copied.
    """
    for action in actions:
        go_on()
        try:
            _do(action, go_on)
        except shutil.Error as error:  # of a copied folder: every file that could not be
            *_, said = error.args[0][0]
            raise StagingError(f"{action.source}: {said}", uri=path_uri(action.source)) from error
        except OSError as error:
            raise told(error, str(error.filename or action.target)) from error


def _do(action: StageAction, go_on: GoOn) -> None:
    os.makedirs(os.path.dirname(action.target), exist_ok=True)
    if action.kind == "link":
        _link(action.source, action.target)
    elif action.kind == "copy":
        _copy(action.source, action.target, go_on)
    elif action.kind == "write":
        _write(action)
    else:
        os.makedirs(action.target, exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.symlink(source, target)
    except FileExistsError:
        if os.path.realpath(target) != os.path.realpath(source):
            raise


def _copy(source: str, target: str, go_on: GoOn) -> None:
    def copy_one(source: str, target: str) -> None:
        _copy_file(source, target, go_on)
        shutil.copystat(source, target)

    if os.path.isdir(source):
        shutil.copytree(source, target, copy_function=copy_one, dirs_exist_ok=True)
        for folder, _, names in os.walk(target):
            os.chmod(folder, 0o700 | os.stat(folder).st_mode)
            for name in names:
                path = os.path.join(folder, name)
                os.chmod(path, os.stat(path).st_mode | 0o200)
    else:
        _copy_file(source, target, go_on)
        os.chmod(target, os.stat(source).st_mode | 0o600)


def _copy_file(source: str, target: str, go_on: GoOn) -> None:
    with open(source, "rb", buffering=0) as old, open(target, "wb", buffering=0) as new:
        contents.copy(old.fileno(), new.fileno(), go_on)


def _write(action: StageAction) -> None:
    with open(action.target, "wb") as file:
        file.write(action.contents.encode("utf-8", "surrogateescape"))


def is_there(path: str) -> bool:
    """Return whether there is anything; raises ``StagingError`` if that cannot be told."""
    with telling(path):
        try:
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
    return True
