"""The command line as a test types it."""

import gc
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import click
from click.testing import CliRunner

from localproc.cli import main
from tests.children import child
from tests.patience import patient


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class _Program(click.Command):
    """Lets a runner call what the ``localproc`` program calls."""

    def main(self, args: Any = None, **_: Any) -> Any:  # type: ignore[override]
        main(list(args))


def localproc(*words: object) -> Said:
    """Run a command within this process. An error that is not ours is raised."""
    result = CliRunner().invoke(_Program("localproc"), [str(word) for word in words])
    gc.unfreeze()  # a program leaves that to its end: this process goes on
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def command(*words: object) -> list[str]:
    """Give the command line of a process of its own."""
    return [sys.executable, "-m", "localproc", *map(str, words)]


def elsewhere(*words: object, timeout: float = 60) -> Said:
    """Run a command in a process of its own."""
    ended = subprocess.run(
        command(*words), capture_output=True, text=True, check=False, timeout=patient(timeout)
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def started(*words: object) -> Iterator["subprocess.Popen[str]"]:
    """Start a command in a process of its own, which does not outlive the test (see ``child``)."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # else it may be ignored
    with ExitStack() as stack:
        try:
            process = stack.enter_context(
                child(command(*words), stdout=pipe, stderr=pipe, text=True, env=environment)
            )
        finally:
            signal.signal(signal.SIGINT, handler)
        yield process


def end_of(process: "subprocess.Popen[str]", timeout: float = 20) -> Said:
    """Wait for the end of a command; give what it printed that has not been read."""
    code = process.wait(patient(timeout))  # it prints less than a pipe holds
    assert process.stdout is not None
    assert process.stderr is not None
    return Said(code, process.stdout.read(), process.stderr.read())


def on_terminal(*words: object, columns: int = 100) -> str:
    """Run a command on a terminal of its own; give all that it drew."""
    size = {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "50"}
    ours, its = pty.openpty()
    drawn = b""
    with subprocess.Popen(
        command(*words), stdin=its, stdout=its, stderr=its, env={**os.environ, **size}
    ):
        os.close(its)
        with suppress(OSError):  # Linux says so when the other side has gone
            while data := os.read(ours, 1 << 16):
                drawn += data
    os.close(ours)
    return drawn.decode()
