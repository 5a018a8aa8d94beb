"""What is misspelt is refused at once, wherever it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import EnvironmentProblem, InvalidInputs, LocalprocError
from localproc.executors.builtin import localproc_containers, localproc_executors
from localproc.plugins.containers import ContainerSettings
from localproc.plugins.executor import ExecutorSettings
from localproc.storage.builtin import localproc_storages

TOOL = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "tool",
    "baseCommand": "true",
    "inputs": {"message": "string?"},
    "outputs": {},
}


def said(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(LocalprocError) as caught:
        call(**given)
    return f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        ({"executor_options": {"locl": {}}}, "'local'"),
        ({"container_options": {"aptainer": {}}}, "'apptainer'"),
        ({"storage_options": {"htpt": {}}}, "'http'"),
        ({"storage_options": {"htps://host": {}}}, "'http"),
        ({"namespace_storage_options": {"acme": {"fil": {}}}}, "'file'"),
        ({"mail": {"hots": "mail.example.org"}}, "'host'"),
        ({"retries": {"attemps": 3}}, "'attempts'"),
        ({"secrets": {"key": {"file": "/x", "comand": "y"}}}, "file: PATH"),
    ],
)
def test_a_setting_is_refused_when_the_engine_is_made(
    tmp_path: Path, settings: dict[str, Any], meant: str
) -> None:
    assert meant in said(Engine, home=tmp_path / "home", **settings)
    assert "example.org" not in said(Engine, home=tmp_path / "home", **settings)


def test_options_for_what_is_not_installed_are_left_alone(tmp_path: Path) -> None:
    options: dict[str, dict[str, Any]] = {"moon": {"tide": "high"}}
    with Engine(tmp_path / "home", run_jobs=False, executor_options=options) as engine:
        assert engine.settings.executor_options == options


def test_an_option_of_what_comes_with_localproc_is_refused() -> None:
    (local,) = localproc_executors()
    settings = ExecutorSettings("/tmp", "engine", 1, 1, 1, {"gpu": "0"})
    with pytest.raises(EnvironmentProblem, match="has no option 'gpu'") as caught:
        local.check(settings, [])
    assert caught.value.hint == "did you mean 'gpus'?"
    web = next(one for one in localproc_storages() if one.scheme == "https")
    with pytest.raises(EnvironmentProblem, match="has no option 'slowst'") as caught:
        web.open({"slowst": 1})
    assert caught.value.hint == "did you mean 'slowest'?"
    folders = next(one for one in localproc_storages() if one.scheme == "file")
    folders.open({"guarded": True})
    for plugin in localproc_containers():
        with pytest.raises(EnvironmentProblem, match=f"{plugin.name} has no option 'mode'"):
            plugin.open(ContainerSettings("/tmp", {"mode": "fast"}))
    with pytest.raises(EnvironmentProblem, match="folders has no option 'root'") as caught:
        folders.open({"root": "/data"})
    assert caught.value.hint == "it has none"


def test_options_of_a_job_are_refused_before_it_is_accepted(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        tool = engine.deploy(TOOL)
        assert "'message'" in said(tool.execute, bases={"mesage": "/"})
        assert "expected a text, got 1" in said(tool.execute, tags=[1])
        assert "'delay'" in said(tool.execute, retries={"delai": 3})
        assert engine.jobs() == []


@pytest.mark.parametrize(
    "given", [{"limit": -1}, {"limit": 2.5}, {"process": 3}, {"status": 3}, {"process": [b"x"]}]
)
def test_a_list_of_jobs_that_makes_no_sense_is_refused(
    tmp_path: Path, given: dict[str, Any]
) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        with pytest.raises(InvalidInputs, match=next(iter(given))):
            engine.jobs(**given)
        assert engine.jobs(limit=0) == []


def test_a_text_in_one_line_is_a_text(tmp_path: Path) -> None:
    text = (
        '{"cwlVersion": "v1.2", "class": "CommandLineTool", "id": "one", "baseCommand": "a/b", '
        '"inputs": [], "outputs": []}'
    )
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        assert engine.deploy(text).id == "one"
        assert engine.read(f" {text} ").id == "one"
