"""What the keeper does.

Owns the processes of one engine's tasks. Must not know what they are for.

It reads one JSON object a line from its stdin: ``{"run": key, "argv": [...], "env": {...}, "cwd",
"stdin", "stdout", "stderr", "cores", "ram", "time"}`` or ``{"stop": [key, ...], "id": n}``. What
happens goes to the end of ``FOLDER/journal`` at once: ``{"key", "state": "running", "at", "pid"}``
and ``{"key", "state": "ended", "at", "started", "code", "cpu", "rss", "why"}``. The same lines are
its answers, on stdout, a little later: that a task runs once it turns out not to be a short one,
ends together as long as enough tasks wait here. A task waits until there are cores, ram and a slot
for it, first come, first served. After ``{"state": "stopping", "id": n}`` none of the tasks that
are to stop will start any more; those that run had a SIGTERM.

When the engine goes (end of file on stdin), what waits is dropped, what runs is seen to its end,
and then the keeper goes too. While it lives it holds a lock on ``FOLDER/lock``.
"""

import collections
import contextlib
import fcntl
import heapq
import json
import os
import select
import signal
import sys
import time
from typing import Any

from .logs import APPEND, Logs
from .starter import Starter, refusal

_TERM_GRACE = 2.0
_SHORT = 0.05  # seconds; a task that takes longer is announced, and its logs get their names
_HELD = 0.005  # seconds for which ends may be kept back, to be told together
_PR_SET_CHILD_SUBREAPER = 36


class Keeper:
    """Everything the process holds."""

    def __init__(self, folder: str, cores: float, ram: int, slots: int) -> None:
        self.lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.journal = os.open(os.path.join(folder, "journal"), APPEND, 0o600)
        self.attached = True  # to an engine that lives
        self.inbox = b""
        self.unwritten = b""
        self.cores, self.ram, self.slots = cores, ram, slots
        self.free = [cores, float(ram), float(slots)]
        self.waiting: collections.deque[dict[str, Any]] = collections.deque()
        self.running: dict[int, dict[str, Any]] = {}
        self.deadlines: list[tuple[float, int, int]] = []
        self.logs = Logs(folder)
        self.starter = Starter(self.logs)
        self.young: collections.deque[tuple[float, int]] = collections.deque()
        self.records: list[str] = []
        self.news: list[str] = []
        self.tell_by = 0.0

    def serve(self) -> None:
        """Work until the engine has gone and the last task has ended."""
        wake, signalled = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(signalled, False)
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while self.attached or self.running:
            sources = [wake, 0] if self.attached else [wake]
            ready, _, _ = select.select(sources, [], [], self.patience())
            if wake in ready:
                os.read(wake, 65536)
                self.reap()
            if 0 in ready:
                self.listen()
            self.enforce_limits()
            self.start_waiting()
            self.announce()
            self.write_down()
            self.tell()

    def patience(self) -> float | None:
        """How long nothing may happen."""
        now = time.monotonic()
        due = [self.deadlines[0][0]] if self.deadlines else []
        if self.young:
            due.append(self.young[0][0])
        if self.news:
            due.append(self.tell_by)
        if self.unwritten:
            due.append(now + 0.5)
        return max(0.0, min(due) - now) if due else None

    def listen(self) -> None:
        """Take what the engine says."""
        data = os.read(0, 1 << 16)
        if not data:
            self.detach()
            return
        *lines, self.inbox = (self.inbox + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "run" in message:
                self.waiting.append(message)
            else:
                self.stop(set(message["stop"]))
                self.news.append(json.dumps({"state": "stopping", "id": message["id"]}))
                self.tell_by = 0.0

    def detach(self) -> None:
        """The engine has gone: see to what runs, forget what waits."""
        self.attached = False
        self.waiting.clear()

    def stop(self, keys: set[str]) -> None:
        """Forget tasks that wait, and ask those that run to end."""
        now = time.time()
        waiting, self.waiting = self.waiting, collections.deque()
        for task in waiting:
            if task["run"] in keys:
                self.ended(task, at=now, started=now, code=-15, why="stop")
            else:
                self.waiting.append(task)
        for pid, task in self.running.items():
            if task["run"] in keys:
                self.tell_of(task)  # whoever stops it has to know its process
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGTERM)

    def start_waiting(self) -> None:
        """Start tasks from the head of the queue while there is room for them."""
        while self.waiting and self.has_room(self.waiting[0]):
            task = self.waiting.popleft()
            started = time.time()
            try:
                pid = self.starter.start(task)
            except Exception as error:  # whatever is wrong with one task, the others go on
                self.could_not_start(task, error, started)
                continue
            self.take(task, -1)
            self.running[pid] = task
            now = time.monotonic()
            if task["time"]:
                heapq.heappush(self.deadlines, (now + task["time"], pid, signal.SIGTERM))
            self.young.append((now + _SHORT, pid))
            task["started"] = started
            line = {"key": task["run"], "state": "running", "at": started, "pid": pid}
            task["line"] = json.dumps(line)
            self.records.append(task["line"])

    def announce(self) -> None:
        """Tell of tasks that have been running for a while; pass over those that have ended."""
        now = time.monotonic()
        while self.young and (self.young[0][1] not in self.running or self.young[0][0] <= now):
            _, pid = self.young.popleft()
            if pid in self.running:
                self.tell_of(self.running[pid])
                self.tell_by = now

    def tell_of(self, task: dict[str, Any]) -> None:
        """Tell, once, that a task runs."""
        if "line" in task:
            self.logs.name(task["lent"])
            self.news.append(task.pop("line"))

    def has_room(self, task: dict[str, Any]) -> bool:
        """Whether the task fits beside the others; one too big for the machine runs alone."""
        cores, ram, slots = self.free
        return slots >= 1 and (
            not self.running
            or (
                min(task["cores"], self.cores) <= cores + 1e-9 and min(task["ram"], self.ram) <= ram
            )
        )

    def take(self, task: dict[str, Any], sign: int) -> None:
        """Book (-1) or give back (+1) what a task needs."""
        self.free[0] += sign * min(task["cores"], self.cores)
        self.free[1] += sign * min(task["ram"], self.ram)
        self.free[2] += sign

    def could_not_start(self, task: dict[str, Any], error: Exception, started: float) -> None:
        """Give a task that never was the exit record a shell would have given it."""
        code, text = refusal(task, error)
        with contextlib.suppress(OSError, ValueError):
            fd = os.open(task["stderr"], APPEND, 0o644)
            os.write(fd, text.encode(errors="backslashreplace"))
            os.close(fd)
        self.logs.take_back(task.get("lent", {}))
        self.ended(task, at=time.time(), started=started, code=code, why=text)

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
            self.take(task, 1)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            self.logs.take_back(task["lent"], blank=task["stderr"])
            self.ended(
                task,
                at=time.time(),
                started=task["started"],
                code=os.waitstatus_to_exitcode(status),
                cpu=round(usage.ru_utime + usage.ru_stime, 6),
                rss=usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1),
                **({"why": "timed-out"} if task.get("timed_out") else {}),
            )

    def enforce_limits(self) -> None:
        """Stop tasks that have run for too long."""
        now = time.monotonic()
        while self.deadlines and self.deadlines[0][0] <= now:
            _, pid, number = heapq.heappop(self.deadlines)
            if pid not in self.running:
                continue
            self.running[pid]["timed_out"] = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
            if number == signal.SIGTERM:
                heapq.heappush(self.deadlines, (now + _TERM_GRACE, pid, signal.SIGKILL))

    def ended(self, task: dict[str, Any], **fields: Any) -> None:
        """Note how a task ended."""
        line = json.dumps({"key": task["run"], "state": "ended", **fields})
        self.records.append(line)
        if not self.news:
            self.tell_by = time.monotonic() + _HELD
        self.news.append(line)

    def write_down(self) -> None:
        """Write what happened into the journal. A full disk only delays that."""
        if self.records:
            self.unwritten += ("\n".join(self.records) + "\n").encode()
            self.records.clear()
        if self.unwritten:
            with contextlib.suppress(OSError):
                self.unwritten = self.unwritten[os.write(self.journal, self.unwritten) :]

    def tell(self) -> None:
        """Tell the engine, unless that can wait because there is enough to do without it."""
        if not self.news:
            return
        if len(self.waiting) >= 2 * self.slots and time.monotonic() < self.tell_by:
            return
        data = ("\n".join(self.news) + "\n").encode()
        self.news.clear()
        try:
            while data and self.attached:
                data = data[os.write(1, data) :]
        except OSError:
            self.detach()


def adopt_orphans() -> None:
    """Become the parent of processes that tasks leave behind, so as to reap them (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(folder: str, cores: str, ram: str, slots: str) -> None:
    """Be a keeper."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    adopt_orphans()
    Keeper(folder, float(cores), int(ram), int(slots)).serve()
