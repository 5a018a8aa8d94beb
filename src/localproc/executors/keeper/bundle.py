"""A keeper of a bundle: tasks that share what a batch scheduler has given them.

Owns what is different where no engine is there to talk to: all tasks are known from the start, stop
notes lie in the bundle's folder, locks may not work there, and a temporary folder is the node's.
Must not know any scheduler.

``bundle.py FOLDER JOB TMP CORES RAM`` runs the tasks of ``FOLDER/tasks.json``, one on a line, and
ends with the last one. ``FOLDER/stop.N`` asks for the end of task N, with the seconds between TERM
and KILL in it; URG has this process look for such notes at once. ``FOLDER/alive`` gets another
time every five seconds. TERM ends everything. The journal
is that of a keeper, and written through to the disk twice a second.
"""

import contextlib
import json
import os
import signal
import sys
import time
from typing import Any

if not __package__:
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    __package__ = os.path.basename(os.path.dirname(os.path.abspath(__file__)))
    __import__(__package__)

from .keeper import Keeper
from .scratch import Scratch

_LOOK = 1.0  # seconds between looks for stop notes: TERM is quicker, if it comes
_SIGN = 5.0  # seconds between signs of life
_SKEW = 1.0  # seconds that the node's clock may differ from that of the disk
_GRACE = 2.0
_SHOW = 0.5  # seconds between two calls that have other machines see the journal, at least
_LISTED = 100  # files whose sizes are told, at most
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


class Bundle(Keeper):
    """Runs tasks to their ends without an engine."""

    def __init__(self, folder: str, job: str, tmp: str, cores: float, ram: int) -> None:
        with open(os.path.join(folder, "tasks.json"), encoding="utf-8") as file:
            tasks = [json.loads(line) for line in file]
        super().__init__(folder, cores, ram, len(tasks))
        self.attached = False
        self.job, self.scratch = job, Scratch(tmp)
        self.keys = [task["run"] for task in tasks]
        self.waiting.extend(tasks)
        self.noted: set[str] = set()
        self.leaving = False
        self.next_look = 0.0
        self.oom = Oom(job)
        self.unshown, self.next_show = False, 0.0
        self.next_sign = 0.0
        signal.signal(signal.SIGTERM, self.be_told)
        signal.signal(signal.SIGURG, self.be_told)

    def be_told(self, number: int, _: object) -> None:
        """Somebody wants something, or everything, to end."""
        self.leaving = self.leaving or number == signal.SIGTERM
        self.next_look = 0.0

    def has_work(self) -> bool:
        """Whether anything is left to do."""
        if time.monotonic() >= self.next_look:
            self.read_notes()
        unwritten = self.journal.unwritten or self.journal.lines
        return bool(self.waiting or self.running or self.clearing or unwritten)

    def patience(self) -> float | None:
        """How long nothing may happen."""
        now = time.monotonic()
        if self.may_start(now):
            return 0.0
        due = super().patience()
        next_turn = min(self.next_look, self.next_show) if self.unshown else self.next_look
        look = max(0.0, next_turn - now)
        return look if due is None else min(due, look)

    def read_notes(self) -> None:
        """Stop what is to be stopped."""
        self.next_look = time.monotonic() + _LOOK
        self.give_sign()
        with contextlib.suppress(OSError):
            new = {one for one in os.listdir(self.folder) if one.startswith("stop.")} - self.noted
            for name in new:
                self.stop_one(name)
            self.noted |= new
        if self.leaving and (self.waiting or self.running):
            self.leaving = False
            self.waiting.clear()  # what has not begun has no end
            for task in self.running.values():
                task.setdefault("why", "TERM")
            self.stop(set(self.keys), _GRACE)

    def give_sign(self) -> None:
        """Have it seen that this lives: the file's time changes, for which a full disk has room.

        It is the disk's time, which others see too: that of a node may be hours off.
        """
        if time.monotonic() >= self.next_sign:
            self.next_sign = time.monotonic() + _SIGN
            with contextlib.suppress(OSError):
                file = os.open(os.path.join(self.folder, "alive"), os.O_WRONLY | os.O_CREAT, 0o600)
                os.utime(file)
                ahead = time.time() - os.fstat(file).st_mtime
                self.ahead = ahead if abs(ahead) > _SKEW else 0.0
                os.close(file)

    def stop_one(self, name: str) -> None:
        """Stop the task of a note."""
        number = name.partition(".")[2]
        with open(os.path.join(self.folder, name), encoding="ascii") as file:
            text = file.read().strip()
        key = self.keys[int(number)]
        for task in self.running.values():
            if task["run"] == key:
                task.setdefault("why", "note")
        self.stop({key}, float(text or _GRACE))

    def start_waiting(self) -> None:
        """Start tasks while there is room: nobody but the bundle's marker fences them."""
        now = time.monotonic()
        if not self.journal.unwritten:
            self.start_those_with_room(now)

    def start(self, task: dict[str, Any]) -> None:
        """Start a task, with what it shall have of the node."""
        env = task["env"]
        env.update((name, os.environ[name]) for name in task["keep"] if name in os.environ)
        if task["local"] and "made" not in task:
            name = f"localproc.{self.job}.{self.keys.index(task['run'])}"
            with contextlib.suppress(OSError):
                task["made"] = env["TMPDIR"] = self.scratch.lend(name)
        super().start(task)

    def why(self, task: dict[str, Any]) -> str:
        """Say why a task has ended: the kernel counts what it kills for want of memory."""
        if task["end"]["code"] in _KILLED and self.oom.has_grown():
            return "out-of-memory"
        return super().why(task) or task.get("why", "")

    def ended(self, task: dict[str, Any], **fields: Any) -> None:
        """Note how a task ended, and take back its temporary folder."""
        if task.get("made"):
            self.scratch.take_back(task.pop("made"))
        if files := files_of(task["cwd"]):
            fields["files"] = files
        super().ended(task, **fields)

    def write_down(self) -> None:
        """Write what happened, and see that other machines are shown it."""
        self.unshown = self.unshown or bool(self.journal.lines or self.journal.unwritten)
        super().write_down()
        idle = not (self.waiting or self.running or self.clearing)
        if self.unshown and (idle or time.monotonic() >= self.next_show):
            self.unshown, self.next_show = False, time.monotonic() + _SHOW
            with contextlib.suppress(OSError):
                os.fsync(self.journal.file)

    def abandon(self) -> None:
        """The folder has been removed: nothing is started any more either."""
        self.waiting.clear()
        super().abandon()


def files_of(folder: str) -> dict[str, int]:
    """Return the files at the top of a folder with their sizes: others may see them later."""
    found = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                found[entry.name] = entry.stat(follow_symlinks=False).st_size
                if len(found) == _LISTED:
                    break
    return found


class Oom:
    """How many processes of a job the kernel has killed for want of memory."""

    def __init__(self, job: str) -> None:
        self.file = ""
        with contextlib.suppress(OSError), open("/proc/self/cgroup", encoding="utf-8") as file:
            for line in file:
                _, kind, path = line.rstrip("\n").split(":", 2)
                if job in path and kind == "memory":
                    self.file = f"/sys/fs/cgroup/memory{path}/memory.oom_control"
                elif job in path and not kind and not self.file:
                    self.file = f"/sys/fs/cgroup{path}/memory.events"
        self.known = self.count()

    def count(self) -> int:
        """Return the number."""
        with contextlib.suppress(OSError), open(self.file, encoding="ascii") as file:
            for line in file:
                word, _, number = line.partition(" ")
                if word == "oom_kill":
                    return int(number)
        return 0

    def has_grown(self) -> bool:
        """Whether there are more than the last time."""
        before, self.known = self.known, self.count()
        return self.known > before


def main(folder: str, job: str, tmp: str, cores: str, ram: str) -> None:
    """Run a bundle."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.makedirs(tmp, exist_ok=True)
    bundle = Bundle(folder, job, tmp, float(cores), int(ram))
    bundle.serve()
    bundle.scratch.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
