"""Processes that tests start: none outlives its test, and a failure tells what has become of it."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.patience import patient


@contextmanager
def child(command: Sequence[object], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Start a process, which does not outlive the block; ``options`` are those of ``Popen``.

    If the block fails the exception has a note: with what code the process had ended, or what its
    threads were doing if it is Python, and what it has written that nobody has read.
    """
    options["env"] = {**options.get("env", os.environ), "PYTHONFAULTHANDLER": "1"}
    with subprocess.Popen(list(map(str, command)), **options) as process:
        try:
            yield process
        except BaseException as error:
            error.add_note(_became(process))
            raise
        finally:
            process.kill()


def _became(process: "subprocess.Popen[Any]") -> str:
    code = process.poll()
    if code is None:
        said = "was still running; SIGABRT has it say where"
        process.send_signal(signal.SIGABRT)
    else:
        said = f"had ended with {code}"
    return "\n".join([f"{process.args!r} {said}", *_unread(process)])


def _unread(process: "subprocess.Popen[Any]") -> Iterator[str]:
    """Yield what is left in the pipes of a process."""
    try:
        parts = process.communicate(timeout=patient(2))
    except (ValueError, subprocess.TimeoutExpired) as error:  # a pipe is closed, or another's too
        yield f"what it has written cannot be read: {error}"
        return
    for name, part in zip(("stdout", "stderr"), parts, strict=True):
        if part:
            text = part if isinstance(part, str) else part.decode(errors="replace")
            yield f"--- {name}\n{text}"
