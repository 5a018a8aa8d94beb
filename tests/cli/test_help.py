"""What the command line says of itself, and what it costs to ask."""

import subprocess
import sys
from pathlib import Path

import pytest

import localproc as package
from localproc.cli.command_list import COMMANDS
from tests.cli.terminal import localproc
from tests.patience import patient


def test_help_lists_every_command_with_what_it_is_for() -> None:
    for flag in ("--help", "-h"):
        said = localproc(flag)
        assert said.code == 0
        words = " ".join(said.out.split())
        for name, (_, summary) in COMMANDS.items():
            assert f" {name} {summary}" in words
    assert "localproc run PACKAGE inputs.yml" in said.out
    assert "LOCALPROC_HOME" in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    said = localproc(name, "--help")
    assert said.code == 0
    usage, about, *rest = said.out.split("\n\n")
    assert f" {name} " in usage
    assert about.strip().endswith(".")
    assert any("--help" in part for part in rest)


def test_the_version() -> None:
    assert localproc("--version").out.endswith(f"version {package.__version__}\n")


@pytest.mark.parametrize(
    ("typed", "meant"), [("rnu", "run"), ("deplyo", "deploy"), ("job", "jobs"), ("log", "logs")]
)
def test_a_command_that_does_not_exist_may_be_meant_for_another(typed: str, meant: str) -> None:
    said = localproc(typed)
    assert said.code == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in said.err


def test_a_command_that_is_like_no_other() -> None:
    said = localproc("xyzzy")
    assert said.code == 2
    assert "No such command 'xyzzy'" in said.err


def test_options_that_do_not_exist_are_told() -> None:
    said = localproc("run", "--slot", "2", "x.cwl")
    assert said.code == 2
    assert "--slots" in said.err


#: Takes long to import, and most uses need none of it.
LIBRARIES = ("sqlite3", "click", "cwl_utils", "pystac", "httpx", "rich", "jsonschema_rs", "difflib")
#: ... so with the engine, and within it with what tells of jobs in another form.
TELLING = (
    *("localproc.views.report", "localproc.views.crate", "localproc.views.notebook"),
    *("localproc.engine.mirror", "localproc.engine.triggers.schedules"),
)
HEAVY = (*LIBRARIES, "localproc.engine.engine", *TELLING)


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(*[one for one in {HEAVY!r} if one in sys.modules])"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=patient(30),
    )
    return set(ended.stdout.splitlines()[-1].split())


def test_importing_localproc_imports_nothing_heavy() -> None:
    assert loaded_after("import localproc") == set()
    assert "sqlite3" in loaded_after("import localproc; localproc.Engine"), "this test can tell"


def test_help_imports_no_command() -> None:
    code = "from localproc.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert loaded_after(code) == {"click"}


@pytest.mark.parametrize("name", ["run", "cwl", "plan"])
def test_help_of_a_command_does_without_the_engine(name: str) -> None:
    code = (
        f"from localproc.cli import main\ntry: main(['{name}', '--help'])\nexcept SystemExit: pass"
    )
    assert not {"sqlite3", "localproc.engine.engine", "cwl_utils"} & loaded_after(code)


def test_a_job_that_needs_no_network_loads_no_client_for_it(packages: Path) -> None:
    words = ["run", str(packages / "echo.cwl"), "message=x"]
    code = f"from localproc.cli import main\ntry: main({words!r})\nexcept SystemExit: pass"
    assert not {"httpx", "pystac", "rich", *TELLING} & loaded_after(code)
