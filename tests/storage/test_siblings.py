"""What lies beside a script, and how much of it is looked at before a job is accepted."""

import os
from pathlib import Path

import pytest

from localproc.storage import siblings as module
from localproc.storage.script_reach import is_script, reach
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


CLIMBS = [
    ('. "$(dirname "$0")/../common.sh"', "common.sh"),
    ('. "$HERE/lib/../../common.sh"', "common.sh"),
    (". ../lib/deep/common.sh", "lib/deep/common.sh"),
    ("for f in ../lib/*.sh; do . $f; done", "lib/common.sh"),
    ('cd "$(dirname $(dirname "$0"))" && . ./common.sh', "common.sh"),
    ("sys.path.insert(0, os.path.join(here, '..'))\nimport common", "common.py"),
    ("sys.path.insert(0, os.path.join(here, os.pardir))\nimport common", "common.py"),
    ("sys.path.insert(0, str(Path(__file__).parents[1]))\nimport common", "common.py"),
    ("sys.path.insert(0, str(Path(__file__).parent.parent))\nimport common", "common.py"),
    ("sys.path.insert(0, dirname(dirname(__file__)))\nimport common", "common.py"),
    ("source(file.path(here, '..', 'common.R'))", "common.R"),
    ("require('../common')", "common.js"),
    ("import helper", "common.py"),
]


@pytest.mark.parametrize(("text", "name"), CLIMBS)
def test_what_it_finds_above_its_folder_counts(tmp_path: Path, text: str, name: str) -> None:
    script, other = tmp_path / "p" / "bin" / "run", tmp_path / "p" / name
    script.parent.mkdir(parents=True)
    other.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(text)
    (script.parent / "helper.py").write_text("from .. import common")
    other.write_text("1")
    first = beside(script)
    assert first == beside(script)
    other.write_text("2")
    assert beside(script) != first


def test_what_that_names_in_its_turn_counts(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "far").mkdir()
    (tmp_path / "bin" / "run.sh").write_text(". ../far/a.sh")
    (tmp_path / "far" / "a.sh").write_text(f". {tmp_path}/b.sh")
    (tmp_path / "b.sh").write_text("1")
    (tmp_path / "unrelated.sh").write_text("1")
    first = beside(tmp_path / "bin" / "run.sh")
    (tmp_path / "unrelated.sh").write_text("2")
    assert beside(tmp_path / "bin" / "run.sh") == first
    (tmp_path / "b.sh").write_text("2")
    assert beside(tmp_path / "bin" / "run.sh") != first


@pytest.mark.parametrize("text", ["1..5", "and so on...", "#!/usr/bin/env python", "a/b"])
def test_other_texts_lead_nowhere(text: str) -> None:
    assert list(reach(text.encode(), "/nowhere/at/all")) in ([], ["/usr/bin/env"])


@pytest.mark.parametrize(
    ("name", "contents", "mode", "is_one"),
    [
        ("tool.py", "1", 0o644, True),
        ("tool", "1", 0o644, True),
        ("tool.v2", "#!/bin/sh\n", 0o755, True),
        ("tool.v2", "#!/bin/sh\n", 0o644, False),
        ("B04.tif", "II*", 0o755, False),
    ],
)
def test_what_a_script_is(
    tmp_path: Path, name: str, contents: str, mode: int, *, is_one: bool
) -> None:
    path = tmp_path / name
    path.write_text(contents)
    path.chmod(mode)
    assert is_script(str(path)) is is_one


@pytest.mark.parametrize(
    "text",
    ["import table", "from .table import x", "open(f'{HERE}/table.json')", "glob('*.json')"],
)
def test_a_document_counts_where_it_is_mentioned(tmp_path: Path, text: str) -> None:
    (tmp_path / "tool.py").write_text(text)
    (tmp_path / "table.json").write_text("1")
    first = beside(tmp_path / "tool.py")
    (tmp_path / "table.json").write_text("2")
    assert beside(tmp_path / "tool.py") != first


def test_a_document_that_is_not_mentioned_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("tables = notable.jsonl")
    (tmp_path / "table.json").write_text("1")
    first = beside(tmp_path / "tool.py")
    (tmp_path / "table.json").write_text("2")
    assert beside(tmp_path / "tool.py") == first


def test_where_something_leads_that_is_not_mentioned_is_not_looked_at(tmp_path: Path) -> None:
    (folder := tmp_path / "package").mkdir()
    (folder / "tool.py").write_text("import helper")
    (folder / "helper.py").write_text("1")
    (folder / "demo.py").write_text("open('../other.txt')")
    (tmp_path / "other.txt").write_text("1")
    first = beside(folder / "tool.py")
    (tmp_path / "other.txt").write_text("2")
    assert beside(folder / "tool.py") == first
    (folder / "demo.py").write_text("2")
    assert beside(folder / "tool.py") != first
