"""Tasks with secrets as batch schedulers are given them: a shell stands in for a node."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localproc.executors.batch.grouping import Batch, Mode, Request
from localproc.executors.batch.hiding import hidden
from localproc.executors.batch.node_scripts import NodeSetup, has_node_tmpdir
from localproc.executors.batch.spool import Spool
from localproc.model import Secrets, Task
from localproc.testing.executor_secrets import PASSWORD, TOKEN, found_in, texts_below

NODE = NodeSetup("JOB", "INDEX")


def task(key: str, *argv: str, **fields: Any) -> Task:
    made = Task(key, argv, {}, "/w/out", "/w/tmp", None, "/w/o", "/w/e", step="s")
    return replace(made, **fields)


SECRETS = Secrets({"TOKEN": ("token", TOKEN)}, {"db": PASSWORD})


def with_secrets(folder: Path, script: str) -> Task:
    (folder / "out").mkdir()
    known = {"PATH": "/usr/bin:/bin", "HELLO": "hello (secret:db)"}
    where = {one: f"{folder}/{one}" for one in ("stdout", "stderr")}
    argv = ("sh", "-c", script, "(secret:db)")
    return task("j:s:1", *argv, env=known, secrets=SECRETS, outdir=f"{folder}/out", **where)


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.BUNDLE])
def test_a_node_takes_secrets_from_a_file_that_is_gone_then(tmp_path: Path, mode: Mode) -> None:
    script = 'test "$HELLO" = "hello $0" && echo "$TOKEN" && exit 3'
    one = with_secrets(tmp_path, script)
    spool = Spool(str(tmp_path / "spool"), replace(NODE, own=sys.executable))
    handed = spool.add(Batch(mode, (one,), Request(1, 100)))
    file = Path(handed.folder, "secrets.0")
    assert file.stat().st_mode & 0o777 == 0o600
    others = {name: text for name, text in texts_below(tmp_path).items() if name != str(file)}
    assert found_in(others, (TOKEN, PASSWORD)) == []
    env = {"JOB": "7", "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", Path(handed.folder, "script")], check=True, env=env)
    [(_, record)] = spool.ends([handed], ())
    assert record.code == 3
    assert (tmp_path / "stdout").read_text() == "(secret:token)\n"
    assert found_in(texts_below(tmp_path), (TOKEN, PASSWORD)) == []


def test_secrets_that_were_never_taken_are_removed(tmp_path: Path) -> None:
    one = with_secrets(tmp_path, "true")
    spool = Spool(str(tmp_path / "spool"), NODE)
    handed = spool.add(Batch(Mode.ARRAY, (one, task("j:s:2", "true")), Request(1, 100)))
    spool.forget(handed, [0])
    assert found_in(texts_below(tmp_path), (TOKEN, PASSWORD)) == []
    assert handed.left == {"j:s:2"}


def test_a_node_without_python_runs_no_task_with_secrets(tmp_path: Path) -> None:
    one = with_secrets(tmp_path, "true")
    spool = Spool(str(tmp_path / "spool"), replace(NODE, python="no-python-here"))
    handed = spool.add(Batch(Mode.SINGLE, (one,), Request(1, 100)))
    subprocess.run(["sh", Path(handed.folder, "script")], check=True, env={"JOB": "7"})
    [(_, record)] = spool.ends([handed], ())
    assert record.code == 126
    assert "needs Python 3.9" in (tmp_path / "stderr").read_text()
    assert found_in(texts_below(tmp_path), (TOKEN, PASSWORD)) == []


def test_the_folder_of_a_task_with_secrets_is_the_nodes_as_any_other(tmp_path: Path) -> None:
    named = replace(with_secrets(tmp_path, "true"), tmpdir="/w/tmp", env={"TMPDIR": "/w/tmp"})
    naming = replace(named, argv=("true", "/w/tmp/x"))
    assert [has_node_tmpdir(one) for one in hidden([named, naming], "/f", "/r", NODE)] == [
        True,
        False,
    ]
