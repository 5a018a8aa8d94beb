"""What of this machine belongs to one round: its processes, and what lies in its home.

Owns finding and killing them. Must not know what a round does. Linux only, for ``/proc``.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path


def processes(folder: Path) -> dict[int, str]:
    """Return the command lines of the processes that work in a folder or are told of it, by pid."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with suppress(OSError):
                if (line := _told_of(Path("/proc", name), str(folder))) is not None:
                    found[int(name)] = line
    return found


def _told_of(process: Path, folder: str) -> str | None:
    line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if not line:
        return None  # it has ended
    environment = (process / "environ").read_bytes().decode(errors="replace")
    here = os.readlink(process / "cwd")
    mine = folder in line or folder in environment or here.startswith(folder)
    return line if mine else None


def kill(pid: int) -> None:
    """Kill a process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def contents(folder: Path) -> dict[str, str]:
    """Return the files below a folder with their contents."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def leftovers(home: Path) -> list[str]:
    """Return what should not be there once nothing runs in a home."""
    rooms = [path for name in ("keepers", "engines", "tmp") for path in (home / name).glob("*")]
    folders = [path for path in home.glob("jobs/*/*") if path.name != "logs"]
    hidden = [path for path in home.glob("results/*") if path.name.startswith(".")]
    return [str(path.relative_to(home)) for path in (*rooms, *folders, *hidden)]
