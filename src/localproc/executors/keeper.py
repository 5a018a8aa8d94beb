"""The keeper: a small process that starts tasks, records their ends and outlives the engine.

Run as a script, with the standard library alone and without site-packages, so that it starts in
milliseconds: ``python -I -S keeper.py FOLDER CORES RAM SLOTS``. Owns the processes of one engine's
tasks. Must not know what they are for.

It reads one JSON object a line from its stdin: ``{"run": key, "argv": [...], "env": {...}, "cwd",
"stdin", "stdout", "stderr", "cores", "ram", "time"}`` or ``{"stop": [key, ...], "id": n}``. Every
line that it answers, on stdout, goes to the end of ``FOLDER/journal`` first: ``{"key", "state":
"running", "at", "pid"}`` and ``{"key", "state": "ended", "at", "started", "code", "cpu", "rss",
"why"}``. A task waits until there are cores, ram and a slot for it, first come, first served. After
``{"state": "stopping", "id": n}`` none of the tasks that are to stop will start any more; those
that run had a SIGTERM.

When the engine goes (end of file on stdin), what waits is dropped, what runs is seen to its end,
and then the keeper goes too. While it lives it holds a lock on ``FOLDER/lock``.
"""

import collections
import contextlib
import errno
import fcntl
import heapq
import json
import os
import select
import signal
import sys
import time
from typing import Any

_RESET = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_TERM_GRACE = 2.0
_PR_SET_CHILD_SUBREAPER = 36


class Keeper:
    """Everything the process holds."""

    def __init__(self, folder: str, cores: float, ram: int, slots: int) -> None:
        self.lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.journal = os.open(os.path.join(folder, "journal"), _APPEND, 0o600)
        self.attached = True  # to an engine that lives
        self.inbox = b""
        self.unwritten = b""
        self.cores, self.ram, self.slots = cores, ram, slots
        self.free = [cores, float(ram), float(slots)]
        self.waiting: collections.deque[dict[str, Any]] = collections.deque()
        self.running: dict[int, dict[str, Any]] = {}
        self.deadlines: list[tuple[float, int, int]] = []
        self.programs: dict[tuple[str, str], str] = {}
        self.news: list[str] = []

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
            self.tell()

    def patience(self) -> float | None:
        """How long nothing may happen."""
        if self.unwritten:
            return 0.5
        if self.deadlines:
            return max(0.0, self.deadlines[0][0] - time.monotonic())
        return None

    def listen(self) -> None:
        """Take what the engine says."""
        data = os.read(0, 1 << 20)
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
                self.note(key="", state="stopping", id=message["id"])

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
                self.note(key=task["run"], state="ended", at=now, started=now, code=-15, why="stop")
            else:
                self.waiting.append(task)
        for pid, task in self.running.items():
            if task["run"] in keys:
                try:
                    os.killpg(pid, signal.SIGTERM)
                except ProcessLookupError:
                    continue

    def start_waiting(self) -> None:
        """Start tasks from the head of the queue while there is room for them."""
        while self.waiting and self.has_room(self.waiting[0]):
            task = self.waiting.popleft()
            started = time.time()
            try:
                pid = self.spawn(task)
            except OSError as error:
                self.could_not_start(task, error, started)
                continue
            self.take(task, -1)
            task["started"] = started
            self.running[pid] = task
            if task["time"]:
                deadline = time.monotonic() + task["time"]
                heapq.heappush(self.deadlines, (deadline, pid, signal.SIGTERM))
            self.note(key=task["run"], state="running", at=started, pid=pid)

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

    def spawn(self, task: dict[str, Any]) -> int:
        """Start a task as the leader of a session of its own."""
        os.chdir(task["cwd"])
        files: list[tuple[Any, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, task["stdin"] or os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, task["stdout"], _APPEND, 0o644),
        ]
        if task["stderr"] == task["stdout"]:
            files.append((os.POSIX_SPAWN_DUP2, 1, 2))
        else:
            files.append((os.POSIX_SPAWN_OPEN, 2, task["stderr"], _APPEND, 0o644))
        argv, env = task["argv"], task["env"]
        program = self.program(argv[0], env.get("PATH", os.defpath))
        options: dict[str, Any] = {"file_actions": files, "setsigdef": _RESET, "setsigmask": ()}
        try:
            return os.posix_spawn(program, argv, env, setsid=True, **options)
        except NotImplementedError:  # an older macOS
            return os.posix_spawn(program, argv, env, setpgroup=0, **options)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            shell = ["/bin/sh", program, *argv[1:]]  # as execvp does with a script without "#!"
            return os.posix_spawn("/bin/sh", shell, env, setpgroup=0, **options)

    def program(self, name: str, path: str) -> str:
        """Find a program the way execvp does, in the task's own PATH."""
        if "/" in name:
            return name
        found = self.programs.get((name, path))
        if found is None:
            for folder in path.split(":"):
                found = os.path.join(folder or ".", name)
                if os.access(found, os.X_OK) and not os.path.isdir(found):
                    break
            else:
                raise FileNotFoundError(errno.ENOENT, "command not found", name)
            self.programs[name, path] = found
        return found

    def could_not_start(self, task: dict[str, Any], error: OSError, started: float) -> None:
        """Give a task that never was the exit record a shell would have given it."""
        text = f"localproc: cannot start {task['argv'][0]!r}: {error.strerror}\n"
        try:
            fd = os.open(task["stderr"], _APPEND, 0o644)
            os.write(fd, text.encode())
            os.close(fd)
        except OSError:
            pass
        code = 127 if error.errno == errno.ENOENT else 126
        now = time.time()
        self.note(key=task["run"], state="ended", at=now, started=started, code=code, why=text)

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
            self.note(
                key=task["run"],
                state="ended",
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
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                continue
            if number == signal.SIGTERM:
                heapq.heappush(self.deadlines, (now + _TERM_GRACE, pid, signal.SIGKILL))

    def note(self, **fields: Any) -> None:
        """Remember a line to tell."""
        self.news.append(json.dumps(fields))

    def tell(self) -> None:
        """Write what happened down, then tell the engine. A full disk only delays the writing."""
        if not self.news and not self.unwritten:
            return
        data = ("\n".join(self.news) + "\n").encode() if self.news else b""
        self.news.clear()
        self.unwritten += data
        try:
            written = os.write(self.journal, self.unwritten)
            self.unwritten = self.unwritten[written:]
        except OSError:
            pass
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


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    adopt_orphans()
    Keeper(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])).serve()
