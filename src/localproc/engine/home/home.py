"""The folder that holds one store, its job folders, keepers and results.

Owns where everything lies, whether the folder can be used, and which journal mode is safe there.
Must not know what the files hold.
"""

import contextlib
import errno
import fcntl
import os
import re
import tempfile
import uuid
from contextlib import suppress
from typing import Final

from localproc.errors import HomeUnusable, InvalidInputs, StoreCorrupted
from localproc.file_systems import on_network
from localproc.frozen import frozen

DEFAULT_NAMESPACE: Final = "default"
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_FOR_TASKS: Final = ("jobs", "tmp", "cache")
_BALLAST: Final = 512 * 1024


@frozen
class Home:
    """The paths of a home; ``path`` is absolute."""

    path: str

    @property
    def store(self) -> str:
        """The store's file."""
        return os.path.join(self.path, "localproc.db")

    @property
    def log_index(self) -> str:
        """What logs are searched by; there is none until somebody does."""
        return os.path.join(self.path, "logs.db")

    def executor(self, name: str) -> str:
        """The folder of all executors of a name."""
        if name == "local":
            return os.path.join(self.path, "keepers")
        return os.path.join(os.path.dirname(self.jobs), f"executor-{name}")

    @property
    def settings(self) -> str:
        """A file with options of executors and storages; there need not be one."""
        return os.path.join(self.path, "settings.yml")

    @property
    def salt(self) -> str:
        """What digests of secrets are made with; there is none until it is needed."""
        return os.path.join(self.path, ".salt")

    @property
    def engines(self) -> str:
        """The folder of the locks and doorbells of engines."""
        return os.path.join(self.path, "engines")

    @property
    def arrivals(self) -> str:
        """A file that is locked while a process is on its way that will run the home's jobs."""
        return os.path.join(self.path, "arrivals.lock")

    def results(self, namespace: str) -> str:
        """Where results are published unless told otherwise."""
        folder = os.path.join(self.path, "results")
        return folder if namespace == DEFAULT_NAMESPACE else os.path.join(folder, namespace)

    @property
    def ballast(self) -> str:
        """A file that is given up when the disk is full, so that this can still be recorded."""
        return os.path.join(self.path, ".ballast")

    @property
    def remnants(self) -> str:
        """A file for each job whose results have to be removed; there is none until one has."""
        return os.path.join(self.path, "remnants")

    @property
    def jobs(self) -> str:
        """The folder of the folders of all jobs."""
        return self._at("jobs")

    @property
    def tmp(self) -> str:
        """The folder of the temporary folders of engines."""
        return self._at("tmp")

    @property
    def steps(self) -> str:
        """The folder of outputs that are kept for reuse."""
        return os.path.join(self._at("cache"), "steps")

    @property
    def inputs(self) -> str:
        """The folder of inputs that were brought from elsewhere and are kept."""
        return os.path.join(self._at("cache"), "inputs")

    def job(self, job_id: str) -> str:
        """A job's folder."""
        return os.path.join(self.jobs, job_id)

    def logs(self, job_id: str) -> str:
        """The folder of a job's step logs."""
        return os.path.join(self.jobs, job_id, "logs")

    def prepare(self, work: str | None = None) -> str:
        """Make the folder fit for use; give the journal mode that is safe there.

        ``work`` is where jobs, temporary folders and kept outputs are to lie; the home remembers
        that. Raises ``HomeUnusable`` for a folder that cannot be written, whose file system has no
        working locks, or that has its jobs elsewhere already; ``StoreCorrupted`` for one with jobs
        whose store is gone.
        """
        try:
            os.makedirs(self.path, exist_ok=True)
            if work is not None:
                self._work_in(os.path.realpath(work))
            for folder in (self.path, self.engines, self.jobs):
                os.makedirs(folder, exist_ok=True)
            self._try_lock()
            self._check_store()
            self._check_names()
        except ValueError as error:
            raise HomeUnusable(
                f"the home {self.path!r} cannot be used: {error}",
                hint="its name needs a locale of UTF-8: set PYTHONUTF8=1, or choose another home",
            ) from error
        except OSError as error:
            at = f"{error.filename}: " if error.filename not in (None, self.path) else ""
            raise HomeUnusable(
                f"the home {self.path} cannot be used: {at}{error.strerror or error}",
                hint="choose another one with --home or LOCALPROC_HOME",
            ) from error
        # A write-ahead log needs memory shared by all who use it: machines have none between them.
        return "delete" if on_network(self.path) else "wal"

    def keep_ballast(self) -> None:
        """Set some room aside, if there is any."""
        try:
            with open(self.ballast, "xb") as file:
                file.write(bytes(_BALLAST))
        except FileExistsError:
            pass
        except OSError:
            self.drop_ballast()

    def drop_ballast(self) -> bool:
        """Return that room up; whether there was any."""
        try:
            os.remove(self.ballast)
        except FileNotFoundError:
            return False
        return True

    def _at(self, part: str) -> str:
        """Return a part of the home by its real path, for other machines may not see the home."""
        path = os.path.join(self.path, part)
        return os.readlink(path) if os.path.islink(path) else path

    def _work_in(self, work: str) -> None:
        """Have the parts that tasks see lie in another folder, one for each home."""
        name = f"localproc-{os.path.basename(self.path).strip('.')}-{uuid.uuid4().hex[:12]}"
        if self._works_in(work, "jobs") or work == self.path:
            return
        for part in _FOR_TASKS:
            path, target = os.path.join(self.path, part), os.path.join(work, name, part)
            try:
                if os.path.isdir(path) and not os.path.islink(path):
                    with contextlib.suppress(FileNotFoundError):  # another process has done so
                        os.rmdir(path)  # nothing is in there yet
                os.makedirs(target)
                os.symlink(target, path)
            except FileExistsError:
                if self._works_in(work, part):  # another process has opened it just now
                    os.removedirs(target)
                    continue
                ours = os.path.dirname(self.jobs)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                ours = self.path
            else:
                continue
            raise HomeUnusable(
                f"the home {self.path} has its jobs in {ours}",
                hint=f"leave --work out, or choose another home to work in {work}",
            )

    def _works_in(self, work: str, part: str) -> bool:
        return os.path.dirname(os.path.dirname(self._at(part))) == work

    def _check_store(self) -> None:
        """See that a home which has had jobs has its store: an empty one would know of none."""
        if not self._lacks_store():
            return
        count = sum(entry.is_dir() for entry in os.scandir(self.jobs))
        said = self._lacks_store()  # another process may have made it, and its first jobs
        if count and said:
            raise StoreCorrupted(
                f"the store {self.store} {said}, but there are folders of {count} jobs beside it",
                hint=f"restore a backup (localproc restore), or begin anew: "
                f"mv {self.jobs} {self.jobs}.old",
            )

    def _check_names(self) -> None:
        """See that the store is no other home's too: SQLite has a log for each name of a file."""
        with suppress(FileNotFoundError):
            if os.stat(self.store).st_nlink > 1:
                raise StoreCorrupted(
                    f"the store {self.store} is a file of several names (cp -l makes them): "
                    "whoever opens it by another one would damage it",
                    hint=f"give it a file of its own while nobody uses it: cp {self.store} "
                    f"{self.store}.own; mv {self.store}.own {self.store}",
                )

    def _lacks_store(self) -> str:
        """Say what is wrong with the store's file; empty if it has something in it."""
        try:
            return "" if os.stat(self.store).st_size else "is empty"
        except FileNotFoundError:
            return "is missing"

    def _try_lock(self) -> None:
        """See that locks work: the store and the engines rely on them."""
        file, path = tempfile.mkstemp(prefix=".try-", dir=self.engines)  # each opening its own
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HomeUnusable(
                f"file locks do not work in {self.path}: {error.strerror}",
                hint="put the home on a local disk (--home /tmp/localproc-$USER); results may go "
                "to the shared file system (--results DIR)",
            ) from error
        finally:
            os.close(file)
            os.remove(path)


def check_namespace(name: str) -> str:
    """Return a name that can be a folder's and a part of a URL; raises ``InvalidInputs``."""
    if _NAMESPACE.fullmatch(name):
        return name
    raise InvalidInputs(
        f"{name!r} cannot be a namespace",
        hint="a namespace has letters, digits and . _ ~ - alone, at most 64, and begins with a "
        "letter or digit",
    )
