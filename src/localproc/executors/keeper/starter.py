"""Starting a task's process.

Owns its session, its streams and finding its program. Must not know when tasks are started.
"""

import errno
import os
import signal
from typing import Any

from .logs import APPEND, Logs

Actions = list[tuple[Any, ...]]

_RESET = [signal.SIGPIPE, signal.SIGXFSZ]  # ignored by Python
_RESET += [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]  # or by who started it


class Starter:
    """Starts processes; ``logs`` lends files for what they write."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        self.programs: dict[tuple[str, str], str] = {}

    def start(self, task: dict[str, Any]) -> int:
        """Start a task in the current folder, as the leader of a session of its own."""
        task["lent"] = {}
        files: Actions = [
            (os.POSIX_SPAWN_OPEN, 0, task["stdin"] or os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, self.stream(task, "stdout"), APPEND, 0o644),
        ]
        if task["stderr"] == task["stdout"]:
            files.append((os.POSIX_SPAWN_DUP2, 1, 2))
        else:
            files.append((os.POSIX_SPAWN_OPEN, 2, self.stream(task, "stderr"), APPEND, 0o644))
        argv, env = task["argv"], task["env"]
        if not argv:
            raise ValueError("there is no command")
        program = self.program(argv[0], env.get("PATH", os.defpath))
        try:
            return spawn(program, argv, env, files)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise at_fault(error, files) or named(error, program) from error
            # as execvp does with a script without "#!"
            return spawn("/bin/sh", ["/bin/sh", program, *argv[1:]], env, files)

    def stream(self, task: dict[str, Any], name: str) -> str:
        """Return the file to write a stream to; outside the task's own folder it is a log."""
        path: str = task[name]
        if path.startswith(task["cwd"] + "/"):
            return path
        file = self.logs.lend(path)
        if file != path:
            task["lent"][path] = file
        return file

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


def spawn(program: str, argv: list[str], env: dict[str, str], files: Actions) -> int:
    """Start a process in a session of its own; in a group of its own on an older macOS."""
    options: dict[str, Any] = {"file_actions": files, "setsigdef": _RESET, "setsigmask": ()}
    try:
        return os.posix_spawn(program, argv, env, setsid=True, **options)
    except NotImplementedError:
        return os.posix_spawn(program, argv, env, setpgroup=0, **options)


def at_fault(error: OSError, files: Actions) -> OSError | None:
    """Return the error of the stream that kept a process from starting, if it was one."""
    for action, _, path, *how in files:
        if action == os.POSIX_SPAWN_OPEN:
            try:
                os.close(os.open(path, how[0] | os.O_NONBLOCK, how[1]))
            except OSError as found:
                if found.errno == error.errno:
                    return found
    return None


def named(error: OSError, program: str) -> OSError:
    """Tell a program that is missing from one whose interpreter is."""
    if error.errno != errno.ENOENT:
        return error
    if os.path.exists(program):
        return OSError(errno.ENOEXEC, "its interpreter was not found")
    return FileNotFoundError(errno.ENOENT, "command not found")


def refusal(task: dict[str, Any], error: Exception) -> tuple[int, str]:
    """Return the exit code of a task that cannot be started, and what there is to say about it."""
    name = task["argv"][0] if task["argv"] else ""
    reason = getattr(error, "strerror", None) or str(error)
    path = getattr(error, "filename", None)
    if path not in (None, name):
        return 126, f"localproc: cannot start {name!r}: {path}: {reason}\n"
    code = 127 if isinstance(error, FileNotFoundError) else 126
    return code, f"localproc: cannot start {name!r}: {reason}\n"
