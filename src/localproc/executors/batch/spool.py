"""The folder of batches, which the nodes see as well.

Owns its files: what was handed in, who has begun, who is to stop, and how it ended. Must not know
any scheduler. Whoever makes the marker of a task first decides: the runner, then it has begun; or
``fence``, then it never begins. Nothing here needs a lock, which a shared file system may not have.

A batch's folder has ``about.json``, its scripts, ``id`` once the scheduler has given one, what
tasks with secrets read as they begin, and what the runner writes. The exit records of all batches
lie in one folder, so that one look finds them.
"""

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import hiding, node_scripts
from localproc.executors.batch.grouping import Batch, Mode, Request
from localproc.executors.batch.handed import Begun, Handed
from localproc.executors.batch.late_files import are_there
from localproc.executors.batch.records import Record, keeper_record, shell_record
from localproc.executors.batch.runner_files import copied
from localproc.executors.journals import Journal

_TAIL: Final = 400  #: bytes of a log that are told


class Spool:
    """The batches of a home. Threads that share one hold its ``lock``."""

    def __init__(self, folder: str, node: node_scripts.NodeSetup) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self._node = node
        self._batches = os.path.join(folder, "batches")
        self._done = os.path.join(folder, "done")
        self._home = os.path.realpath(folder)
        self._known: dict[str, Handed] = {}
        self._of_key: dict[str, tuple[str, int]] = {}
        for path in (self._batches, self._done):
            os.makedirs(path, exist_ok=True)
        self._runner = copied(folder)

    def add(self, batch: Batch) -> Handed:
        """Write a batch down, before the scheduler hears of it.

        Raises ``ExecutorUnavailable`` where that cannot be.
        """
        with _disk():
            return self._add(batch)

    def _add(self, batch: Batch) -> Handed:
        keys, node = tuple(task.key for task in batch.tasks), self._node.of(batch)
        mark = hashlib.sha256("\n".join((self._home, *keys)).encode()).hexdigest()[:12]
        name = f"lp-{mark}"
        folder = os.path.join(self._batches, name)
        place = node_scripts.BatchPaths(name, folder, self._done, self._runner)
        with_secrets = batch.tasks
        batch = replace(batch, tasks=hiding.hidden(batch.tasks, folder, self._runner, node))
        files = {
            "script": node_scripts.script(batch, place, node),
            **node_scripts.shell_tasks(batch, node),
            "about.json": json.dumps(
                {
                    "mode": batch.mode,
                    "keys": keys,
                    "request": asdict(batch.request),
                    "outdirs": [task.outdir for task in batch.tasks],
                }
            ),
        }
        if batch.mode is Mode.BUNDLE:
            files["tasks.json"] = node_scripts.keeper_tasks(batch, node)
        new = os.path.join(self._batches, f".{name}.{os.getpid()}")
        os.makedirs(new, exist_ok=True)
        for file, text in files.items():
            _write(os.path.join(new, file), text)
        hiding.write_secrets(with_secrets, new)
        with contextlib.suppress(OSError):  # another engine may have done just the same
            os.rename(new, folder)
        shutil.rmtree(new, ignore_errors=True)
        for task in batch.tasks:
            for path in (task.stdout, task.stderr):
                os.makedirs(os.path.dirname(path), exist_ok=True)
        handed = self._learn(name)
        assert handed is not None
        return handed

    def took(self, handed: Handed, job: str) -> None:
        """Note the id that the scheduler has given."""
        path = os.path.join(handed.folder, "id")
        with _disk():
            _write(f"{path}.new", job)
            os.rename(f"{path}.new", path)
            handed.job, handed.at = job, os.stat(path).st_mtime

    def find(self, keys: Collection[str]) -> Mapping[str, tuple[Handed, int]]:
        """Return the batches of tasks, and their numbers there."""
        if any(key not in self._of_key for key in keys):
            for name in os.listdir(self._batches):
                if name not in self._known and not name.startswith("."):
                    self._learn(name)
        found = ((key, self._of_key[key]) for key in keys if key in self._of_key)
        return {key: (self._known[name], number) for key, (name, number) in found}

    def get(self, handle: str) -> tuple[Handed, int] | None:
        """Return the batch of a handle, and the number of its task there."""
        name, _, number = handle.partition("/")
        handed = self._known.get(name) or self._learn(name)
        return None if handed is None else (handed, int(number))

    def begun(self, handed: Handed, number: int, *, now: bool = False) -> Begun | None:
        """Return who has begun a task, or the bundle that it is in; ``now`` as for ``Listed``."""
        marker = handed.marker(number)
        if (known := handed.begun.get(marker)) is not None:
            return known
        if not handed.listed.has(handed.folder, f"begun.{marker}", now=now):
            return None
        try:
            path = os.path.join(handed.folder, f"begun.{marker}")
            with open(path, encoding="utf-8", errors="replace") as file:
                words, at = file.read().split(), os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        if words == ["-"]:
            return Begun("", "", 0.0)
        if len(words) < 2:  # it is just being written
            return Begun("?", "", at)
        return handed.begun.setdefault(marker, Begun(words[0], words[1], at))

    def fence(self, handed: Handed, number: int) -> bool:
        """Have a task, or the bundle that it is in, never begin; whether it has not yet.

        Raises ``ExecutorUnavailable`` where that cannot be written down.
        """
        path = os.path.join(handed.folder, f"begun.{handed.marker(number)}")
        try:
            with _disk(), open(path, "x", encoding="ascii") as file:
                try:
                    print("-", file=file, flush=True)
                except OSError:
                    os.remove(path)
                    raise
        except FileExistsError:
            begun = self.begun(handed, number, now=True)
            return begun is not None and not begun.job
        except FileNotFoundError:  # the batch has been removed
            return True
        return True

    def never_begins(self, handed: Handed, number: int) -> bool:
        """Whether one task of a bundle never begins, now that there is a note for it.

        A bundle that begins reads the notes first. One that is run by the shell has a marker for
        each task besides, one that is run by the keeper a journal.
        """
        begun = self.begun(handed, number, now=True)
        if begun is None or not begun.job:
            return True
        if handed.listed.has(handed.folder, "journal", now=True):
            return False
        try:
            with open(os.path.join(handed.folder, f"begun.{number}"), "x", encoding="ascii"):
                return True
        except FileExistsError:
            return False

    def note(self, handed: Handed, number: int, grace: float) -> None:
        """Leave a note that a task is to stop."""
        with contextlib.suppress(FileNotFoundError), _disk():
            _write(os.path.join(handed.folder, f"stop.{number}"), f"{grace:g}\n")

    def ends(self, live: Iterable[Handed], known: Collection[str]) -> Iterator[tuple[str, Record]]:
        """Return the records of tasks by handle that are not ``known``."""
        for name in os.listdir(self._done):
            batch, _, number = name.rpartition(".")
            if not number.isdigit() or f"{batch}/{number}" in known:
                continue
            handed = self._known.get(batch)
            if handed is not None and (record := self._record(handed, int(number))) is not None:
                yield f"{batch}/{number}", record
        for handed in live:
            if handed.mode is Mode.BUNDLE:
                yield from self._journalled(handed)

    def shows(self, handed: Handed, number: int, files: Mapping[str, int]) -> bool:
        """Whether the files that a task has left are to be seen here, with all that is in them."""
        return not files or not handed.outdirs or are_there(handed.outdirs[number], files)

    def is_running(self, handed: Handed, number: int) -> bool:
        """Whether a task of a bundle that has begun is not one of those that wait there."""
        if handed.journal is not None and handed.journal.entries:
            return handed.keys[number] in handed.journal.entries
        return handed.listed.has(handed.folder, f"begun.{number}")

    def sign_of_life(self, handed: Handed) -> int | None:
        """Return what changes while the runner of a bundle lives; ``None`` if it cannot be told."""
        if not handed.listed.has(handed.folder, "alive"):
            return None
        try:
            with open(os.path.join(handed.folder, "alive")) as file:  # its time is asked for anew
                return os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return None

    def give_up(self, handed: Handed, why: str) -> None:
        """Note why a batch is taken back though it has begun; with an empty reason, it is not.

        Raises ``ExecutorUnavailable`` where that cannot be written down.
        """
        with _disk():
            _write(os.path.join(handed.folder, "given-up"), why)

    def given_up(self, handed: Handed) -> str:
        """Return why a batch was taken back though it had begun; empty if it was not."""
        try:
            with open(os.path.join(handed.folder, "given-up"), encoding="utf-8") as file:
                return file.read()
        except OSError:
            return ""

    def log(self, handed: Handed) -> str:
        """Return the last of what a batch's script has said."""
        try:
            with open(os.path.join(handed.folder, "log"), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""

    def forget(self, handed: Handed, numbers: Iterable[int]) -> None:
        """Remove what is kept of tasks, and a batch once nothing of it is asked for any more."""
        for number in numbers:
            handed.left.discard(handed.keys[number])
            self._of_key.pop(handed.keys[number], None)
            hiding.forget_secrets(handed.folder, number)
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(self._done, f"{handed.name}.{number}"))
        if not handed.left:
            self.remove(handed)

    def remove(self, handed: Handed) -> None:
        """Remove a batch: a script of it that starts all the same finds nothing to run."""
        self._known.pop(handed.name, None)
        for key in handed.keys:
            self._of_key.pop(key, None)
        shutil.rmtree(handed.folder, ignore_errors=True)

    def tidy(self) -> None:
        """Remove all batches."""
        for path in (self._batches, self._done):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path, exist_ok=True)
        self._known.clear()
        self._of_key.clear()

    def _learn(self, name: str) -> Handed | None:
        """Read a batch that this process, or another one, has written down."""
        folder = os.path.join(self._batches, name)
        try:
            with open(os.path.join(folder, "about.json"), encoding="utf-8") as file:
                about = json.load(file)
            asked = about["request"]
            options = tuple((key, _hashable(value)) for key, value in asked.pop("options"))
            handed = Handed(
                name,
                folder,
                Mode(about["mode"]),
                tuple(about["keys"]),
                Request(**asked, options=options),
                outdirs=tuple(about.get("outdirs", ())),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with contextlib.suppress(OSError), open(os.path.join(folder, "id")) as file:
            handed.job, handed.at = file.read().strip(), os.fstat(file.fileno()).st_mtime
        handed.left = set(handed.keys)
        self._known[name] = handed
        self._of_key.update((key, (name, number)) for number, key in enumerate(handed.keys))
        return handed

    def _record(self, handed: Handed, number: int) -> Record | None:
        path = os.path.join(self._done, f"{handed.name}.{number}")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text, ended = file.read(), os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        begun = self.begun(handed, number, now=True)
        return shell_record(text, begun.at if begun else None, ended)

    def _journalled(self, handed: Handed) -> Iterator[tuple[str, Record]]:
        if handed.journal is None:
            if not handed.listed.has(handed.folder, "journal"):
                return
            handed.journal = Journal(handed.folder)
        try:
            news = handed.journal.read()
        except OSError:  # a disk that is away for a moment: that of others may be there
            return
        begun = self.begun(handed, 0) if news else None
        for entry in news:
            if entry["state"] == "ended" and entry["key"] in handed.keys:
                number = handed.keys.index(entry["key"])
                host, job = (begun.host, begun.job) if begun else ("", handed.job)
                yield f"{handed.name}/{number}", keeper_record(entry, host, job)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Take a disk that is full, or may not be written, for one that may be later."""
    try:
        yield
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:
        raise ExecutorUnavailable(f"{error.filename or 'a disk'}: {error.strerror}") from error


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
