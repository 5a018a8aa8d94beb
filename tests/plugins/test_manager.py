"""Plugins: found, broken, told of events, and kept apart."""

import inspect
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, hookimpl
from localproc.errors import EnvironmentProblem, PluginMissing
from localproc.model import Event, JobRecord, Kind, ProcessRecord
from localproc.plugins.executor import Capabilities, ExecutorPlugin
from localproc.plugins.manager import BrokenPlugin, PluginManager
from localproc.plugins.storage import StoragePlugin
from tests.patience import patient, until

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
        "localproc.software.builtin",
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
        (GOOD.replace("executors():", "executors(unknown):"), "the plugin 'bad' cannot be used: "),
        (
            GOOD.replace("_executors", "_executor"),
            (
                "the plugin 'bad' cannot be used: there is no hook 'localproc_executor'; "
                "did you mean 'localproc_executors'?"
            ),
        ),
        (
            GOOD.replace("@hookimpl", "@hookimpl(hookwrapper=True)").replace("return", "yield"),
            (
                "the plugin 'bad' cannot be used: localproc_executors is a hook wrapper of the old "
                "kind; write hookimpl(wrapper=True)"
            ),
        ),
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
    assert all(isinstance(one, BrokenPlugin) and one.plugin for one in box.broken)


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
        assert job.wait(patient(5)).status == "failed"
        assert str(error) in job.message
        assert good.wait(patient(5)).status == "successful"


class Breaks:
    """An executor that is full of bugs."""

    polled = 0
    capabilities = Capabilities()

    def __init__(self, _: object) -> None:
        pass

    def check(self, tasks: object) -> dict[str, str]:
        return {}

    def reattach(self, tasks: object) -> None:
        return None

    def release(self, keys: object) -> None:
        return None

    def fileno(self) -> None:
        return None

    def interval(self) -> float:
        return 0.01

    def room(self) -> int:
        return 1

    def submit(self, tasks: object, *, more: bool = False) -> None:
        return None

    def poll(self) -> list[object]:
        Breaks.polled += 1
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
    until(lambda: Breaks.polled)
    try:
        assert process.execute({"message": "x"}).wait().status == "successful"
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
        assert process.execute({"message": "hello"}).wait(patient(10)).status == "successful"
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
        job.wait(patient(5))
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
    ended = threading.Event()
    slow = Watches(ended.wait)
    with Engine(tmp_path / "home", plugins=[slow]) as engine:
        job = engine.deploy(packages / "three-steps.cwl").execute({"text": "x"})
        job.wait()
        assert len(slow.seen) == 1, "the job did not wait for its observer"
        ended.set()
    assert len(slow.seen) == len(job.events()), "closing the engine told the rest"


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
    with pytest.raises(EnvironmentProblem, match="weather"):
        PluginManager([plugin], entry_points=False)
    assert "weather" in inspect.signature(localproc_event).parameters


# What pluggy offers beyond plain hooks


def test_a_misspelt_hook_of_a_plugin_that_was_handed_in_is_told_at_once(tmp_path: Path) -> None:
    plugin = SimpleNamespace(localproc_evnt=hookimpl(lambda event: None))
    with pytest.raises(EnvironmentProblem, match="no hook 'localproc_evnt'") as error:
        Engine(tmp_path / "home", plugins=[plugin])
    assert error.value.hint == "did you mean 'localproc_event'?"
    assert not (tmp_path / "home" / "localproc.db").exists()


def test_a_misspelt_argument_of_a_hook_is_told_at_once() -> None:
    def localproc_event(job: JobRecord, evnt: Event) -> None: ...

    plugin = SimpleNamespace(localproc_event=hookimpl(localproc_event))
    with pytest.raises(EnvironmentProblem, match="evnt") as error:
        PluginManager([plugin], entry_points=False)
    assert error.value.hint == "did you mean 'event'?"


def test_a_misspelt_executor_is_told() -> None:
    with pytest.raises(PluginMissing) as error:
        PluginManager(entry_points=False).executor("locl")
    assert error.value.hint == "did you mean 'local'?"


class Listener:
    """A plugin of a kind of its own."""

    @hookimpl(wrapper=True)
    def localproc_event(self, event: Event) -> Generator[None, None, None]:
        return (yield)


@pytest.mark.parametrize(
    ("plugin", "said", "hint"),
    [
        (Listener, "it is a class, whose hooks need an object", "give Listener() instead"),
        (SimpleNamespace(localproc_event=print), "it has no hooks", "localproc.hookimpl"),
        ("localproc_slurm", "it has no hooks", "localproc.hookimpl"),
    ],
)
def test_what_is_no_plugin_is_told_at_once(
    tmp_path: Path, plugin: object, said: str, hint: str
) -> None:
    with pytest.raises(EnvironmentProblem, match=said) as error:
        Engine(tmp_path / "home", plugins=[plugin])
    assert hint in error.value.hint


def test_a_wrapper_that_cannot_be_called_keeps_the_others_from_nothing(
    localproc_home: Path, packages: Path
) -> None:
    seen: list[Kind] = []

    class Static:
        @staticmethod
        @hookimpl(wrapper=True)
        def localproc_event(job: JobRecord) -> Any:
            raise RuntimeError("not today")

    listener = SimpleNamespace(localproc_event=hookimpl(lambda event: seen.append(event.kind)))
    with Engine(localproc_home, plugins=[Static, listener]) as engine:
        engine.run(packages / "echo.cwl", {"message": "x"})
    assert seen[0] == "accepted"
    assert seen[-1] == "succeeded"
    assert [one.reason for one in engine.plugins.broken] == ["RuntimeError: not today"]


def test_a_hook_that_may_be_missing_is_no_fault() -> None:
    plugin = SimpleNamespace(localproc_of_a_later_version=hookimpl(lambda: None, optionalhook=True))
    assert PluginManager([plugin], entry_points=False).broken == []


def test_a_hook_may_have_another_name_in_its_plugin() -> None:
    seen: list[Kind] = []

    @hookimpl(specname="localproc_event")
    def listen(event: Event) -> None:
        seen.append(event.kind)

    box = PluginManager([SimpleNamespace(listen=listen)], entry_points=False)
    box.tell("localproc_event", job=None, event=SimpleNamespace(kind=Kind.STARTED))
    assert seen == [Kind.STARTED]


def test_hooks_are_called_in_the_order_that_they_ask_for() -> None:
    told: list[str] = []

    def listens(name: str, **marks: bool) -> SimpleNamespace:
        return SimpleNamespace(
            localproc_event=hookimpl(**marks)(lambda: told.append(name))  # type: ignore[call-overload]
        )

    plugins = [listens("middle"), listens("last", trylast=True), listens("first", tryfirst=True)]
    plugins.append(listens("newest"))
    PluginManager(plugins, entry_points=False).tell("localproc_event", job=None, event=None)
    assert told == ["first", "newest", "middle", "last"]


class Renames:
    """Wraps what all plugins offer; fails where it is told to."""

    def __init__(self, fails: str = "") -> None:
        self._fails = fails

    @hookimpl(wrapper=True)
    def localproc_executors(
        self,
    ) -> Generator[None, list[list[ExecutorPlugin]], list[list[ExecutorPlugin]]]:
        if self._fails == "before":
            raise RuntimeError("no licence")
        found = yield
        if self._fails == "after":
            raise RuntimeError("no licence")
        if self._fails == "twice":
            yield
        return [[replace(one, summary="wrapped") for one in several] for several in found]


def test_a_wrapper_changes_what_the_others_give() -> None:
    box = PluginManager([Renames(), Offers("one")], entry_points=False)
    assert {one.name: one.summary for one in box.executors()} == {
        "local": "wrapped",
        "one": "wrapped",
    }
    assert box.broken == []


@pytest.mark.parametrize("fails", ["before", "after", "twice"])
def test_a_wrapper_that_fails_is_noted_and_changes_nothing(fails: str) -> None:
    box = PluginManager([Renames(fails), Offers("one")], entry_points=False)
    assert [one.name for one in box.executors()] == ["local", "one"]
    assert len(box.broken) == 1
    assert box.broken[0].plugin == "tests.plugins.test_manager.Renames"


def test_a_wrapper_sees_a_veto(tmp_path: Path, packages: Path) -> None:
    class Softens:
        @hookimpl(wrapper=True)
        def localproc_check_inputs(self) -> Generator[None, object, object]:
            try:
                return (yield)
            except InvalidInputs:
                return []

    with Engine(tmp_path / "home", plugins=[Checks(), Softens()]) as engine:
        job = engine.run(packages / "echo.cwl", {"message": "HELLO"})
    assert job.status == "successful"


@pytest.mark.parametrize("given", [ExecutorPlugin("one", None), 7, ["text"]])  # type: ignore[arg-type]
def test_what_is_no_executor_is_noted(given: object) -> None:
    plugin = SimpleNamespace(localproc_executors=hookimpl(lambda: given))
    box = PluginManager([plugin], entry_points=False)
    assert [one.name for one in box.executors()] == ["local"]
    assert box.broken[0].reason.startswith("TypeError: ")


def test_two_plugins_of_one_class_have_names_of_their_own() -> None:
    box = PluginManager([Offers("one"), Offers("two")], entry_points=False)
    assert [name for name, _ in box.names()][3:] == [
        "tests.plugins.test_manager.Offers",
        "tests.plugins.test_manager.Offers (2)",
    ]


def test_importing_all_of_it_changes_nothing_of_other_libraries() -> None:
    script = """
import importlib, logging, pkgutil, sys, threading
import click, httpx, rich.console, starlette.applications, starlette.convertors, uvicorn, yaml

LIBRARIES = ("click", "httpx", "rich", "starlette", "uvicorn", "yaml")

def state(names):
    loggers = [one for one in logging.root.manager.loggerDict.values() if hasattr(one, "handlers")]
    return {
        "threads": {threading.active_count()},
        "convertors": set(starlette.convertors.CONVERTOR_TYPES.items()),
        "loggers": {(one.name, one.level, *map(id, one.handlers)) for one in loggers},
        **{one: {(key, id(it)) for key, it in vars(sys.modules[one]).items()} for one in names},
    }

names = [one for one in sys.modules if one.partition(".")[0] in LIBRARIES]
before = state(names)
import localproc
for one in pkgutil.walk_packages(localproc.__path__, "localproc."):
    if "keeper" not in one.name and not one.name.endswith("__main__"):
        importlib.import_module(one.name)
after = state(names)
assert after["convertors"] == before["convertors"]
for name, was in before.items():
    assert was <= after[name], (name, was - after[name])
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, timeout=patient(60)
    )
    assert ended.returncode == 0, ended.stderr.decode()
