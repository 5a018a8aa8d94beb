"""Files that inputs name by plain strings: tasks say that they read them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from localproc import Engine, hookimpl
from localproc.engine.admission.named_files import assets_beside
from localproc.executors.local import LocalExecutor
from localproc.model import Task
from localproc.plugins.backend import PROCESSES
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings

TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "show",
    "baseCommand": "true",
    "inputs": {"items": "string[]"},
    "outputs": {},
}


class Watched:
    """A plugin whose executor notes what it is given."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin("watched", self._open)]

    def _open(self, settings: ExecutorSettings) -> Executor:
        noted = self.tasks

        class Noting(LocalExecutor):
            def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
                noted.extend(tasks)
                super().submit(tasks, more=more)

        executor = Noting(settings)
        executor.capabilities = PROCESSES  # it does not say that tasks see all
        return executor


def item(folder: Path, **hrefs: str) -> Path:
    folder.mkdir(parents=True)
    document = {"type": "Feature", "assets": {key: {"href": one} for key, one in hrefs.items()}}
    path = folder / "item.json"
    path.write_text(json.dumps(document))
    return path


def test_assets_of_an_item_are_those_that_lie_on_this_machine(tmp_path: Path) -> None:
    path = item(
        tmp_path / "scene",
        red="./red.tif",
        far="https://example.org/a.tif",
        up="../up.tif",
        gone="gone.tif",
    )
    for name in ("scene/red.tif", "up.tif"):
        (tmp_path / name).write_text(name)
    assert assets_beside(str(path)) == (f"{tmp_path}/scene/red.tif", f"{tmp_path}/up.tif")


def test_what_is_no_item_leads_nowhere(tmp_path: Path) -> None:
    for name, text in (("a.json", "{"), ("b.json", "[]"), ("c.json", '{"type": "x"}'), ("d", "{}")):
        (tmp_path / name).write_text(text)
        assert assets_beside(str(tmp_path / name)) == ()


def test_a_task_reads_what_its_strings_name(tmp_path: Path) -> None:
    path = item(tmp_path / "scenes" / "one", red="red.tif")
    (path.parent / "red.tif").write_text("red")
    whole = tmp_path / "scenes" / "whole.txt"
    whole.write_text("x")
    watched = Watched()
    inputs = {"items": ["scenes/one/item.json", str(whole), "scenes/none.json", "word"]}
    with Engine(tmp_path / "home", plugins=[watched], executor="watched") as engine:
        job = engine.deploy(TOOL).execute(inputs, base=str(tmp_path)).wait()
        assert job.status == "successful", job.problem
    (task,) = watched.tasks
    assert task.reads == (str(path), str(path.parent / "red.tif"), str(whole))


def test_strings_of_a_service_name_no_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    watched = Watched()
    with Engine(tmp_path / "home", plugins=[watched], executor="watched") as engine:
        inputs = {"items": [str(tmp_path / "a.txt")]}
        engine.deploy(TOOL).execute(inputs, references=False).wait().raise_for_status()
    assert watched.tasks[0].reads == ()
