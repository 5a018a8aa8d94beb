"""What the command line says of itself, and what it costs to ask."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

import localproc as package
from localproc.cli.command_list import COMMANDS
from localproc.cli.loading import loading
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
LIBRARIES = (
    *("sqlite3", "click", "cwl_utils", "pystac", "httpx", "rich", "jsonschema_rs", "difflib"),
    *("yaml", "ruamel.yaml"),
)
#: ... so of Python itself: loops of programs that wait, archives, what completes words in shells.
STANDARD = ("asyncio", "ssl", "tarfile", "gzip", "ctypes", "html", "click.shell_completion")
#: ... so with the engine, and within it with what tells of jobs in another form.
TELLING = (
    *("localproc.views.report", "localproc.views.crate", "localproc.views.notebook"),
    *("localproc.views.provenance", "localproc.views.measured"),
    *("localproc.engine.mirror", "localproc.engine.triggers.schedules"),
    *("localproc.engine.upkeep.prune", "localproc.engine.home.backup", "localproc.store.log_index"),
    *("localproc.engine.admission.foresight", "localproc.engine.packages.packing"),
)
#: ... and with what few inputs and results are.
STAC = ("localproc.storage.stac_in", "localproc.storage.catalog_plan")
#: What runs jobs: who only looks has no need of it.
RUNNING = ("localproc.engine.loop.loop", "localproc.executors.local", "localproc.storage.publish")
ENGINE = ("localproc.engine.engine", "localproc.engine.handles")
HEAVY = (*LIBRARIES, *STANDARD, *ENGINE, *TELLING, *STAC, *RUNNING)


def run_in_a_process(code: str) -> str:
    """Run code in a new process; return the last line that it prints."""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=patient(30),
    )
    return ended.stdout.splitlines()[-1]


def loaded_after(code: str) -> set[str]:
    """Return what is heavy of the modules that code imports."""
    shown = f"import sys; print('', *[one for one in {HEAVY!r} if one in sys.modules])"
    return set(run_in_a_process(f"{code}\n{shown}").split())


def own_modules_after(code: str) -> int:
    """Return how many of our modules code imports."""
    shown = "import sys; print(sum(one.startswith('localproc') for one in sys.modules))"
    return int(run_in_a_process(f"{code}\n{shown}"))


def called(*words: str) -> str:
    """Return code that calls the command line."""
    return f"from localproc.cli import main\ntry: main({list(words)!r})\nexcept SystemExit: pass"


def test_importing_localproc_imports_nothing_else() -> None:
    shown = "print(*{*sys.modules} - before)"
    code = f"import sys; before = {{*sys.modules}}; import localproc; {shown}"
    assert run_in_a_process(code) == "localproc"


def test_importing_localproc_imports_nothing_heavy() -> None:
    assert loaded_after("import localproc") == set()
    assert own_modules_after("import localproc") == 1
    assert "sqlite3" in loaded_after("import localproc; localproc.Engine"), "this test can tell"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_no_command_and_no_plugins(option: str) -> None:
    assert loaded_after(called(option)) == {"click"}
    assert own_modules_after(called(option)) <= 17


@pytest.mark.parametrize("name", ["run", "cwl", "plan", "jobs", "status", "logs"])
def test_help_of_a_command_does_without_the_engine(name: str) -> None:
    found = loaded_after(called(name, "--help"))
    assert not {"sqlite3", "cwl_utils", "jsonschema_rs", *STANDARD, *ENGINE, *RUNNING} & found
    assert own_modules_after(called(name, "--help")) <= 130


def test_who_looks_at_a_home_loads_nothing_that_runs_jobs(here: Path, packages: Path) -> None:
    assert localproc("run", packages / "echo.cwl", "message=x").code == 0
    for words in (["jobs"], ["status"]):
        found = loaded_after(called(*words))
        assert "sqlite3" in found
        assert not {"jsonschema_rs", *STANDARD, *RUNNING, *TELLING, *STAC} & found
        assert own_modules_after(called(*words)) <= 260


def test_a_job_that_needs_no_network_loads_no_client_for_it(packages: Path) -> None:
    found = loaded_after(called("run", str(packages / "echo.cwl"), "message=x"))
    assert {"localproc.executors.local", "localproc.engine.loop.loop"} <= found
    assert not {"httpx", "pystac", "rich", "jsonschema_rs", *STAC, *TELLING} & found


def test_a_list_of_texts_is_read_without_schemas(here: Path) -> None:
    told = {"type": "string[]", "inputBinding": {}}
    tool = {"cwlVersion": "v1.2", "class": "CommandLineTool", "baseCommand": "true"}
    package = Path("package.cwl")
    package.write_text(json.dumps({**tool, "inputs": {"told": told}, "outputs": {}}))
    assert "jsonschema_rs" not in loaded_after(called("run", str(package), "told=[a, b]"))


def test_plain_words_are_read_without_yaml() -> None:
    read = "from localproc.engine.admission.inputs import parse_value; parse_value(%r)"
    for word in ("hello", "scenes/a.tif", "a few words", "2018"):
        assert not {"yaml", "ruamel.yaml"} & loaded_after(read % word)
    assert "yaml" in loaded_after(read % "true"), "this test can tell"


@pytest.mark.parametrize("leaves_garbage", [False, True])
def test_what_is_loaded_is_not_gone_through_for_garbage(*, leaves_garbage: bool) -> None:
    before = gc.get_stats()
    with loading(leaves_garbage=leaves_garbage):
        kept: list[list[int]] = [[] for _ in range(10 * gc.get_threshold()[0])]
    try:
        assert gc.isenabled()
        assert gc.get_stats() == before
        assert (gc.get_freeze_count() >= len(kept)) is not leaves_garbage
    finally:
        gc.unfreeze()
