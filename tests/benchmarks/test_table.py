"""What a figure says, and whether a target is met."""

from pathlib import Path

import pytest
from benchmarks.cases import chain, diamond, scatter
from benchmarks.contestants import bare
from benchmarks.measure import apart
from benchmarks.table import Note, Row, Table


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("c", "w", 5, "ms"), None),
        (Row("c", "w", 5, "ms", target=10), True),
        (Row("c", "w", 15, "ms", target=10), False),
        (Row("c", "w", 15, "jobs/s", target=10, at_least=True), True),
        (Row("c", "w", 5, "ms", "floor", 1.4, target=1.5), True),
        (Row("c", "w", 1, "ms", "floor", 1.6, target=1.5), False),
    ],
)
def test_a_target_bounds_the_ratio_or_the_value(row: Row, met: bool | None) -> None:
    assert row.met is met
    assert row.document()["met"] is met


def test_the_table_says_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    table.add([Row("scatter", "floor", 0.5, "ms"), Row("scatter", "localproc", 0.6, "ms")])
    table.add([Row("scatter", "localproc", 0.6, "ms", "floor", 1.2, 1.5), Note("x", "no node")])
    shown = capsys.readouterr().out
    assert "1.20x floor" in shown
    assert "x: no node" in shown
    assert shown.count("scatter") == 1, "a case is named once"
    assert table.summary() == "1 of 1 targets are met"
    assert len(table.document()) == 4


def test_the_bare_commands_are_those_of_the_cases() -> None:
    assert [case.tasks for case in (scatter(7), chain(), diamond())] == [7, 5, 20]


def test_the_floor_runs_every_command_in_a_folder_of_its_own(tmp_path: Path) -> None:
    apart(bare, chain().stages, str(tmp_path))
    assert [path.read_text() for path in tmp_path.glob("*/said.txt")] == ["hello\n"] * 5
