"""What lies beside a script, and how much of it is looked at before a job is accepted."""

import os
from pathlib import Path

import pytest

from localproc.storage import siblings as module
from localproc.storage.siblings import siblings


def beside(path: Path | str) -> str:
    return siblings([str(path)], [str(path)], [])[str(path)]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "script.py").write_text("import helper")
    (tmp_path / "helper.py").write_text("1")
    return tmp_path / "script.py"


def test_it_is_the_same_until_something_changes(script: Path) -> None:
    first = beside(script)
    assert first == beside(script)
    (script.parent / "helper.py").write_text("2")
    second = beside(script)
    assert second != first
    (script.parent / "helper.py").chmod(0o755)
    assert beside(script) != second


def test_nothing_lies_beside_what_is_not_there() -> None:
    assert beside("/nowhere.py") == ""


@pytest.mark.parametrize(("limit", "most"), [("_MOST", 1), ("_MOST_BYTES", 4)])
def test_where_there_is_too_much_it_is_never_the_same(
    script: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(module, limit, most)
    assert beside(script) != beside(script)


def test_a_pipe_is_not_read(script: Path) -> None:
    os.mkfifo(script.parent / "pipe")
    assert beside(script) == beside(script)
