"""Commands that only look: they make nothing, and tell what nobody runs."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localproc import Engine, Job
from localproc.cli.printing import print_table
from tests.cli.terminal import end_of, localproc, on_terminal, started

LOOKS = [
    "processes",
    "jobs",
    "status",
    "logs",
    "results",
    "executions",
    "executions show",
    "token list",
    "token remove me",
    "undeploy echo",
    "package echo",
    "dismiss last",
    "resume",
]


@pytest.mark.parametrize("words", LOOKS)
def test_a_mistyped_home_is_told_and_not_made(words: str, home: Path) -> None:
    said = localproc(*words.split())
    assert said.code == 2
    assert said.out == ""
    assert f"there is no home at {home}" in said.err
    assert "--home or LOCALPROC_HOME" in said.err
    assert not home.exists()


@pytest.mark.parametrize("words", ["plugins", "doctor"])
def test_the_machine_is_looked_at_without_a_home(words: str, home: Path) -> None:
    said = localproc(words)
    assert said.code == 0
    assert not home.exists()
    if words == "doctor":
        assert f"home: {home} is not there yet; the first job makes it" in said.out
        assert "failed" not in said.out


@pytest.mark.parametrize("command", ["describe", "graph", "validate"])
def test_a_package_is_looked_at_without_a_trace(
    command: str, here: Path, home: Path, packages: Path
) -> None:
    shutil.copy(packages / "echo.cwl", here)
    said = localproc(command, "echo.cwl")
    assert said.code == 0, said.err
    assert [one.name for one in here.iterdir()] == ["echo.cwl"]
    assert not home.exists()


@pytest.mark.parametrize("command", ["describe", "run", "execute"])
def test_a_process_that_is_nowhere(home: Path, command: str) -> None:
    said = localproc(command, "nothing")
    assert said.code == 2
    assert not home.exists()
    assert "'nothing' is neither a file nor a deployed process" in said.err
    assert f"there is no home at {home} either" in said.err


@pytest.fixture
def abandoned(home: Path, packages: Path) -> str:
    """Give the id of a job that nobody runs."""
    with Engine(home, run_jobs=False) as engine:
        return engine.deploy(packages / "echo.cwl").execute({"message": "x"}, title="mine").id


def test_a_job_that_nobody_runs_is_told_with_the_way_on(abandoned: str) -> None:
    said = localproc("jobs")
    assert said.out.splitlines()[1].split()[2] == "abandoned"
    assert f"nobody runs {abandoned}: go on with 'localproc resume'" in said.err
    said = localproc("status")
    assert said.out.startswith(f"{abandoned}  echo  abandoned  ")
    assert f"'localproc dismiss {abandoned}'" in said.err
    assert localproc("status", "--json").document["abandoned"] is True
    assert localproc("status", "--json").document["status"] == "accepted"
    assert localproc("jobs", "--json").document["jobs"][0]["abandoned"] is True
    said = localproc("doctor")
    assert f"warning jobs: nobody runs {abandoned}" in said.out
    assert "→ localproc resume goes on with them" in said.out


@pytest.mark.parametrize("words", ["wait", "logs --follow", "status --watch"])
def test_who_waits_for_a_job_that_nobody_runs_is_told_so(abandoned: str, words: str) -> None:
    with started(*words.split()) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"nobody runs {abandoned}: go on with")
        assert process.poll() is None, "somebody may go on with it"
        assert localproc("resume").code == 0
        assert end_of(process).code == 0


def test_a_job_that_nobody_runs_is_not_said_to_end(
    home: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(Job, "expected_end", lambda _: soon)
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(packages / "echo.cwl").execute({"message": "x"})
    assert "expected to end" not in localproc("status").out


def test_what_is_followed_is_no_document(packages: Path) -> None:
    assert localproc("run", "--quiet", packages / "echo.cwl", "message=x").code == 0
    said = localproc("logs", "--follow", "--json")
    assert said.code == 2
    assert "it goes without --json" in said.err


def test_after_resuming_nobody_is_missed(abandoned: str) -> None:
    assert localproc("resume").code == 0
    assert localproc("jobs").err == ""
    assert "abandoned" not in localproc("status", "--json").document
    assert "nobody runs" not in localproc("doctor").out


def test_a_job_whose_engine_lives_is_not_abandoned(home: Path, sleeper: Path) -> None:
    with Engine(home) as engine:
        job = engine.deploy(sleeper).execute()
        assert not job.abandoned
        said = localproc("jobs")
        assert "abandoned" not in said.out
        assert said.err == ""
        job.dismiss()


def test_a_title_does_not_hide_why_a_job_failed(packages: Path) -> None:
    words = ["run", packages / "three-steps.cwl", "text=x", "code=3", "--title", "Lake Garda"]
    assert localproc(*words, "--quiet").code == 1
    assert "Lake Garda: step second failed with exit code 3" in localproc("jobs").out
    lines = localproc("status").out.splitlines()
    assert lines[1] == "Lake Garda"
    assert [line for line in lines if "failed with exit code 3" in line] == [lines[2]]


def test_the_steps_of_a_job_are_shown_with_what_they_took(packages: Path) -> None:
    assert localproc("run", packages / "echo.cwl", "message=x").code == 0
    _, _, head, echo, _ = localproc("status").out.splitlines()
    assert head.split() == ["step", "status", "took", "cpu", "memory", "exit", "log"]
    assert echo.startswith("echo ")
    assert " MiB " in echo


def test_tables_fit_a_narrow_terminal(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert localproc("run", packages / "echo.cwl", "message=x", "--title", "t" * 60).code == 0
    wide = on_terminal("jobs", columns=160).splitlines()
    assert len(wide) == 2
    narrow = on_terminal("jobs", columns=60).splitlines()
    assert len(narrow) == 7
    assert any("status" in line and "successful" in line for line in narrow)
    print_table(["a", "b"], [("x" * 500, "y")])  # not on a terminal
    assert len(capsys.readouterr().out.splitlines()) == 2


# What was meant


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("run --names a echo.cwl", "inputs come after the package: localproc run PACKAGE --names"),
        ("execute --message=hi echo.cwl", "localproc execute PACKAGE --message VALUE"),
        ("execute echo.cwl --message=hi", "'echo.cwl' is neither a file nor a deployed process"),
        (
            "run echo.cwl message=x --home /tmp/x",
            "it goes before the command: localproc --home ... run ...",
        ),
        ("jobs --namespace acme", "it goes before the command: localproc --namespace ... jobs ..."),
        ("run echo.cwl --slot 2", "'--slots'?"),
        ("jobs --messages 2", "No such option"),
    ],
)
def test_an_option_that_does_not_exist_is_answered_with_what_was_meant(
    words: str, meant: str
) -> None:
    said = localproc(*words.split())
    assert said.code == 2
    assert meant in said.err


def test_every_option_of_the_server_has_a_help_text() -> None:
    said = localproc("serve", "--help").out
    assert "What DELETE of a job leaves" in said
    assert "Whose words messages are in" in said
