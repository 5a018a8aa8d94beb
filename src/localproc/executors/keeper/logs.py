"""The log files of tasks, lent to them.

Owns spare files, and when they get the names of logs. Must not know tasks.
"""

import contextlib
import errno
import fcntl
import os

APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class Logs:
    """Lends files to tasks to write their logs into.

    Most short tasks write nothing, and on a disk making a file costs more than starting a process.
    So a task writes into a spare file. That gets the name of the log once the task has run for a
    moment, or ended and written something; else it is lent again, and the log is one more name of
    a file that is empty for good.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.device = os.stat(folder).st_dev
        self.spares: list[str] = []
        self.made = 0
        self.empty = ""
        self.beside: dict[str, bool] = {}

    def lend(self, path: str) -> str:
        """Return a file to write instead of a log; the log, if an earlier attempt has begun it."""
        if not self.can_rename(path.rpartition("/")[0]):
            return path
        if os.access(path, os.F_OK):
            with contextlib.suppress(FileNotFoundError):
                if os.stat(path).st_nlink == 1:
                    return path
                os.remove(path)
        return self.spares.pop() if self.spares else self.fresh("log")

    def name(self, lent: dict[str, str]) -> None:
        """Give files the names of the logs that they are."""
        while lent:
            path, file = lent.popitem()
            with contextlib.suppress(OSError):  # the job's folder may have been removed
                os.rename(file, path)

    def take_back(self, lent: dict[str, str], blank: str = "") -> None:
        """Take back what nobody has written to or holds; ``blank`` shall be there in any case."""
        for path, file in list(lent.items()):
            if is_untouched(file):
                self.spares.append(lent.pop(path))
                if path == blank:
                    self.leave_empty(path)
        self.name(lent)

    def leave_empty(self, path: str) -> None:
        """Make an empty log."""
        for _ in range(2):
            try:
                self.empty = self.empty or self.fresh("empty")
                os.link(self.empty, path)
            except OSError as error:
                if error.errno != errno.EMLINK:
                    return
                self.empty = ""
            else:
                return

    def fresh(self, kind: str) -> str:
        """Make a file."""
        self.made += 1
        path = os.path.join(self.folder, f"{kind}-{os.getpid()}-{self.made}")
        os.close(os.open(path, APPEND, 0o644))
        return path

    def can_rename(self, folder: str) -> bool:
        """Whether the folder lies on the file system that the spare files are on."""
        if folder not in self.beside:
            try:
                self.beside = {folder: os.stat(folder).st_dev == self.device}
            except OSError:
                return False
        return self.beside[folder]


def append(path: str, text: str) -> None:
    """Write a text at the end of a log, if that can be done."""
    with contextlib.suppress(OSError, ValueError):
        fd = os.open(path, APPEND, 0o644)
        os.write(fd, text.encode(errors="backslashreplace"))
        os.close(fd)


def is_untouched(path: str) -> bool:
    """Whether a file is empty, and no process that a task left behind can still write to it."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False  # only Linux can tell
    try:
        file = os.open(path, os.O_WRONLY)
    except OSError:
        return False
    try:
        if os.fstat(file).st_size:
            return False
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)  # granted to a sole owner only
    except OSError:
        return False
    finally:
        os.close(file)
    return True
