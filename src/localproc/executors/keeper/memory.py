"""Memory that processes take.

Owns reading it off the system (Linux). Must not know whose processes they are.
"""

import os

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> int:
    """Return the bytes that a process has in memory, with all that it shares; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def proportional(pid: int) -> int:
    """Return the bytes that a process has in memory, with its part of what it shares.

    Of one that may not be looked into, what it shares does not count.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"Pss:")) << 10
    except ProcessLookupError:
        return 0
    except OSError:
        return _own(pid)


def _own(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _, taken, shared, *_ = file.read().split()
    except OSError:
        return 0
    return (int(taken) - int(shared)) * _PAGE
