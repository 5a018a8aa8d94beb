"""Searching the logs of all jobs."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.engine.home.home import Home
from localproc.engine.upkeep import log_search
from localproc.engine.upkeep.log_search import Bounds, LogSearch, _logs_in
from localproc.errors import EnvironmentProblem, InvalidInputs
from localproc.store.log_index import IndexedLog, JobLogs, LogIndex
from localproc.views.found_lines import FoundLogs, found_document, matching_lines
from tests.patience import until

SAYS = """
cwlVersion: v1.2
class: CommandLineTool
id: says
baseCommand: [sh, -c, 'echo "$0" >&2; echo printed']
inputs: {text: {type: string, inputBinding: {position: 1}}}
outputs: {}
"""
WAITS = """
cwlVersion: v1.2
class: CommandLineTool
id: waits
baseCommand: [sh, -c, 'echo waiting; while [ ! -e "$0" ]; do sleep 0.05; done; echo went on']
inputs: {gate: {type: string, inputBinding: {position: 1}}}
outputs: {}
"""


def test_a_log_that_is_removed_as_it_is_looked_for_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text("x")

    def listed(found: Iterable[Any]) -> list[Any]:
        names = list(found)
        (tmp_path / "b.log").unlink()
        return names

    monkeypatch.setattr(log_search, "list", listed, False)
    assert _logs_in(str(tmp_path)) == [("a.log", 1)]


def lines(found: FoundLogs) -> list[str]:
    return [line for one in found.logs for line in one.lines]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("raster", True),
        ("RASTER crs", True),
        ("rast", True),  # the beginning of a word
        ("aster", False),
        ('"has no CRS"', True),
        ('"no has"', False),
        ("raster cube", False),
        ("exit=137", True),
        ("msil2a", True),
        ("größe", True),
        ("printed", True),  # to stdout
        ('unbalanced" AND NOT (', False),
        ("' OR 1 --", False),
    ],
)
def test_logs_are_found_by_their_words(says: Engine, text: str, *, is_found: bool) -> None:
    assert bool(says.search_logs(text).logs) is is_found


@pytest.fixture(scope="module")
def says(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give an engine with a job that has said something."""
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        engine.run(SAYS, {"text": "ValueError: raster has no CRS, exit=137 S2A_MSIL2A Größe"})
        yield engine


def test_what_is_found_tells_where(says: Engine) -> None:
    (one,) = says.search_logs("exit=137").logs
    (job,) = says.jobs()
    assert (one.job.id, one.step, one.log) == (job.id, "says", "node_says.log")
    assert one.lines == ["ValueError: raster has no CRS, exit=137 S2A_MSIL2A Größe"]
    (match,) = found_document(FoundLogs([one]), "http://here")["matches"]
    assert match["links"][1]["href"] == f"http://here/jobs/{job.id}/node_says.log"


@pytest.mark.parametrize("text", ["", "  ", "==>", '""', "_"])
def test_a_text_without_words_is_refused(says: Engine, text: str) -> None:
    with pytest.raises(InvalidInputs, match="nothing to search for"):
        says.search_logs(text)


def test_lines_with_the_most_of_the_words_are_shown() -> None:
    text = "one\ntwo\none and two\n" + "one two\n" * 3 + "two, one\n" + "once " * 100
    assert matching_lines(text, ["one", "two"]) == ["one and two", "one two", "two, one"]
    assert [len(line) for line in matching_lines(text, ["once"])] == [300]


def test_a_running_step_is_found_by_what_it_has_written(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.deploy(WAITS).execute({"gate": str(tmp_path / "gate")})
        until(lambda: lines(engine.search_logs("waiting")) == ["waiting"])
        assert engine.search_logs("went").logs == []
        (tmp_path / "gate").touch()
        job.wait()
        assert lines(engine.search_logs("went on")) == ["went on"]


def test_a_job_that_is_removed_is_not_found(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        one, other, hidden = (engine.run(SAYS, {"text": "same word"}) for _ in range(3))
        assert len(engine.search_logs("word").logs) == 3
        engine.delete(one.id)
        engine.hide(hidden.id)
        assert [found.job.id for found in engine.search_logs("word").logs] == [other.id]
        engine.prune()
        with closing(sqlite3.connect(tmp_path / "home" / "logs.db")) as db:
            for table in ("jobs", "logs", "texts"):
                assert db.execute(f"SELECT * FROM {table}").fetchall() == []


def test_namespaces_do_not_see_each_other(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        engine.run(SAYS, {"text": "mine"})
        other = engine.within("other")
        assert other.search_logs("mine").logs == []
        other.run(SAYS, {"text": "mine"})
        assert len(other.search_logs("mine").logs) == len(engine.search_logs("mine").logs) == 1


def test_a_search_reads_no_more_than_it_may(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        for number in range(3):
            engine.run(SAYS, {"text": f"word{number}"})
        store, home = engine._namespace.runtime.store, Home(str(tmp_path / "home"))
        search = LogSearch(home, store, "default", Bounds(jobs=1))
        assert [(search.find("word", 9).unread) for _ in range(3)] == [2, 1, 0]
        assert lines(search.find("word", 2)) == ["word2", "word1"]


def test_both_ends_of_a_long_log_are_found(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.run(SAYS, {"text": "x"})
        text = "".join(f"line{number}\n" for number in range(10_000))
        (Path(job.logs_folder) / "node_says.log").write_text(text)
        store, home = engine._namespace.runtime.store, Home(str(tmp_path / "home"))
        search = LogSearch(home, store, "default", Bounds(of_log=4096))
        assert lines(search.find("line9999", 9)) == ["line9999"]
        assert lines(search.find("line0", 9)) == ["line0"]
        assert search.find("line5000", 9).logs == []


def test_the_oldest_go_where_there_is_too_much(tmp_path: Path) -> None:
    index = LogIndex(str(tmp_path / "logs.db"))
    jobs = [(f"job{number}", datetime(2026, 1, number, tzinfo=UTC)) for number in (1, 2, 3)]
    index.note("default", jobs)
    index.put(JobLogs(job, [IndexedLog("a.log", 4, "word")], complete=True) for job, _ in jobs)
    index.trim(9)
    assert [job for job, _, _ in index.find("default", ["word"], 9)] == ["job3", "job2"]
    assert index.incomplete("default") == {}


def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        engine.run(SAYS, {"text": "found again"})
        (tmp_path / "home" / "logs.db").write_bytes(b"no database at all" * 100)
        with pytest.raises(EnvironmentProblem, match="was damaged"):
            engine.search_logs("found")
        assert lines(engine.search_logs("found")) == ["found again"]
