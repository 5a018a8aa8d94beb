"""The contract of executors that are given tasks with secrets.

Owns what has to be so while such a task runs, after another engine has taken over, and once it has
ended. Must not know any executor.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from localproc.executors.keeper.redactor import forms
from localproc.model import Secrets, Task, TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor

#: Values that have to be escaped in any kind of text.
TOKEN: Final = "tök\"en'\\n <&> %41 $(id) `x` \t*"
PASSWORD: Final = "first line of 'it'\nsecond \"line\" $HOME %s \\ ünïcode"

#: Says all it knows, in ways that are to be hidden, and in one that is not: so it is known to know.
_SCRIPT: Final = """
printf '%s\\n' "$TOKEN" "$1" "$HELLO"; cat login.txt
printf '%s\\n' "$TOKEN" "$1" >&2
printf '%s|%s|%s|' "$TOKEN" "$1" "$HELLO" | cat - login.txt | od -An -v -tx1 >part && mv part known
until [ -e go ]; do sleep 0.05; done
exit 3
"""


def texts_below(folder: Path) -> dict[str, bytes]:
    """Return the contents and the names of all that lies in a folder."""
    files = {}
    for place, _, names in os.walk(folder):  # folders come and go meanwhile
        files[place] = b""
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(FileNotFoundError):
                files[str(path)] = path.read_bytes() if path.is_file() else b""  # or a pipe
    return {**files, "names": "\n".join(files).encode(errors="surrogateescape")}


def found_in(texts: Mapping[str, bytes], values: Iterable[str]) -> list[tuple[str, bytes]]:
    """Return which texts have a value in any of its forms, with that."""
    sought = [form for value in values for form in forms(value)]
    return [(name, form) for name, data in texts.items() for form in sought if form in data]


class SecretsContract(ExecutorTests):
    """What an executor does about secrets.

    Override ``told`` where something beside it knows tasks: a daemon, a scheduler.
    """

    def told(self, executor: Executor, task: Task) -> str:
        """Return all that is told of a task to whoever asks, but for what its processes are."""
        return ""

    def test_a_secret_is_known_to_its_task_alone(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first, task = open_executor("first"), self.with_secrets(tmp_path)
        if not first.capabilities.secrets:
            assert "secrets" in first.check([task])[task.key]
            return
        assert first.check([task]) == {}
        outdir = Path(task.outdir)
        first.submit([task])
        self.running(first, outdir / "known")
        known = bytes.fromhex((outdir / "known").read_text().replace("\n", "")).decode()
        hello = f"hello {PASSWORD}"
        assert known == f"{TOKEN}|{PASSWORD}|{hello}|login: {PASSWORD}\n"
        files = {name: text for name, text in texts_below(tmp_path).items() if "login" not in name}
        told = {"told": self.told(first, task).encode()}
        assert found_in(files | told, (TOKEN, PASSWORD)) == []
        first.close()
        second = open_executor("second")
        second.reattach([task])
        self.until(second, [task.key], lambda one: one.state is TaskState.RUNNING)
        (outdir / "go").touch()
        report = self.reports(second, [task.key])[task.key]
        assert (report.state, report.exit_code) == (TaskState.ENDED, 3)
        said = "(secret:token)\n(secret:db)\n"
        login = "login: (secret:db)\n"
        assert Path(task.stdout).read_text() == f"{said}hello (secret:db)\n{login}"
        assert Path(task.stderr).read_text() == said
        assert (outdir / "login.txt").read_text() == login
        told = {"told": self.told(second, task).encode(), "reports": repr([task, report]).encode()}
        assert found_in(texts_below(tmp_path) | told, (TOKEN, PASSWORD)) == []
        second.release([task.key])

    def with_secrets(self, tmp_path: Path) -> Task:
        """Return a task that says what it knows, and waits for a file ``go``."""
        argv = ("sh", "-c", _SCRIPT, "sh", "(secret:db)")
        task = self.command(tmp_path, "with secrets", argv)
        login = Path(task.outdir) / "login.txt"
        login.write_text(f"login: {PASSWORD}\n")
        login.chmod(0o600)
        secrets = Secrets({"TOKEN": ("token", TOKEN)}, {"db": PASSWORD}, (str(login),))
        env = {**task.env, "HELLO": "hello (secret:db)"}
        return replace(task, env=env, secrets=secrets)
