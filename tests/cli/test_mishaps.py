"""What goes wrong around a command: a message and an exit code, never a traceback."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from localproc import Engine
from tests.cli.terminal import Said, command, localproc
from tests.conftest import fill
from tests.patience import patient


def in_a_shell(line: str, *words: object, **environment: str) -> Said:
    """Run a line of a shell in which ``LOCALPROC`` stands for a command."""
    line = line.replace("LOCALPROC", shlex.join(command(*words)))
    ended = subprocess.run(
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
        env={**os.environ, **environment},
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("words", ["run echo message=x", "package echo", "jobs"])
def test_output_for_which_there_is_no_room(packages: Path, words: str) -> None:
    localproc("deploy", packages / "echo.cwl")
    said = in_a_shell("LOCALPROC > /dev/full", *words.split())
    assert said.code == 4
    assert said.err.splitlines()[-2:] == [
        "error: what was to be written could not be: No space left on device",
        "  hint: make room on the disk, or write elsewhere",
    ]


def test_a_help_text_for_which_there_is_no_room() -> None:
    said = in_a_shell("LOCALPROC > /dev/full", "--help")
    assert said.code == 4
    assert said.err.startswith("error: what was to be written could not be: No space left")


@pytest.mark.parametrize("words", ["pack echo.cwl -o", "report last -o", "init --name new"])
def test_where_nothing_can_be_written(packages: Path, here: Path, words: str) -> None:
    localproc("run", "--quiet", packages / "echo.cwl", "message=x")
    (here / "echo.cwl").write_bytes((packages / "echo.cwl").read_bytes())
    said = localproc(*words.split(), "/proc/nowhere/new")
    assert said.code == 4
    assert said.err.startswith("error: /proc/nowhere")
    assert said.err.endswith(": No such file or directory\n")


def test_of_a_file_that_could_not_be_written_to_its_end_nothing_stays(
    small_disk: Path, packages: Path
) -> None:
    fill(small_disk / "filler")
    words = ("pack", packages / "echo.cwl", "--output", small_disk / "packed.cwl")
    said = in_a_shell("LOCALPROC", *words)
    assert said.code == 4
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_file_that_could_not_be_written_anew_stays_as_it_was(
    small_disk: Path, packages: Path
) -> None:
    (small_disk / "packed.cwl").write_text("of before")
    fill(small_disk / "filler")
    words = ("pack", packages / "echo.cwl", "--output", small_disk / "packed.cwl")
    assert in_a_shell("LOCALPROC", *words).code == 4
    assert (small_disk / "packed.cwl").read_text() == "of before"
    assert len(list(small_disk.iterdir())) == 2


def test_results_for_which_there_is_no_room(small_disk: Path, packages: Path) -> None:
    """The disk that is full is named, not the one that they lie on."""
    localproc("run", "--quiet", packages / "echo.cwl", "message=x")
    (small_disk / "brought").mkdir()
    fill(small_disk / "filler")
    said = localproc("results", "last", "--download", small_disk / "brought")
    assert said.code == 4
    assert f"no space left for {small_disk}/brought/said.txt" in said.err
    assert f"make room on the disk of {small_disk}/brought" in said.err
    assert list((small_disk / "brought").iterdir()) == []


def test_a_pipe_may_be_written_to(packages: Path) -> None:
    said = in_a_shell("LOCALPROC | cat", "pack", str(packages / "echo.cwl"), "-o", "/dev/stdout")
    assert (said.code, "class: CommandLineTool" in said.out) == (0, True)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-"])
def test_a_stream_that_is_closed_changes_nothing(packages: Path, home: Path, closed: str) -> None:
    words = ("run", packages / "echo.cwl", "message=x")
    assert in_a_shell(f"LOCALPROC {closed}", *words).code == 0
    with Engine(home, run_jobs=False) as engine:
        [job] = engine.jobs()
        assert job.status == "successful"
        assert job.result("said").read_text() == "x\n"


def test_a_folder_that_was_removed(packages: Path, here: Path) -> None:
    (here / "gone").mkdir()
    line = f"cd {here}/gone; rmdir ../gone; LOCALPROC"
    said = in_a_shell(line, "run", packages / "echo.cwl", "message=x")
    assert (said.code, said.err) == (
        4,
        "error: the current folder was removed\n  hint: go to another one (cd)\n",
    )
    localproc("deploy", packages / "echo.cwl")
    (here / "gone").mkdir()
    assert in_a_shell(line, "run", "echo", "message=x").code == 0
    (here / "gone").mkdir()
    said = in_a_shell(line, "--home", "relative", "jobs")
    assert said.code == 4
    assert "the current folder was removed" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("jobs --min-duration nan", "min_duration: nan is not a number"),
        ("jobs --max-duration inf", "max_duration: inf is not a number"),
        ("run --cores nan echo message=x", "cores: nan is not a number"),
        ("run --cores inf echo message=x", "cores: inf is not a number"),
        ("run --title \udcff echo message=x", "is not a text"),
        ("jobs --tag \udcff", "is not a text"),
        ("jobs --process \udcff", "is not a text"),
        ("status \udcff", "is not a text"),
        ("token make \udcff", "is not a text"),
        ("run \udcff.cwl", "is not a text"),
    ],
)
def test_what_cannot_be_meant_is_refused(packages: Path, words: str, said: str) -> None:
    localproc("deploy", packages / "echo.cwl")
    refused = localproc(*words.split())
    assert refused.code == 2
    assert said in refused.err


def test_a_duration_longer_than_any_job(packages: Path) -> None:
    assert localproc("run", "--quiet", packages / "echo.cwl", "message=x").code == 0
    assert len(localproc("jobs", "--min-duration", "1e300").out.splitlines()) == 1
    assert len(localproc("jobs", "--max-duration", "1e300").out.splitlines()) == 2


def test_a_home_without_a_name(here: Path) -> None:
    said = localproc("--home", "", "jobs")
    assert said.code == 2
    assert "the home has no name" in said.err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("where", ["home", "package"])
def test_names_that_the_locale_cannot_write(packages: Path, here: Path, where: str) -> None:
    (here / "é.cwl").write_bytes((packages / "echo.cwl").read_bytes())
    words = {"home": ("--home", "é", "run", packages / "echo.cwl"), "package": ("run", "é.cwl")}
    said = in_a_shell("LOCALPROC", *words[where], "message=x", LC_ALL="C", PYTHONUTF8="0")
    assert said.code == 2
    assert "'ascii' codec" in said.err
    assert "Traceback" not in said.err


def test_results_may_go_to_a_folder_with_any_bytes_in_its_name(packages: Path, here: Path) -> None:
    words = ("run", "--quiet", "--results", "\udcff", packages / "echo.cwl", "message=x")
    assert localproc(*words).code == 0
    [published] = (here / "\udcff").iterdir()
    assert (published / "said.txt").read_text() == "x\n"
