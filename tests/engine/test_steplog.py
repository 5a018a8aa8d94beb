"""The ends of logs, read from behind."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.engine.job import steplog
from localproc.engine.job.steplog import StepLog

#: Texts with lines and without, long ones too.
TEXTS = st.text(st.sampled_from("ab\né"), max_size=60)


def written(folder: Path, err: str, out: str) -> StepLog:
    (folder / "node_a.log").write_text(err)
    (folder / "node_a.out.log").write_text(out)
    return StepLog(str(folder / "node_a.log"))


@given(err=TEXTS, out=TEXTS, count=st.integers(0, 30), block=st.integers(1, 9))
def test_a_tail_is_the_end_of_the_text(
    tmp_path_factory: pytest.TempPathFactory, err: str, out: str, count: int, block: int
) -> None:
    log = written(tmp_path_factory.mktemp("logs"), err, out)
    lines = log.text.splitlines(keepends=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steplog, "_BLOCK", block)
        assert log.tail(count) == "".join(lines[len(lines) - min(count, len(lines)) :])


@given(err=TEXTS, out=TEXTS, piece=st.integers(4, 9))
def test_pieces_make_the_text(
    tmp_path_factory: pytest.TempPathFactory, err: str, out: str, piece: int
) -> None:
    log = written(tmp_path_factory.mktemp("logs"), err, out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steplog, "_PIECE", piece)
        assert "".join(log.pieces()) == log.text


def test_a_tail_reads_no_more_than_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "node_a.log"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole: nothing could read all of it
        file.seek(0, 2)
        file.write(b"\nlast but one\nlast\n")
    assert StepLog(str(path)).tail(2) == "last but one\nlast\n"


def test_a_log_without_an_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "node_a.log"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert len(StepLog(str(path)).tail(10)) == 16 << 20


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    log = StepLog(str(tmp_path / "node_a.log"))
    assert (log.text, log.tail(5), list(log.pieces()), log.size) == ("", "", [], 0)
