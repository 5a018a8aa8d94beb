"""What the keeper does.

Owns the processes of one engine's tasks. Must not know what they are for.

It reads one JSON object a line from its stdin: ``{"run": key, "argv": [...], "env": {...}, "cwd",
"stdin", "stdout", "stderr", "cores", "ram", "held": {"cores", "ram", "processes"}, "time"}`` or
``{"stop": [key, ...], "id": n}``. What happens goes to the end of ``FOLDER/journal`` at once:
``{"key", "state": "starting"}`` before there is a process, ``{"key", "state": "running", "at",
"pid"}`` and ``{"key", "state": "ended", "at", "started", "code", "cpu", "rss", "why"}``. The last
two are its answers too, on stdout, later: that a task runs once it is not a short one, ends
together as long as enough tasks wait here. A task waits until there are cores, ram and a slot for
it, first come, first served; also, told by ``{"key", "state": "waiting", "why"}``, while the system
has no room for another process. After ``{"state": "stopping", "id": n}`` none of the tasks that are
to stop will start any more; those that run had a SIGTERM. A task has ended when nothing of it is
left that the keeper has inherited.

When the engine goes (end of file on stdin), what waits is dropped, what runs is seen to its end,
and then the keeper goes too; at once, with all that runs, if its folder is removed. While it lives
it holds a lock on ``FOLDER/lock``. It starts tasks only while it holds a shared lock on
``FOLDER/fence`` and nothing stands in there: whoever writes into it, and then gets a lock of its
own, may be sure that nothing is started any more, and that all that was stands in the journal.
"""

import collections
import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import sys
import time
from typing import Any

from .booking import Booking
from .journal_writer import JournalWriter
from .logs import Logs, append
from .processors import Processors
from .signalling import Deadlines, signal_all, signal_group
from .starter import Starter, refusal
from .strays import Strays, mark_of
from .watching import LimitWatch, end_all

_TERM_GRACE = 2.0
_SHORT = 0.05  # seconds; a task that takes longer is announced, and its logs get their names
_FENCING = 0.005  # seconds until it is seen whether nothing may be started any more
_AGAIN = 0.25  # seconds until it is tried again to start what there was no room for
_CLEARING = 5.0  # seconds that what a killed task has left may take to go
_LOOK = 2.0  # seconds between looks whether the folder is still there, without an engine
_PIECE = 1 << 16  # bytes that are read at a time


class Keeper:
    """Everything the process holds."""

    def __init__(self, folder: str, cores: float, ram: int, slots: int) -> None:
        self.folder = folder
        self.journal = JournalWriter(folder)
        self.booking = Booking(cores, ram, slots)
        self.attached, self.inbox = True, b""  # to an engine that lives
        self.waiting: collections.deque[dict[str, Any]] = collections.deque()
        self.running: dict[int, dict[str, Any]] = {}
        self.clearing: list[dict[str, Any]] = []  # have ended, but something of them is left
        self.strays = Strays()
        self.retry_at = 0.0
        self.ahead = 0.0  # seconds by which the clock is ahead of what is written down
        self.deadlines = Deadlines()
        self.processors, self.watch = Processors(), LimitWatch()
        self.logs = Logs(folder)
        self.starter = Starter(self.logs)
        self.young: collections.deque[tuple[float, int]] = collections.deque()

    def claim(self) -> None:
        """Lock the folder, for as long as this process lives."""
        self.lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.fence = os.open(os.path.join(self.folder, "fence"), os.O_RDWR | os.O_CREAT, 0o600)

    def has_work(self) -> bool:
        """Whether the engine may say something, or something is left of a task."""
        return bool(self.attached or self.running or self.clearing)

    def serve(self) -> None:
        """Work until the engine has gone and the last task has ended."""
        wake, signalled = os.pipe()
        for file in (wake, signalled, 0):
            os.set_blocking(file, False)
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while self.has_work():
            sources = [wake, 0] if self.attached else [wake]
            ready, _, _ = select.select(sources, [], [], self.patience())
            if wake in ready:
                os.read(wake, 65536)
                self.reap()
            if 0 in ready:
                self.listen()
            if not self.attached and not os.fstat(self.journal.file).st_nlink:
                self.abandon()
            self.clear()
            self.enforce_limits()
            self.start_waiting()
            self.announce()
            self.write_down()
            self.tell()

    def patience(self) -> float | None:
        """How long nothing may happen."""
        now = time.monotonic()
        due = [limit for limit in (self.deadlines.next(), self.watch.next()) if limit is not None]
        if self.young:
            due.append(self.young[0][0])
        if self.journal.news:
            due.append(self.journal.tell_by)
        if self.journal.unwritten or self.clearing:
            due.append(now + 0.5)
        if self.waiting and self.retry_at > now:
            due.append(self.retry_at)
        if not self.attached:
            due.append(now + _LOOK)
        return max(0.0, min(due) - now) if due else None

    def listen(self) -> None:
        """Take all that the engine has said: what is to stop is not to be started before."""
        data = os.read(0, _PIECE)
        self.inbox += data
        with contextlib.suppress(BlockingIOError):
            while len(data) == _PIECE:
                data = os.read(0, _PIECE)
                self.inbox += data
        *lines, self.inbox = self.inbox.split(b"\n")
        for line in lines:
            message = json.loads(line.decode())
            if "run" in message:
                self.waiting.append(message)
            else:
                self.stop(set(message["stop"]), message["grace"])
                self.journal.tell_now(json.dumps({"state": "stopping", "id": message["id"]}))
        if not data:
            self.detach()

    def detach(self) -> None:
        """The engine has gone: see to what runs, forget what waits."""
        if self.attached:
            self.journal.lines.append(json.dumps({"state": "detached"}))
        self.attached = False
        self.waiting.clear()

    def abandon(self) -> None:
        """The home has been removed: nobody will ever ask for what runs."""
        for pid in self.running:
            signal_group(pid, signal.SIGKILL)

    def stop(self, keys: set[str], grace: float) -> None:
        """Forget tasks that wait, and ask those that run to end."""
        now = time.time() - self.ahead
        waiting, self.waiting = self.waiting, collections.deque()
        for task in waiting:
            if task["run"] in keys:
                self.ended(task, at=now, started=now, code=-15, why="stop")
            else:
                self.waiting.append(task)
        stopping = {pid: task for pid, task in self.running.items() if task["run"] in keys}
        left = self.strays.by_mark(set(self.running)) if stopping else {}
        for pid, task in stopping.items():
            self.tell_of(task)  # whoever stops it has to know its process
            signal_group(pid, signal.SIGTERM)
            signal_all(left.get(task["mark"], []), signal.SIGTERM)
            self.deadlines.add(grace, pid, signal.SIGKILL, task["run"])

    def start_waiting(self) -> None:
        """Start tasks from the head of the queue while there is room for them."""
        now = time.monotonic()
        if self.journal.unwritten or not self.may_start(now):
            return
        try:
            fcntl.flock(self.fence, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # it is just being fenced
            self.retry_at = now + _FENCING
            return
        if os.pread(self.fence, 1, 0):
            self.detach()
        self.start_those_with_room(now)
        self.write_down()
        fcntl.flock(self.fence, fcntl.LOCK_UN)

    def start_those_with_room(self, now: float) -> None:
        """Start tasks from the head of the queue."""
        while self.may_start(now):
            self.start(self.waiting.popleft())
        self.strays.unmark()

    def may_start(self, now: float) -> bool:
        """Whether a task waits, and the first one fits beside those that run."""
        room = self.waiting and self.booking.has(self.waiting[0], alone=not self.running)
        return bool(room) and now >= self.retry_at

    def start(self, task: dict[str, Any]) -> None:
        """Start a task, or put it back if the system has no room for a process."""
        started, name = time.time() - self.ahead, json.dumps(task["run"])
        try:
            self.journal.write_at_once(f'{{"key": {name}, "state": "starting"}}')
            os.chdir(task["cwd"])
            task["mark"] = mark_of(os.getcwd())
            self.strays.mark(task["mark"])
            with self.processors.lent(task):
                pid = self.starter.start(task)
        except Exception as error:  # whatever is wrong with one task, the others go on
            if getattr(error, "errno", None) in (errno.EAGAIN, errno.ENOMEM):
                self.put_back(task, error)
            else:
                self.could_not_start(task, error, started)
            return
        self.booking.take(task)
        self.running[pid] = task
        self.watch.begin(pid, task)
        if task["time"]:
            self.deadlines.add(task["time"], pid, signal.SIGTERM, task["run"])
        self.young.append((time.monotonic() + _SHORT, pid))
        task["started"] = started
        task["line"] = f'{{"key": {name}, "state": "running", "at": {started}, "pid": {pid}}}'
        self.journal.lines.append(task["line"])

    def put_back(self, task: dict[str, Any], error: Exception) -> None:
        """Have a task wait until the system has room for it."""
        self.logs.take_back(task.get("lent", {}))
        self.waiting.appendleft(task)
        self.retry_at = time.monotonic() + _AGAIN
        if not task.get("told_why"):
            task["told_why"] = True
            why = f"it cannot be started yet: {getattr(error, 'strerror', None) or error}"
            said = {"key": task["run"], "state": "waiting", "why": why}
            self.journal.news.append(json.dumps(said))

    def announce(self) -> None:
        """Tell of tasks that have been running for a while; pass over those that have ended."""
        now = time.monotonic()
        while self.young and (self.young[0][1] not in self.running or self.young[0][0] <= now):
            _, pid = self.young.popleft()
            if pid in self.running:
                self.tell_of(self.running[pid])
                self.journal.tell_by = now

    def tell_of(self, task: dict[str, Any]) -> None:
        """Tell, once, that a task runs."""
        if "line" in task:
            self.logs.name(task["lent"])
            self.journal.news.append(task.pop("line"))

    def could_not_start(self, task: dict[str, Any], error: Exception, started: float) -> None:
        """Give a task that never was the exit record a shell would have given it."""
        code, text = refusal(task, error)
        append(task["stderr"], text)
        self.logs.take_back(task.get("lent", {}))
        self.ended(task, at=time.time() - self.ahead, started=started, code=code, why=text)

    def reap(self) -> None:
        """Record the ends of tasks, and end what they left behind."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            task = self.running.pop(pid, None)
            if task is None:
                continue
            self.booking.give_back(task)
            self.processors.give_back(task)
            self.watch.end(task)
            signal_group(pid, signal.SIGKILL)
            task["clear_by"] = time.monotonic() + _CLEARING
            task["end"] = {
                "at": time.time() - self.ahead,
                "started": task["started"],
                "code": os.waitstatus_to_exitcode(status),
                "cpu": round(usage.ru_utime + usage.ru_stime, 6),
                "rss": usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1),
            }
            if why := self.why(task):
                task["end"]["why"] = why
            self.clearing.append(task)

    def why(self, task: dict[str, Any]) -> str:
        """Say why a task has ended, if there is more to say than its code."""
        return str(task.get("beyond", ""))

    def clear(self) -> None:
        """Record the ends of tasks of which nothing is left; end what is."""
        if not self.clearing:
            return
        left = self.strays.by_mark(set(self.running))
        rest = [] if self.running else [pid for pids in left.values() for pid in pids]
        clearing, self.clearing = self.clearing, []
        for task in clearing:
            mine = rest or left.get(task["mark"], [])  # a daemon may have lost its mark
            if mine and time.monotonic() < task["clear_by"]:
                signal_all(mine, signal.SIGKILL)
                self.clearing.append(task)
            else:
                self.logs.take_back(task["lent"], blank=task["stderr"])
                self.ended(task, **task["end"])

    def enforce_limits(self) -> None:
        """Stop tasks that have run for too long, or take more than they are held to."""
        for pid, number, key in self.deadlines.due():
            if pid not in self.running or self.running[pid]["run"] != key:
                continue
            signal_group(pid, number)
            if number == signal.SIGTERM:
                self.running[pid].setdefault("beyond", "timed-out")
                self.deadlines.add(_TERM_GRACE, pid, signal.SIGKILL, key)
        for pid, why in self.watch.beyond():
            self.running[pid].setdefault("beyond", why)
            end_all(pid, self.running[pid]["mark"])

    def ended(self, task: dict[str, Any], **fields: Any) -> None:
        """Note how a task ended."""
        line = json.dumps({"key": task["run"], "state": "ended", **fields})
        self.journal.lines.append(line)
        self.journal.tell_soon(line)

    def write_down(self) -> None:
        """Write what happened into the journal."""
        self.journal.write_down()

    def tell(self) -> None:
        """Tell the engine, unless that can wait because there is enough to do without it."""
        journal = self.journal
        if not journal.news:
            return
        if len(self.waiting) >= 2 * self.booking.slots and time.monotonic() < journal.tell_by:
            return
        if not self.attached:
            journal.news.clear()
            return
        try:
            journal.tell()
        except OSError:
            self.detach()


def main(folder: str, cores: str, ram: str, slots: str) -> None:
    """Be a keeper."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    keeper = Keeper(folder, float(cores), int(ram), int(slots))
    keeper.claim()
    keeper.serve()
