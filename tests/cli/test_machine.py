"""Commands about the machine."""

import secrets
from pathlib import Path

import pytest

from localproc.executors.local import LocalExecutor
from tests.cli.terminal import elsewhere, localproc

PLUGIN = """
import click
from localproc.plugins import hookimpl

@hookimpl
def localproc_commands(group):
    @group.command()
    @click.pass_obj
    def greet(site):
        "Say hello."
        with site.look() as engine:
            click.echo(f"hello {engine.namespace}, {len(engine.jobs())} jobs")

    @group.command()
    def run():
        "Take the place of another."
        click.echo("usurped")
"""


def install(folder: Path, name: str, source: str) -> None:
    """Install a plugin into a folder of modules."""
    module = f"module_{secrets.token_hex(4)}"
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[localproc]\n{name} = {module}\n")


def test_plugins_are_listed() -> None:
    said = localproc("plugins")
    assert said.code == 0
    for line in (
        "localproc.executors.builtin",
        "local     processes of this machine",
        "https    files on the web, read only",
    ):
        assert line in said.out
    document = localproc("plugins", "--json").document
    assert [one["name"] for one in document["executors"]] == ["local"]
    assert {one["scheme"] for one in document["storages"]} >= {"file", "http", "https"}
    assert document["broken"] == []


def test_broken_plugins_are_listed_with_the_reason(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(here / "modules", "bad", "import nothing_of_that_name")
    monkeypatch.syspath_prepend(here / "modules")
    said = localproc("plugins")
    assert said.code == 0
    assert "bad     ModuleNotFoundError: No module named 'nothing_of_that_name'" in said.out
    assert localproc("plugins", "--json").document["broken"][0]["plugin"] == "bad"
    doctor = localproc("doctor")
    assert doctor.code == 4
    assert "failed  plugin bad: ModuleNotFoundError" in doctor.out
    assert "→ upgrade it, or uninstall it" in doctor.out


def test_plugins_bring_commands(
    here: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(here / "modules", "greeter", PLUGIN)
    monkeypatch.syspath_prepend(here / "modules")
    monkeypatch.setenv("PYTHONPATH", str(here / "modules"), prepend=":")
    localproc("deploy", packages / "echo.cwl")
    said = elsewhere("--namespace", "acme", "greet")
    assert (said.code, said.out) == (0, "hello acme, 0 jobs\n")
    help_text = elsewhere("--help").out
    assert "Commands of plugins:\n  greet  Say hello.\n" in help_text
    assert "Take the place of another" not in help_text
    assert "usurped" not in elsewhere("run", "--help").out
    assert elsewhere("greeet").err.strip().endswith("Did you mean 'greet'?")
    commands = localproc("plugins", "--json").document["commands"]
    assert {"name": "greet", "summary": "Say hello."} in commands


def test_a_plugin_whose_commands_fail_breaks_no_other(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(here / "modules", "sulks", PLUGIN.replace("@group.command()", "1 / 0", 1))
    monkeypatch.syspath_prepend(here / "modules")
    monkeypatch.setenv("PYTHONPATH", str(here / "modules"), prepend=":")
    assert elsewhere("greet").code == 2
    assert elsewhere("plugins").code == 0
    assert "sulks   ZeroDivisionError: division by zero" in localproc("plugins").out


def test_a_machine_that_is_well(packages: Path) -> None:
    localproc("run", packages / "echo.cwl", "message=x")
    said = localproc("doctor")
    assert said.code == 0, said.out
    assert "failed" not in said.out
    for what in ("python", "machine", "home", "store: 1 jobs, sound", "javascript", "executor"):
        assert what in said.out
    document = localproc("doctor", "--json").document
    assert {one["state"] for one in document} <= {"ok", "warning"}
    assert set(document[0]) == {"state", "what", "said", "hint"}


def test_a_store_that_is_damaged(home: Path) -> None:
    home.mkdir()
    (home / "localproc.db").write_bytes(b"not a database at all" * 1000)
    said = localproc("doctor")
    assert said.code == 4
    assert "failed  home: the store" in said.out
    assert "→ move it away" in said.out
    assert "local executor: runs tools" in said.out, "the rest was looked at all the same"
    said = localproc("jobs")
    assert said.code == 4
    assert "is damaged" in said.err


def test_a_home_that_cannot_be_used(here: Path) -> None:
    (here / "file").touch()
    said = localproc("--home", here / "file" / "home", "doctor")
    assert said.code == 4
    assert f"cannot be made: {here / 'file'} cannot be written" in said.out


def test_a_machine_that_cannot_run_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(LocalExecutor, "__init__", fail)
    said = localproc("doctor")
    assert said.code == 4
    assert "failed  local executor" in said.out
    assert "no more processes" in said.out


def test_a_home_on_a_network_file_system_is_a_warning(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    localproc("deploy", packages / "echo.cwl")
    monkeypatch.setattr("localproc.cli.doctor.on_network", lambda _: True)
    said = localproc("doctor")
    assert said.code == 0
    assert "warning home: " in said.out
    assert "--home /tmp/localproc-$USER" in said.out
