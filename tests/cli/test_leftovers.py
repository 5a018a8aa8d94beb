"""What is left on this machine of homes that are gone: listed, and ended where that is asked."""

from pathlib import Path

import pytest

from tests.cli.terminal import Said, localproc
from tests.cli.test_machine import install

#: Of each kind something is left as long as a file is there.
PLUGIN = """
import functools, os
from localproc.errors import ExecutorUnavailable
from localproc.plugins import hookimpl
from localproc.plugins.executor import ExecutorPlugin, Leftover

HERE = os.path.dirname(__file__)

def left(name, containers):
    path = os.path.join(HERE, name)
    end = functools.partial(os.unlink, path)
    return [Leftover(f"1 {name} of /gone", end, containers)] if os.path.exists(path) else []

def asked():
    if os.path.exists(os.path.join(HERE, "hangs")):
        raise ExecutorUnavailable("it does not answer", hint="restart it")
    return []

@hookimpl
def localproc_executors():
    return [
        ExecutorPlugin("daemon", None, leftovers=asked),
        ExecutorPlugin("boxes", None, leftovers=functools.partial(left, "container", True)),
        ExecutorPlugin("plain", None, leftovers=functools.partial(left, "process", False)),
    ]
"""


@pytest.fixture
def left(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which there is a file for everything that is left."""
    folder = here / "modules"
    install(folder, "boxes", PLUGIN)
    for name in ("container", "process"):
        (folder / name).touch()
    monkeypatch.syspath_prepend(folder)
    return folder


def is_left(folder: Path) -> list[str]:
    return [name for name in ("container", "process") if (folder / name).exists()]


def test_doctor_says_what_ends_each_kind(left: Path) -> None:
    said = localproc("doctor").out
    assert "1 container of /gone\n        → localproc prune --containers ends them" in said
    assert "1 process of /gone\n        → localproc doctor --end-leftovers ends them" in said


@pytest.mark.parametrize(
    ("words", "stay"),
    [
        ("--containers", ["container", "process"]),  # nobody can be asked
        ("--containers --dry-run --yes", ["container", "process"]),
        ("--containers --yes", ["process"]),
    ],
)
def test_containers_are_removed_where_that_is_sure(left: Path, words: str, stay: list[str]) -> None:
    said = localproc("prune", *words.split())
    assert said.code == 0
    assert said.out.startswith("1 container of /gone\n")
    assert ("removed\n" in said.out) == ("container" not in stay)
    assert ("--yes does so without asking" in said.err) == (words == "--containers")
    assert is_left(left) == stay


def test_containers_are_removed_for_programs(left: Path) -> None:
    said = localproc("prune", "--containers", "--yes", "--json")
    assert said.document == {"removed": True, "containers": ["1 container of /gone"]}
    again = localproc("prune", "--containers", "--yes")
    assert again.out == "no containers of homes that are gone\n"


def test_no_jobs_go_with_containers(left: Path, home: Path) -> None:
    assert localproc("prune", "--containers", "--yes").code == 0
    assert not home.exists(), "no home is needed, nor made"
    refused: Said = localproc("prune", "--containers", "--keep-last", "1", "--yes")
    assert refused.code == 2
    assert "--keep-last chooses jobs: --containers has none" in refused.err


def test_what_nobody_can_say_is_not_told_as_nothing(left: Path) -> None:
    """What others have is told, and removed, all the same."""
    (left / "hangs").touch()
    unknown = "what daemon has is not known: it does not answer\n"
    said = localproc("prune", "--containers", "--yes")
    assert (said.code, said.out) == (4, "1 container of /gone\nremoved\n")
    assert said.err == f"{unknown}  hint: restart it\n"
    (left / "process").unlink()
    again = localproc("prune", "--containers", "--yes")
    assert (again.code, again.out) == (4, "")
    looked = localproc("doctor")
    assert f"left running: {unknown}        → restart it" in looked.out
    assert "nothing of homes that are gone" not in looked.out
