"""Starting a task's process.

Owns its session, its streams and finding its program. Must not know when tasks are started.
"""

import errno
import os
import signal
from typing import Any

from .logs import APPEND, Logs

_RESET = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]


class Starter:
    """Starts processes; ``logs`` lends files for what they write."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        self.programs: dict[tuple[str, str], str] = {}

    def start(self, task: dict[str, Any]) -> int:
        """Start a task as the leader of a session of its own."""
        os.chdir(task["cwd"])
        task["lent"] = {}
        files: list[tuple[Any, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, task["stdin"] or os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, self.stream(task, "stdout"), APPEND, 0o644),
        ]
        if task["stderr"] == task["stdout"]:
            files.append((os.POSIX_SPAWN_DUP2, 1, 2))
        else:
            files.append((os.POSIX_SPAWN_OPEN, 2, self.stream(task, "stderr"), APPEND, 0o644))
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

    def stream(self, task: dict[str, Any], name: str) -> str:
        """Give the file to write a stream to: what lies outside the task's own folder is a log."""
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
