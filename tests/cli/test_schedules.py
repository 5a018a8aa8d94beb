"""``localproc schedule``: processes that are run at certain times."""

import re
from pathlib import Path

import pytest

from tests.cli.terminal import localproc, started
from tests.patience import until


@pytest.fixture(autouse=True)
def deployed(packages: Path) -> None:
    assert localproc("deploy", packages / "echo.cwl").code == 0


def test_a_schedule_from_its_beginning_to_its_end() -> None:
    added = localproc(
        "schedule",
        "add",
        "echo",
        "0 30 16 ? * MON-FRI",
        "message=hi",
        "--timezone",
        "Europe/Berlin",
        "--day-off",
        "12-25",
        "--title",
        "daily",
    )
    assert added.code == 0, added.err
    assert added.out.startswith("echo: echo at 0 30 16 ? * MON-FRI, Europe/Berlin\n")
    assert added.out.count("16:30:00 CE") == 5
    assert re.search(
        r"Europe/Berlin  [0-9-]{10} [0-9:]{8} \S+\n", localproc("schedule", "list").out
    )
    again = localproc("schedule", "add", "echo", "@daily", "message=hi")
    assert again.code == 2
    assert "already" in again.err
    assert localproc("schedule", "disable", "echo").code == 0
    assert "disabled" in localproc("schedule", "list").out
    shown = localproc("schedule", "show", "echo", "--json").document
    assert shown["inputs"] == {"message": "hi"}
    assert shown["options"]["title"] == "daily"
    assert shown["next"] == []
    assert localproc("schedule", "enable", "echo").code == 0
    assert len(localproc("schedule", "list", "--json").document["schedules"][0]["next"]) == 5
    assert localproc("schedule", "remove", "echo").code == 0
    gone = localproc("schedule", "show", "echo")
    assert gone.code == 2
    assert "no schedule 'echo'" in gone.err


def test_what_is_wrong_leaves_nothing_behind() -> None:
    for words in (
        ("echo", "99 * * * *", "message=hi"),
        ("echo", "* * * * *"),
        ("echo", "* * * * *", "message=hi", "--timezone", "Nowhere"),
        ("nothing", "* * * * *"),
    ):
        assert localproc("schedule", "add", *words).code == 2, words
    assert localproc("schedule", "list", "--json").document == {"schedules": []}


def test_schedules_are_seen_to_until_ctrl_c() -> None:
    assert localproc("schedule", "add", "echo", "* * * * * ?", "message=tick").code == 0
    with started("schedule", "run"):
        until(lambda: "successful" in localproc("jobs", "--status", "successful").out)
    shown = localproc("schedule", "show", "echo").out
    job_id = localproc("jobs", "--json").document["jobs"][-1]["jobID"]
    assert job_id in shown


def test_schedules_whose_jobs_nobody_runs_any_more_are_left_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def buggy(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("localproc.engine.loop.loop.ExecutorPool.reports", buggy)
    ended = localproc("schedule", "run")
    assert ended.code == 4
    assert "the engine has stopped: ZeroDivisionError: a bug" in ended.err
