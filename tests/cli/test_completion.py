"""Words are completed in the shells themselves."""

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from localproc import Engine
from tests.conftest import absent
from tests.patience import patient, until

PACKAGES = Path(__file__).parents[1] / "packages"
#: What is typed, and what it becomes.
TYPED = {
    "localproc valid": "localproc validate ",
    "localproc status last:fai": "localproc status last:failed ",
    "localproc run three-steps te": "localproc run three-steps text=",
    "localproc retry last te": "localproc retry last text=",
    "localproc run three-steps text=note": "localproc run three-steps text=notes.txt ",
    "localproc validate note": "localproc validate notes.txt ",
}
_ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[A-Za-z]|[=>]|\][^\x07]*\x07)")


@pytest.fixture
def typing(tmp_path: Path, here: Path, home: Path) -> dict[str, str]:
    """Give the environment of a shell that knows the command, in a folder with a job of a home."""
    with Engine(home) as engine:
        engine.deploy(PACKAGES / "three-steps.cwl").execute({"text": "hello", "code": 3}).wait()
    (here / "notes.txt").touch()
    command = tmp_path / "bin" / "localproc"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m localproc "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "LOCALPROC_HOME": str(home)}
    return {**os.environ, **own}


def there_is(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        absent(f"{shell} is not installed")
    assert found
    return found


class Screen:
    """A shell at a terminal."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._shown = b""
        os.set_blocking(terminal, False)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def until(self, text: str) -> None:
        """Wait until a text is shown, and forget what was shown."""
        until(lambda: text in self._read(), 20)
        self._shown = b""

    def _read(self) -> str:
        with suppress(BlockingIOError):
            self._shown += os.read(self._terminal, 1 << 16)
        return _ESCAPES.sub("", self._shown.decode(errors="replace"))


@contextmanager
def at(environment: dict[str, str], folder: Path, *command: str) -> Iterator[Screen]:
    """Give a shell at a terminal, which ends with the block."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment, cwd=folder, process_group=0
    ) as shell:
        os.close(its)
        try:
            yield Screen(ours)
        finally:
            shell.kill()
            os.close(ours)


@pytest.mark.parametrize(
    ("shell", "words", "before"),
    [
        ("bash", ("--norc", "--noprofile", "-i"), ""),
        ("zsh", ("-f", "-i"), "autoload -Uz compinit; compinit -u -D; "),
    ],
)
def test_words_are_completed_at_a_terminal(
    typing: dict[str, str], here: Path, shell: str, words: tuple[str, ...], before: str
) -> None:
    with at(typing, here, there_is(shell), *words) as screen:
        screen.type(f'{before}eval "$(localproc completion {shell})"; echo "re""ady"\n')
        screen.until("ready")
        for typed, expected in TYPED.items():
            screen.type(f"{typed}\t")
            screen.until(expected)
            screen.type("\x15")  # the line is forgotten


def test_words_are_completed_in_fish(typing: dict[str, str], here: Path) -> None:
    fish = there_is("fish")
    asked = "; ".join(f"echo (complete -C '{typed}')" for typed in TYPED)
    ended = subprocess.run(
        [fish, "--no-config", "-c", f"localproc completion fish | source; {asked}"],
        env=typing,
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
    )
    assert ended.stderr == ""
    offered = [line.split("\t")[0] for line in ended.stdout.splitlines()]
    assert offered == [
        expected.split(" ")[-1] or expected.split(" ")[-2] for expected in TYPED.values()
    ]
