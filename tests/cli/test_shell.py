"""``localproc shell``: a command in the place of a step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, Job
from localproc.executors.containers.charliecloud import Charliecloud
from tests.cli.terminal import Said, localproc, on_terminal
from tests.executors.charliecloud_tests import IMAGE, charliecloud

__all__ = ["charliecloud"]  # a fixture


def tool(command: str = "echo made > made.txt; exit 3", **more: Any) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "make",
        "requirements": {
            "EnvVarRequirement": {"envDef": {"GREETING": "hello $(inputs.word)"}},
            **more,
        },
        "baseCommand": ["sh", "-c", command],
        "inputs": {"word": {"type": "string", "inputBinding": {}}},
        "outputs": {},
    }


def run(home: Path, package: Any, engine: Any = None, **options: Any) -> Job:
    with Engine(home, **(engine or {})) as one:
        return one.run(package, {"word": "world"}, **options)


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Give the command; what it starts writes to the streams of this process."""

    def typed(*words: object) -> Said:
        said = localproc("shell", *words)
        return Said(said.code, capfd.readouterr().out, said.err)

    return typed


LOOK = ("sh", "-c", 'cat made.txt; echo "$GREETING"; pwd; test -d "$TMPDIR" && exit 7')


def test_a_command_runs_where_and_as_the_step_did(home: Path, shell: Callable[..., Said]) -> None:
    job = run(home, tool())
    said = shell("last", "make", "--", *LOOK)
    folder = f"{job.folder}/work/make"
    assert said.out.splitlines() == ["made", "hello world", folder]
    assert said.code == 7
    assert said.err == "the step's command: sh -c 'echo made > made.txt; exit 3' world\n"


def test_it_is_a_shell_on_the_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(home, tool())
    monkeypatch.setenv("SHELL", "/bin/echo")
    assert "leave it with exit" in on_terminal("shell", "last", "make")


def test_the_last_attempt_is_looked_into(home: Path, shell: Callable[..., Said]) -> None:
    again = "echo $TMPDIR >> ../tries; wc -l < ../tries > made.txt; exit 3"
    job = run(home, tool(again), retries={"attempts": 2, "delay": 0})
    said = shell(job.id, "make", "--", "cat", "made.txt")
    assert said.out.split() == ["2"]


@pytest.mark.parametrize(
    ("value", "out", "told"),
    [("open sesame", "open sesame", ""), (None, "", "it is not given the step's secrets")],
)
def test_secrets_are_given_if_they_are_there(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    shell: Callable[..., Said],
    value: str | None,
    out: str,
    told: str,
) -> None:
    monkeypatch.setenv("LOCALPROC_SECRET_WORD", "open sesame")
    rule = {"step": "make", "set": {"WORD": "secret:word", "PLAIN": "yes"}}
    job = run(home, tool(), variables=[rule])
    if value is None:
        monkeypatch.delenv("LOCALPROC_SECRET_WORD")
    said = shell(job.id, "make", "--", "sh", "-c", 'echo "$PLAIN:$WORD"')
    assert said.out == f"yes:{out}\n"
    assert told in said.err
    assert "sesame" not in said.err


def test_a_folder_that_is_gone_is_told_with_what_keeps_it(home: Path) -> None:
    run(home, tool("true"))
    said = localproc("shell", "last", "make", "--", "true")
    assert said.code == 2
    assert "the folder of step make" in said.err
    assert "--keep" in said.err
    run(home, tool("true"), {"keep": True})
    assert localproc("shell", "last", "make", "--", "true").code == 0


EXPRESSION = {
    "cwlVersion": "v1.2",
    "class": "ExpressionTool",
    "id": "work",
    "requirements": {"InlineJavascriptRequirement": {}},
    "expression": "${ return {made: {class: 'File', basename: 'a', contents: 'a'}}; }",
    "inputs": {},
    "outputs": {"made": "File"},
}


def test_steps_without_a_command_are_told(home: Path) -> None:
    with Engine(home, reuse=True, keep=True) as engine:
        first = engine.run(tool("true"), {"word": "a"})
    with Engine(home, reuse=True, keep=True) as engine:  # what is to be remembered is by now
        again = engine.run(tool("true"), {"word": "a"})
        engine.run(EXPRESSION).raise_for_status()
    assert f"localproc shell {first.id} make" in localproc("shell", again.id, "make").err
    assert "no step 'nope'" in localproc("shell", "last", "nope").err
    assert "it is the engine's own" in localproc("shell", "last", "stage_out").err
    assert "it is an expression" in localproc("shell", "last", "work").err


def test_a_container_is_that_of_the_step(
    home: Path, charliecloud: Charliecloud, shell: Callable[..., Said]
) -> None:
    [image] = charliecloud.images()
    images = str(Path(image.path).parents[1])
    boxed = tool(DockerRequirement={"dockerPull": IMAGE})
    run(home, boxed, {"containers": "charliecloud", "images": images})
    look = ("sh", "-c", "cat made.txt; echo $GREETING; test -e /boot || echo inside")
    said = shell("last", "make", "--images", images, "--", *look)
    assert said.out.split("\n") == ["made", "hello world", "inside", ""]
    assert f"in a new container of {IMAGE} (charliecloud)" in said.err
