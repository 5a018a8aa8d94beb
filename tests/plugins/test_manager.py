"""Plugins: found, broken, told of events, and kept apart."""

import inspect
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, hookimpl
from localproc.errors import PluginMissing
from localproc.model import Event, JobRecord, Kind, ProcessRecord
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.manager import Broken, PluginManager
from localproc.plugins.storage import StoragePlugin

#: Installs a module as a distribution of one plugin.
Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Give what installs a plugin: a module, and a distribution that names it."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def install(name: str, source: str) -> None:
        module = f"module_{secrets.token_hex(4)}"
        (folder / f"{module}.py").write_text(source)
        info = folder / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[localproc]\n{name} = {module}\n")

    return install


GOOD = """
from localproc.plugins import hookimpl
from localproc.plugins.executor import ExecutorPlugin

@hookimpl
def localproc_executors():
    return [ExecutorPlugin("cloud", None, "somewhere else")]
"""


def names(box: PluginManager) -> list[str]:
    return [one.name for one in box.executors()] + [one.scheme for one in box.storages()]


def test_the_built_in_plugins_are_plugins_like_any_other() -> None:
    box = PluginManager(entry_points=False)
    assert sorted(names(box)) == ["file", "http", "https", "local"]
    assert [name for name, _ in box.names()] == [
        "localproc.executors.builtin",
        "localproc.storage.builtin",
    ]
    assert box.executor("local").summary == "processes of this machine"
    assert "guarded" in box.storage("https").options
    assert box.broken == []


def test_an_installed_plugin_is_found_with_its_distribution(install: Install) -> None:
    install("cloud", GOOD)
    box = PluginManager()
    assert ("cloud", "cloud 1.2") in box.names()
    assert box.executor("cloud").summary == "somewhere else"
    assert box.broken == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_n"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError"),
        (GOOD.replace("executors():", "executors(unknown):"), "PluginValidationError"),
        ("from localproc.plugins import gone", "ImportError: cannot import name 'gone'"),
    ],
)
def test_a_plugin_that_does_not_load_breaks_nothing(
    install: Install, tmp_path: Path, packages: Path, source: str, reason: str
) -> None:
    install("bad", source)
    with Engine(tmp_path / "home") as engine:
        (broken,) = engine.plugins.broken
        assert broken.plugin == "bad"
        assert broken.reason.startswith(reason)
        assert engine.run(packages / "echo.cwl", {"message": "x"}).status == "successful"
        assert "local" in names(engine.plugins)


def test_a_plugin_that_calls_itself_like_another_is_broken(install: Install) -> None:
    install("localproc.storage.builtin", GOOD)
    box = PluginManager()
    assert [one.plugin for one in box.broken] == ["localproc.storage.builtin"]
    assert box.storage("file")


def test_a_hook_that_fails_is_noted_once_and_the_others_count() -> None:
    class Failing:
        @hookimpl
        def localproc_executors(self) -> Iterable[ExecutorPlugin]:
            raise RuntimeError("no licence")

        @hookimpl
        def localproc_storages(self) -> Iterable[StoragePlugin]:
            yield StoragePlugin("half", lambda _: None)  # type: ignore[arg-type,return-value]
            raise RuntimeError("no network")

    box = PluginManager([Failing()], entry_points=False)
    for _ in range(2):
        assert sorted(names(box)) == ["file", "half", "http", "https", "local"]
    assert [one.reason for one in box.broken] == [
        "RuntimeError: no licence",
        "RuntimeError: no network",
    ]
    assert all(isinstance(one, Broken) and one.plugin for one in box.broken)


def test_what_is_not_there_is_said_with_what_there_is(localproc_engine: Engine) -> None:
    box = localproc_engine.plugins
    with pytest.raises(
        PluginMissing, match=r"there is no executor 'moon'\n  hint: there is: .*local"
    ):
        box.executor("moon")
    with pytest.raises(PluginMissing, match="hint: there is: file, http, https"):
        box.storage("gopher")
    with pytest.raises(PluginMissing, match="there is: file, http, https"):
        box.storage("s3")


def test_an_unknown_executor_refuses_a_job_before_it_is_accepted(
    localproc_engine: Engine, packages: Path
) -> None:
    process = localproc_engine.deploy(packages / "echo.cwl")
    with pytest.raises(PluginMissing, match="no executor 'moon'"):
        process.execute({"message": "x"}, executor="moon")
    assert localproc_engine.jobs() == []


def test_a_job_whose_input_has_an_unknown_scheme_says_so(localproc_engine: Engine) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "reads",
        "baseCommand": "true",
        "inputs": [{"id": "file", "type": "File"}],
        "outputs": [],
    }
    job = localproc_engine.run(package, {"file": {"href": "gopher://example.com/a.tif"}})
    assert job.message == "step stage_in: there is no storage 'gopher'"
    assert "there is: file, http, https" in job.problem["hint"]


class Offers:
    """Offers an executor of a name."""

    def __init__(self, name: str, open_it: Any = None) -> None:
        self._name = name
        self._open = open_it

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin(self._name, self._open)]


def test_two_engines_have_different_plugins(tmp_path: Path) -> None:
    with (
        Engine(tmp_path / "a", plugins=[Offers("one")]) as first,
        Engine(tmp_path / "b", plugins=[Offers("two")]) as second,
    ):
        assert {"one", "local"} <= set(names(first.plugins))
        assert {"two", "local"} <= set(names(second.plugins))
        assert "two" not in names(first.plugins)
        with pytest.raises(PluginMissing):
            second.plugins.executor("one")


@pytest.mark.parametrize("error", [RuntimeError("no licence"), OSError("no network")])
def test_an_executor_that_cannot_be_opened_fails_its_job_alone(
    tmp_path: Path, packages: Path, error: Exception
) -> None:
    def open_it(_: object) -> None:
        raise error

    with Engine(tmp_path / "home", plugins=[Offers("bad", open_it)]) as engine:
        process = engine.deploy(packages / "echo.cwl")
        job = process.execute({"message": "x"}, executor="bad")
        good = process.execute({"message": "x"})
        assert job.wait(5).status == "failed"
        assert str(error) in job.message
        assert good.wait(5).status == "successful"


class Breaks:
    """An executor that is full of bugs."""

    def __init__(self, _: object) -> None:
        pass

    def fileno(self) -> None:
        return None

    def interval(self) -> float:
        return 0.01

    def room(self) -> int:
        return 1

    def submit(self, tasks: object) -> None:
        return None

    def poll(self) -> list[object]:
        raise RuntimeError("a bug")

    def cancel(self, keys: object, grace: float) -> None:
        return None

    def tidy(self) -> None:
        return None

    def close(self) -> None:
        return None


def test_an_executor_with_a_bug_does_not_take_other_jobs_down(
    tmp_path: Path, packages: Path
) -> None:
    engine = Engine(tmp_path / "home", plugins=[Offers("bad", Breaks)])
    process = engine.deploy(packages / "echo.cwl")
    process.execute({"message": "x"}, executor="bad")
    time.sleep(0.2)
    try:
        assert process.execute({"message": "x"}).wait(3).status == "successful"
    finally:
        engine.close()


# Checking inputs


class Checks:
    """Lets no message pass that shouts."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Mapping[str, Any]]] = []

    @hookimpl
    def localproc_check_inputs(self, process: ProcessRecord, inputs: Mapping[str, Any]) -> None:
        self.seen.append((process.id, inputs))
        if inputs["message"].isupper():
            raise InvalidInputs("do not shout")


def test_inputs_are_vetoed_before_a_job_is_accepted(tmp_path: Path, packages: Path) -> None:
    checks = Checks()
    with Engine(tmp_path / "home", plugins=[checks]) as engine:
        process = engine.deploy(packages / "echo.cwl")
        with pytest.raises(InvalidInputs, match="do not shout"):
            process.execute({"message": "HELLO"})
        assert engine.jobs() == []
        assert not list((engine.home / "jobs").iterdir())
        assert process.execute({"message": "hello"}).wait(10).status == "successful"
    assert checks.seen == [("echo", {"message": "HELLO"}), ("echo", {"message": "hello"})]


def test_inputs_that_do_not_fit_are_not_shown_to_plugins(tmp_path: Path, packages: Path) -> None:
    checks = Checks()
    with Engine(tmp_path / "home", plugins=[checks]) as engine:
        process = engine.deploy(packages / "echo.cwl")
        with pytest.raises(InvalidInputs, match="is missing"):
            process.execute({})
    assert checks.seen == []


# Watching


class Watches:
    """Notes all events, and may be slow or fail at it."""

    def __init__(self, do: Callable[[], object] = lambda: None) -> None:
        self.seen: list[tuple[str, Event]] = []
        self.threads: set[str] = set()
        self._do = do

    @hookimpl
    def localproc_event(self, job: JobRecord, event: Event) -> None:
        self.seen.append((job.id, event))
        self.threads.add(threading.current_thread().name)
        self._do()

    def of(self, job_id: str) -> list[Event]:
        return [event for one, event in self.seen if one == job_id]


def test_observers_are_told_of_every_event_in_order(tmp_path: Path, packages: Path) -> None:
    watches = Watches()
    with Engine(tmp_path / "home", plugins=[watches]) as engine:
        process = engine.deploy(packages / "three-steps.cwl")
        jobs = [process.execute({"text": "x", "code": code}) for code in (0, 3, 0)]
    for job in jobs:
        told = [(event.kind, event.at) for event in watches.of(job.id)]
        assert told == [(event.kind, event.at) for event in job.events()]
    assert watches.threads == {"localproc-observers"}


def test_observers_are_told_of_jobs_that_cannot_even_be_begun(
    tmp_path: Path, packages: Path
) -> None:
    def open_it(_: object) -> None:
        raise OSError("no network")

    watches = Watches()
    with Engine(tmp_path / "home", plugins=[watches, Offers("bad", open_it)]) as engine:
        job = engine.deploy(packages / "echo.cwl").execute({"message": "x"}, executor="bad")
        job.wait(5)
    assert Kind.FAILED in [event.kind for event in watches.of(job.id)]


def test_an_observer_takes_only_what_it_asks_for(tmp_path: Path, packages: Path) -> None:
    seen: list[Kind] = []

    def localproc_event(event: Event) -> None:
        seen.append(event.kind)

    plugin = SimpleNamespace(localproc_event=hookimpl(localproc_event))
    with Engine(tmp_path / "home", plugins=[plugin]) as engine:
        engine.run(packages / "echo.cwl", {"message": "x"})
    assert seen[-1] is Kind.SUCCEEDED


def test_a_slow_observer_does_not_hold_a_job_and_misses_nothing(
    tmp_path: Path, packages: Path
) -> None:
    slow = Watches(lambda: time.sleep(0.15))
    with Engine(tmp_path / "home", plugins=[slow]) as engine:
        job = engine.deploy(packages / "three-steps.cwl").execute({"text": "x"})
        job.wait(10)
        behind = len(slow.seen)
        total = len(job.events())
    assert behind < total - 2, "the job did not wait for its observer"
    assert len(slow.seen) >= total - 1, "closing the engine told the rest"


def test_an_observer_that_fails_breaks_neither_job_nor_observers(
    tmp_path: Path, packages: Path
) -> None:
    def fail() -> None:
        raise RuntimeError("the mail server is down")

    fails, watches = Watches(fail), Watches()
    with Engine(tmp_path / "home", plugins=[fails, watches]) as engine:
        job = engine.run(packages / "echo.cwl", {"message": "x"})
        assert job.status == "successful"
    assert [event.kind for event in fails.of(job.id)] == [
        event.kind for event in watches.of(job.id)
    ]
    assert watches.of(job.id)[-1].kind is Kind.SUCCEEDED
    assert [one.reason for one in engine.plugins.broken] == [
        "RuntimeError: the mail server is down"
    ]


def test_without_observers_there_is_no_thread_for_them(localproc_engine: Engine) -> None:
    assert not localproc_engine.plugins.observes()
    assert "localproc-observers" not in [thread.name for thread in threading.enumerate()]


def test_a_hook_takes_no_arguments_that_its_specification_has_not() -> None:
    def localproc_event(job: JobRecord, event: Event, weather: str) -> None: ...

    plugin = SimpleNamespace(localproc_event=hookimpl(localproc_event))
    with pytest.raises(Exception, match="weather"):
        PluginManager([plugin], entry_points=False)
    assert "weather" in inspect.signature(localproc_event).parameters
