"""``localproc executions``: jobs as the execution log tells of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localproc import Engine
from tests.cli.terminal import Said, localproc
from tests.conftest import PACKAGES

#: The members that seed 004 lists, all of an execution that has ended.
MEMBERS = {
    *("_id", "service", "name", "environment", "trigger", "reason", "start", "end", "runAs"),
    *("status", "message", "phases", "loaderMessage", "data"),
}


@dataclass(frozen=True)
class Past:
    """A home in which something has happened."""

    home: Path
    echoed: str
    failed: str
    dismissed: str

    def localproc(self, *words: object) -> Said:
        return localproc("--home", self.home, "executions", *words)

    def listed(self, *words: object) -> list[str]:
        said = self.localproc("--json", *words)
        assert said.code == 0, said.err
        names = {getattr(self, name): name for name in ("echoed", "failed", "dismissed")}
        return [names[one["_id"]] for one in said.document]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    home = tmp_path_factory.mktemp("past") / "home"
    with Engine(home) as engine:
        echoed = engine.run(PACKAGES / "echo.cwl", {"message": "x"}, reason="to see", run_as="jane")
        failed = engine.run(PACKAGES / "three-steps.cwl", {"text": "x", "code": 3})
        dismissed = engine.execute("echo", {"message": "x"}, detached=True).dismiss()
    return Past(home, echoed.id, failed.id, dismissed.id)


def test_executions_have_the_members_of_the_execution_log(past: Past) -> None:
    documents = past.localproc("--json").document
    assert [set(one) for one in documents] == [MEMBERS] * 3
    echoed = documents[-1]
    assert (echoed["_id"], echoed["name"]) == (past.echoed, "echo")
    assert (echoed["status"], echoed["trigger"]) == ("success", "manual")
    assert (echoed["reason"], echoed["runAs"]) == ("to see", "jane")
    assert [phase["name"] for phase in echoed["phases"]] == ["echo", "stage_out"]
    assert echoed["loaderMessage"] == echoed["phases"][-1]["log"][-1]


def test_the_phases_of_a_failure_tell_why(past: Past) -> None:
    document = past.localproc("show", past.failed, "--json").document
    assert document["status"] == "failed"
    first, second = document["phases"]
    assert (first["status"], second["status"]) == ("success", "failed")
    assert second["log"] == ["one line", "this is why"]
    assert set(second) == {"name", "start", "end", "status", "message", "log", "properties"}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["dismissed", "failed", "echoed"]),
        ("--process echo", ["dismissed", "echoed"]),
        ("--process echo --process three-steps", ["dismissed", "failed", "echoed"]),
        ("--process nothing", []),
        ("--failed", ["dismissed", "failed"]),
        ("--failed --process echo", ["dismissed"]),
        ("--since 2020-01-01", ["dismissed", "failed", "echoed"]),
        ("--until 2020-01-01", []),
        ("--since 2020-01-01 --until 2020-01-02", []),
        ("--limit 2", ["dismissed", "failed"]),
    ],
)
def test_executions_are_filtered(past: Past, words: str, names: list[str]) -> None:
    assert past.listed(*words.split()) == names


def test_today_is_a_whole_day(past: Past) -> None:
    with Engine(past.home, run_jobs=False) as engine:
        day = engine.job(past.echoed).created.date()
    assert "echoed" in past.listed("--since", day, "--until", day)
    assert "echoed" not in past.listed("--since", day + timedelta(days=1))
    assert "echoed" not in past.listed("--until", day - timedelta(days=1))


def test_pages_follow_one_another(past: Past) -> None:
    first = past.localproc("--limit", 2)
    assert first.err == f"more: localproc executions --before {past.failed}\n"
    assert past.listed("--limit", 2, "--before", past.failed) == ["echoed"]


def test_executions_for_people(past: Past) -> None:
    heading, *rows = past.localproc().out.splitlines()
    columns = ["execution", "name", "status", "trigger", "start", "end", "message"]
    assert heading.split() == columns
    assert rows[-1].split()[:4] == [past.echoed, "echo", "success", "manual"]
    said = past.localproc("show", past.echoed)
    lines = said.out.splitlines()
    assert lines[0] == f"{past.echoed}  echo  success  manual"
    assert [line.split()[0] for line in lines[-3:]] == ["phase", "echo", "stage_out"]
    assert past.localproc("show").out.startswith(past.dismissed)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--since yesterday", "--since: 'yesterday' is not a time"),
        ("--since 2026-02-01 --until 2026-01-01", "ends before it begins"),
        ("show nothing", "no job 'nothing'"),
        ("--json show", "options of the list go without a further command"),
    ],
)
def test_what_makes_no_sense_is_told(past: Past, words: str, reason: str) -> None:
    said = past.localproc(*words.split())
    assert said.code == 2
    assert reason in said.err


def test_the_engine_gives_the_same_documents(past: Past) -> None:
    with Engine(past.home, run_jobs=False) as engine:
        found = engine.executions(process="echo", since=datetime(2020, 1, 1, tzinfo=UTC), limit=1)
        assert found == past.localproc("--process", "echo", "--json", "--limit", 1).document
        assert engine.executions(process="", failed=True) == engine.executions(failed=True)
        assert engine.within("other").executions() == []
