"""Which executor a step goes to, and with which options."""

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, hookimpl
from localproc.engine.job.executor_choice import ExecutorChoice
from localproc.errors import EnvironmentProblem, PluginMissing, UnsupportedPackage
from localproc.executors.local import LocalExecutor
from localproc.model import Task
from localproc.plugins.executor import (
    Capabilities,
    Executor,
    ExecutorPlugin,
    ExecutorSettings,
)


@pytest.mark.parametrize(
    ("text", "step", "container", "expected"),
    [
        ("local", "crop", False, "local"),
        ("slurm;node_stac=local", "node_stac", False, "local"),
        ("slurm;node_stac=local", "crop", True, "slurm"),
        ("slurm;node_*=local", "items/node_crop", False, "local"),
        ("slurm;items/*=local", "items/crop", False, "local"),
        ("slurm;items/*=local", "others/crop", False, "slurm"),
        ("slurm;a*=x;*=y", "abc", False, "x"),
        ("slurm;a*=x;*=y", "b", False, "y"),
        ("docker;no-container=local", "crop", True, "docker"),
        ("docker;no-container=local", "crop", False, "local"),
        ("docker; crop = slurm ; no-container = local", "crop", False, "slurm"),
    ],
)
def test_the_first_pattern_that_fits_decides(
    text: str, step: str, container: bool, expected: str
) -> None:
    assert ExecutorChoice.read(text).choose(step, container=container) == expected


def test_every_executor_is_named_once() -> None:
    assert ExecutorChoice.read("a;x=b;y=a;no-container=c").names() == ("a", "b", "c")


@pytest.mark.parametrize("text", ["", ";", "a=b", "a;", "a;b", "a;=b", "a;b="])
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputs, match="which executor runs what"):
        ExecutorChoice.read(text)


class Noting(LocalExecutor):
    """Runs tasks as the local one does, and notes them."""

    def __init__(self, settings: ExecutorSettings, tasks: list[Task]) -> None:
        super().__init__(settings)
        self.seen = tasks

    def submit(self, tasks: Any, *, more: bool = False) -> None:
        self.seen += tasks
        super().submit(tasks, more=more)


class Plugin:
    """Offers ``here`` and ``far``, a remote one that runs nothing with more than 16 cores."""

    def __init__(self) -> None:
        self.tasks: dict[str, list[Task]] = {"here": [], "far": []}
        self.settings: dict[str, ExecutorSettings] = {}

    @hookimpl
    def localproc_executors(self) -> Iterator[ExecutorPlugin]:
        yield ExecutorPlugin("here", lambda settings: self.open("here", settings))
        yield ExecutorPlugin(
            "far",
            lambda settings: self.open("far", settings),
            capabilities=Capabilities(remote=True),
            check=lambda _, tasks: {
                one.key: "no machine has so many cores" for one in tasks if one.resources.cores > 16
            },
        )

    def open(self, name: str, settings: ExecutorSettings) -> Executor:
        self.settings[name] = settings
        return Noting(
            ExecutorSettings(f"{settings.folder}-{name}", settings.engine, 2, 1000, 2),
            self.tasks[name],
        )


def steps(plugin: Plugin, name: str) -> list[str]:
    return [task.step for task in plugin.tasks[name]]


def test_steps_go_where_they_are_sent_and_that_is_recorded(tmp_path: Path, packages: Path) -> None:
    plugin = Plugin()
    with Engine(tmp_path / "home", plugins=[plugin], executor="far;second=here") as engine:
        job = engine.run(packages / "three-steps.cwl", {"text": "hello"}).raise_for_status()
    assert (steps(plugin, "here"), steps(plugin, "far")) == (["second"], ["first", "third"])
    assert {task.process for task in plugin.tasks["far"]} == {job.process_id}
    submitted = [event for event in job.events() if getattr(event, "attempt", 0)]
    placed = {event.name: event.executor for event in submitted if event.command}  # type: ignore[attr-defined]
    assert placed == {"first": "far", "second": "here", "third": "far"}


def test_tools_without_a_container_may_go_elsewhere(tmp_path: Path, packages: Path) -> None:
    plugin = Plugin()
    with Engine(tmp_path / "home", plugins=[plugin]) as engine:
        process = engine.deploy(packages / "echo.cwl")
        job = process.execute({"message": "x"}, executor="far;no-container=here").wait()
        assert job.status == "successful"
    assert len(plugin.tasks["here"]) == 1


def test_a_step_can_be_dismissed_wherever_it_runs(tmp_path: Path) -> None:
    plugin = Plugin()
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "slow",
        "baseCommand": ["sh", "-c", "echo on >&2; sleep 300"],
        "inputs": [],
        "outputs": [],
    }
    with Engine(tmp_path / "home", plugins=[plugin], executor="far;slow=here") as engine:
        job = engine.deploy(tool).execute({})
        for step in job.watch():
            if step.status == "running":
                break
        assert job.dismiss().status == "dismissed"


@pytest.mark.parametrize("executor", ["far;second=moon", "moon;second=here"])
def test_every_executor_that_is_named_has_to_be_there(
    tmp_path: Path, packages: Path, executor: str
) -> None:
    with Engine(tmp_path / "home", plugins=[Plugin()]) as engine:
        process = engine.deploy(packages / "three-steps.cwl")
        with pytest.raises(PluginMissing, match="no executor 'moon'"):
            process.execute({"text": "x"}, executor=executor)
        assert engine.jobs() == []


def test_a_job_that_can_never_run_is_not_accepted(tmp_path: Path) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "big",
        "baseCommand": "true",
        "requirements": [{"class": "ResourceRequirement", "coresMin": 64}],
        "inputs": [],
        "outputs": [],
    }
    with Engine(tmp_path / "home", plugins=[Plugin()]) as engine:
        process = engine.deploy(tool)
        with pytest.raises(UnsupportedPackage) as raised:
            process.execute({}, executor="far")
        (problem,) = raised.value.problems
        assert (problem.where, engine.jobs()) == ("big", [])
        assert problem.message.endswith("'far' can never run it: no machine has so many cores")
        assert process.execute({}, executor="far;big=here").wait().status == "successful"


def test_an_executor_of_other_machines_is_not_bound_by_this_one(
    tmp_path: Path, packages: Path
) -> None:
    plugin = Plugin()
    options = {"far": {"partition": "gpu"}}
    with Engine(tmp_path / "home", plugins=[plugin], executor_options=options) as engine:
        process = engine.deploy(packages / "echo.cwl")
        for name in ("here", "far"):
            process.execute({"message": "x"}, executor=name).wait().raise_for_status()
    far, here = plugin.settings["far"], plugin.settings["here"]
    assert (far.slots, far.cores, far.ram, dict(far.options)) == (0, 0, 0, {"partition": "gpu"})
    assert (here.slots > 0, dict(here.options)) == (True, {})


def test_options_that_are_not_by_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputs, match="executor_options has 'partition'"):
        Engine(tmp_path / "home", executor_options={"partition": "gpu"})  # type: ignore[dict-item]


def test_a_home_may_keep_options_in_a_file(tmp_path: Path, packages: Path) -> None:
    plugin = Plugin()
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.yml").write_text(
        "executor_options:\n  far: {partition: cpu, account: eo}\n  here: {x: 1}\n"
    )
    given = {"far": {"partition": "gpu"}}
    with Engine(home, plugins=[plugin], executor="far", executor_options=given) as engine:
        engine.run(packages / "echo.cwl", {"message": "x"}).raise_for_status()
    assert dict(plugin.settings["far"].options) == {"partition": "gpu", "account": "eo"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slots: 4", "has 'slots', which is not known there"),
        ("- a", "is not a mapping"),
        ("a: [", "is not YAML"),
        ("executor_options: 3", "which is not a mapping"),
        ("executor_options: {a: 3}", "executor_options has 'a'"),
        ("namespace_storage_options: {a: {s3: 3}}", "namespace_storage_options.a has 's3'"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.yml").write_text(text)
    with pytest.raises(InvalidInputs, match=said):
        Engine(home)


@pytest.mark.parametrize(
    "text",
    [
        "s3: {secret: [hush",
        "s3: {secret: hush, secret: hush2}",
        "s3: {secret: *hush}",
        "s3: {secret: !!int hush}",
        "[{s3: {secret: hush}}]",
    ],
)
def test_a_file_that_makes_no_sense_is_not_quoted_as_there_may_be_keys_in_it(
    tmp_path: Path, text: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.yml").write_text(f"storage_options:\n  {text}\n")
    with pytest.raises(InvalidInputs) as caught:
        Engine(home)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


# Where tasks work


def test_tasks_work_in_another_folder_which_the_home_remembers(
    tmp_path: Path, packages: Path
) -> None:
    home, work = tmp_path / "home", tmp_path / "shared"
    plugin = Plugin()
    with Engine(home, plugins=[plugin], work=str(work), executor="far", keep=True) as engine:
        job = engine.run(packages / "echo.cwl", {"message": "x"}).raise_for_status()
        assert job.logs("echo").text == ""
    (task,) = plugin.tasks["far"]
    for path in (task.outdir, task.tmpdir, task.stderr, plugin.settings["far"].folder):
        assert path.startswith(f"{work}/"), path
        assert os.path.realpath(path) == path, "other machines may not see the home"
    assert (home / "localproc.db").exists()
    with Engine(home, plugins=[plugin], executor="far") as engine:
        assert engine.jobs()[0].id == job.id
        engine.run(packages / "echo.cwl", {"message": "y"}).raise_for_status()
    assert plugin.tasks["far"][1].outdir.startswith(f"{work}/")


def test_a_home_that_has_worked_elsewhere_stays_there(tmp_path: Path, packages: Path) -> None:
    home = tmp_path / "home"
    with Engine(home) as engine:
        engine.run(packages / "echo.cwl", {"message": "x"}).raise_for_status()
    with pytest.raises(EnvironmentProblem, match="has its jobs in"):
        Engine(home, work=str(tmp_path / "shared"))


def test_two_homes_may_work_in_one_folder(tmp_path: Path, packages: Path) -> None:
    for name in ("one", "two", "one"):
        with Engine(tmp_path / name, work=str(tmp_path / "shared")) as engine:
            engine.run(packages / "echo.cwl", {"message": "x"}).raise_for_status()
    assert len(list((tmp_path / "shared").iterdir())) == 2


def test_an_executor_is_told_while_more_tasks_follow(tmp_path: Path) -> None:
    """So that a scheduler is given all instances of a scatter together."""
    told: list[tuple[int, bool]] = []

    class Roomy(LocalExecutor):
        def room(self) -> int:
            return 1000

        def submit(self, tasks: Any, *, more: bool = False) -> None:
            told.append((len(tasks), more))
            super().submit(tasks, more=more)

    class Wide:
        @hookimpl
        def localproc_executors(self) -> Iterator[ExecutorPlugin]:
            yield ExecutorPlugin("roomy", Roomy)

    tool = {"class": "CommandLineTool", "baseCommand": "true", "inputs": {"n": "int"}}
    step = {"run": {**tool, "outputs": []}, "scatter": "n", "in": {"n": "all"}, "out": []}
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "wide",
        "requirements": [{"class": "ScatterFeatureRequirement"}],
        "inputs": {"all": "int[]"},
        "outputs": [],
        "steps": {"one": step},
    }
    with Engine(tmp_path / "home", plugins=[Wide()], executor="roomy") as engine:
        process = engine.deploy(package)
        process.execute({"all": list(range(150))}).wait().raise_for_status()
    assert sum(count for count, _ in told) == 150
    assert [more for _, more in told] == [True] * (len(told) - 1) + [False]


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [("secnod", "did you mean 'second'?"), ("b*", "its steps are first, second, third")],
)
def test_a_pattern_that_fits_no_step_is_refused(
    tmp_path: Path, packages: Path, pattern: str, hint: str
) -> None:
    asked = f"local;first=local;{pattern}=local"
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(packages / "three-steps.cwl")
        for ask in (process.execute, process.plan):
            with pytest.raises(InvalidInputs) as told:
                ask({"text": "x"}, executor=asked)
            [problem] = told.value.problems
            assert (problem.where, problem.hint) == (f"executor.{pattern}", hint)
        assert engine.jobs() == []


def test_what_an_engine_sends_elsewhere_need_not_be_in_every_package(
    tmp_path: Path, packages: Path
) -> None:
    with Engine(tmp_path / "home", executor="local;second=local") as engine:
        process = engine.deploy(packages / "echo.cwl")
        assert process.plan({"message": "x"}).feasible
        assert process.execute({"message": "x"}).wait().status == "successful"
