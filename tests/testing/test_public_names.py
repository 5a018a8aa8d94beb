"""The names that programs may rely on."""

import ast
import dataclasses
import inspect
import pydoc
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc import Engine
from localproc.engine.home.settings import Settings
from localproc.engine.options import EngineSettings, ExecuteOptions, JobFilters
from localproc.errors import UnknownOption
from localproc.http.http_settings import HttpOptions, HttpSettings
from localproc.model import JobFilter, JobRequest
from localproc.remote import Server
from tests.held import HELD, MADE, public_calls

ROOT = Path(__file__).parents[2]
SOURCE = Path(inspect.getfile(localproc))

#: What the documents of the project promise. A name that goes, or comes, is a decision.
PROMISED = {
    "Engine",
    "InvalidInputs",
    "InvalidPackage",
    "Job",
    "JobFailed",
    "JobStatus",
    "LocalprocError",
    "Process",
    "Settings",
    "StacResults",
    "Step",
    "hookimpl",
    "run",
}


def test_the_public_names_are_those_that_are_promised() -> None:
    assert set(localproc.__all__) == PROMISED
    assert set(dir(localproc)) >= PROMISED


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(localproc, name)
    if name != "hookimpl":
        assert found.__name__ == name
        assert inspect.getdoc(found)


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    (block,) = (node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    assert seen == localproc._WHERE


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'localproc' has no attribute 'Egnine'"):
        _ = localproc.Egnine


def test_the_version_is_that_of_the_distribution() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared is not None
    assert localproc.__version__ == declared[1]


@pytest.mark.parametrize("path", ["README.md", "plugins/README.md", "src/localproc/__init__.py"])
def test_what_the_documents_use_is_public(path: str) -> None:
    used = set(re.findall(r"\blocalproc\.([A-Z]\w+)", (ROOT / path).read_text()))
    assert used <= PROMISED


# The options that are given by name

HELLO = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "hello",
    "baseCommand": "true",
    "inputs": [],
    "outputs": [],
}


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (EngineSettings, Settings),
        (JobFilters, JobFilter),
        (ExecuteOptions, JobRequest),
        (HttpOptions, HttpSettings),
    ],
)
def test_typed_options_are_the_fields_of_what_they_become(options: type, fields: Any) -> None:
    own = {"detached", "base", "bases", "references"}  # they say how to read the inputs, and where
    named = {"inputs", "namespace", "processes", "statuses", "limit"}  # arguments of their own
    if options is ExecuteOptions:
        named |= {"secrets", "named", "retry_of", "passed_over"}  # found, or said by a retry
    told = typing.get_type_hints(options)
    there = {field.name for field in dataclasses.fields(fields)}
    if options is not EngineSettings:
        there -= named
    assert set(told) - own == there


def misspelt(engine: localproc.Engine) -> dict[str, Callable[[], object]]:
    process = engine.deploy(HELLO)
    wrong: dict[str, Any] = {"tag": ["x"]}
    return {
        "Engine.execute() has no option 'tag'; tags": lambda: engine.execute(process, {}, **wrong),
        "Process.execute() has no option 'tag'; tags": lambda: process.execute({}, **wrong),
        "Engine.run() has no option 'tag'; tags": lambda: engine.run(HELLO, {}, **wrong),
        "run() has no option 'hme'; home": lambda: localproc.run(HELLO, {}, **as_any(hme="x")),
        "Engine.jobs() has no option 'proces'; process": lambda: engine.jobs(**as_any(proces="x")),
        "Engine.jobs() has no option 'tags'; tag": lambda: engine.jobs(**as_any(tags="x")),
        "Engine() has no option 'slot'; slots": lambda: localproc.Engine(**as_any(slot=2)),
        "Engine() has no option 'run_job'; run_jobs": lambda: localproc.Engine(**as_any(run_job=1)),
        "Engine.client() has no option 'base'; base_url": lambda: engine.client(**as_any(base="x")),
    }


def as_any(**options: Any) -> dict[str, Any]:
    return options


def test_a_misspelt_option_is_refused_at_once_with_what_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with localproc.Engine(tmp_path / "home") as engine:
        for said, call in misspelt(engine).items():
            with pytest.raises(UnknownOption) as error:
                call()
            assert isinstance(error.value, TypeError)
            message, _, meant = said.partition("; ")
            assert (error.value.message, error.value.hint) == (message, f"did you mean {meant!r}?")
        with pytest.raises(UnknownOption, match=r"there is: .*executor, .*title, trigger"):
            engine.run(HELLO, {}, **as_any(zzzzz=1))
        assert engine.jobs() == []
    assert [one.name for one in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("kind", HELD)
def test_every_public_call_refuses_a_name_that_it_does_not_have(kind: type) -> None:
    for name, call in public_calls(kind):
        if (kind, name) == (Server, "execute"):
            continue  # servers elsewhere have members of their own
        with pytest.raises(UnknownOption, match=rf"{name}\(\) has no option 'zzzzz'"):
            call(object(), zzzzz=1)


@pytest.mark.parametrize("kind", MADE)
def test_what_is_made_refuses_a_name_that_it_does_not_have(kind: type) -> None:
    with pytest.raises(UnknownOption, match=rf"^{kind.__name__}\(\) has no option 'zzzzz'"):
        kind(zzzzz=1)


def test_a_name_that_is_taken_is_never_taken_for_another(localproc_engine: Engine) -> None:
    process = localproc_engine.deploy(HELLO, process_id="by-name")
    assert process.id == "by-name"
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'package'"):
        localproc_engine.deploy(**as_any())


def test_an_input_that_is_given_as_an_option_is_told_as_one(localproc_engine: Engine) -> None:
    process = localproc_engine.deploy({**HELLO, "inputs": {"message": "string?", "tag": "string?"}})
    said = 'inputs are given as a mapping: execute({"%s": ...})'
    for name in ("message", "tag"):
        with pytest.raises(UnknownOption) as error:
            process.execute(**as_any(**{name: "x"}))
        assert error.value.hint == said % name
        with pytest.raises(UnknownOption) as error:
            localproc_engine.execute(process, **as_any(**{name: "x"}))
        assert error.value.hint == said.replace("(", "(process, ") % name


def test_what_may_be_an_input_is_told_how_inputs_are_given(localproc_engine: Engine) -> None:
    localproc_engine.deploy(HELLO)
    package = {**HELLO, "inputs": {"message": "string?"}}
    calls: dict[str, Callable[[], object]] = {
        "execute(process, ": lambda: localproc_engine.execute("hello", **as_any(message="x")),
        "run(package, ": lambda: localproc_engine.run(package, **as_any(message="x")),
        "add(process, cron, ": lambda: localproc_engine.schedules.add(
            "hello", "@daily", **as_any(message="x")
        ),
    }
    for said, call in calls.items():
        with pytest.raises(UnknownOption) as error:
            call()
        assert error.value.hint.startswith(
            f'inputs are given as a mapping: {said}{{"message": ...}}); there is: '
        )


def test_options_of_another_type_are_told_by_the_call(localproc_engine: Engine) -> None:
    with pytest.raises(localproc.InvalidInputs) as error:
        localproc_engine.client(**as_any(title=3, echo="yes"))
    assert error.value.message == "Engine.client() cannot be called like this"
    assert [(one.where, one.message) for one in error.value.problems] == [
        ("title", "expected str, got 3"),
        ("echo", "expected bool, got 'yes'"),
    ]


def test_a_state_that_does_not_exist_is_told_with_those_that_do(
    localproc_engine: localproc.Engine,
) -> None:
    with pytest.raises(localproc.InvalidInputs, match=r"there is no state 'done'.*successful"):
        localproc_engine.jobs(status=["failed", "done"])


# What a reader sees


def test_there_is_one_class_of_engine(localproc_engine: localproc.Engine) -> None:
    assert type(localproc_engine) is localproc.Engine
    assert type(localproc_engine.within("other")) is localproc.Engine
    assert repr(localproc_engine).startswith("<Engine ")
    assert [name for name in localproc.__all__ if "Engine" in name] == ["Engine"]


def test_help_shows_an_example() -> None:
    told = pydoc.plain(pydoc.render_doc(localproc.Engine))
    example = told.partition("import localproc")[2].partition("``home``")[0]
    assert "with localproc.Engine(" in example
    assert "engine.deploy(" in example
    assert "job.results()" in example


def public_members(kind: type) -> list[tuple[str, Any]]:
    return [
        (name, member)
        for name, member in inspect.getmembers(kind)
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    ]


@pytest.mark.parametrize("kind", [localproc.Engine, localproc.Process, localproc.Job])
def test_every_public_member_says_what_it_returns(kind: type) -> None:
    for name, member in public_members(kind):
        told = inspect.getdoc(member)
        assert told, name
        assert not told.startswith(("Give ", "Get ")), f"{kind.__name__}.{name}"
