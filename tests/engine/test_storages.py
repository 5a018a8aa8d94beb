"""Storages in use: opened for whom, waited for, and cleaned up."""

import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc.engine.engine import namespace_of
from localproc.errors import InvalidInputs, StagingError
from localproc.model import JobStatus
from localproc.uris import uri_path
from tests.engine.folder_storage import Boxes
from tests.patience import patient

MAKES = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "makes",
    "baseCommand": ["touch", "a.txt", "b.txt", "c.txt", "d.txt"],
    "inputs": [],
    "outputs": [{"id": "all", "type": "File[]", "outputBinding": {"glob": "*.txt"}}],
}


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path / "box")


@pytest.fixture
def killed(tmp_path: Path, boxes: Boxes) -> Path:
    """Give a home whose engine was killed while it published."""
    (tmp_path / "makes.cwl").write_text(json.dumps(MAKES))
    script = Path(__file__).with_name("folder_storage.py")
    arguments = [tmp_path / "home", boxes.folder, tmp_path / "makes.cwl", "4"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        check=False,
        timeout=patient(60),
        env=environment,
        capture_output=True,
    )
    assert ended.returncode == -9, ended.stderr
    assert written(boxes) != []
    return tmp_path / "home"


def written(boxes: Boxes) -> list[str]:
    return sorted(path.name for path in boxes.folder.rglob("*") if path.is_file())


def test_a_job_killed_while_publishing_goes_on(killed: Path, boxes: Boxes) -> None:
    with localproc.Engine(killed, plugins=[boxes]) as engine:
        (job,) = engine.resume()
        assert job.wait(patient(30)).status == "successful", job.problem
    assert written(boxes) == ["a.txt", "b.txt", "c.txt", "d.txt"]


def test_a_job_killed_while_publishing_and_then_dismissed_leaves_nothing(
    killed: Path, boxes: Boxes
) -> None:
    with localproc.Engine(killed, adopt=False) as engine:
        (job,) = engine.jobs()
        namespace_of(engine).runtime.store.request_dismiss(job.id)
    with localproc.Engine(killed, plugins=[boxes]) as engine:
        assert engine.job(job.id).wait(patient(30)).status == "dismissed"
    assert written(boxes) == []


def test_a_job_waits_for_the_plugin_of_its_storage(
    killed: Path, boxes: Boxes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "localproc")
    with localproc.Engine(killed) as engine:
        (job,) = engine.resume()
        while "waits: there is no storage 'box'" not in caplog.text:
            assert engine.job(job.id).status is JobStatus.RUNNING
        assert engine.job(job.id).status is JobStatus.RUNNING
        engine.close()
    with localproc.Engine(killed, plugins=[boxes]) as engine:
        assert engine.job(job.id).wait(patient(30)).status == "successful"
    assert caplog.text.count("waits:") == 1


def test_a_place_that_is_not_there_is_told_before_the_work(tmp_path: Path, boxes: Boxes) -> None:
    with localproc.Engine(tmp_path / "home", plugins=[boxes]) as engine:
        with pytest.raises(StagingError, match="there is no such box"):
            engine.run(MAKES, {}, results="box://nowhere/results")
        with pytest.raises(InvalidInputs, match="a user or a password in it") as error:
            engine.run(MAKES, {}, results="box://key:secret@there/results")
        assert "secret" not in str(error.value)
        assert engine.jobs() == []


def test_options_are_those_of_the_place_and_the_namespace(tmp_path: Path, boxes: Boxes) -> None:
    settings: dict[str, Any] = {
        "plugins": [boxes],
        "storage_options": {"box": {"key": "all", "a": 1}, "box://there/mine": {"key": "mine"}},
        "namespace_storage_options": {"acme": {"box": {"key": "acme's"}}},
    }
    with localproc.Engine(tmp_path / "home", **settings) as engine:
        assert "acme's" not in repr(namespace_of(engine).runtime.settings)
        for folder in ("results", "results2", "mine", "mine/deep", "mine2"):
            engine.run(MAKES, {}, results=f"box://there/{folder}").raise_for_status()
        acme = engine.within("acme")
        acme.run(MAKES, {}, results="box://there/mine").raise_for_status()
    found = [(one["key"], one["a"], one["guarded"]) for one in boxes.opened]
    assert found == [("all", 1, False), ("mine", 1, False), ("acme's", 1, False)]


def test_a_home_may_keep_the_options_of_namespaces_in_a_file(tmp_path: Path, boxes: Boxes) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.yml").write_text(
        "storage_options: {box: {a: 1}}\n"
        "namespace_storage_options: {acme: {box: {key: theirs, b: 2}}}\n"
    )
    given: dict[str, Any] = {"acme": {"box": {"key": "given"}}}
    settings: dict[str, Any] = {"plugins": [boxes], "namespace_storage_options": given}
    with localproc.Engine(home, namespace="acme", **settings) as engine:
        engine.run(MAKES, {}, results="box://there/results").raise_for_status()
    assert boxes.opened == [{"a": 1, "b": 2, "key": "given", "guarded": False}]


def test_a_storage_that_is_slow_to_open_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    class Slow(Boxes):
        def open(self, options: Any) -> Any:
            assert opened.wait(patient(30))
            return super().open(options)

    opened = threading.Event()
    with localproc.Engine(tmp_path / "home", plugins=[Slow(tmp_path / "box")]) as engine:
        storages = namespace_of(engine).runtime.storages
        first = threading.Thread(target=storages.open, args=("box://there/a",))
        first.start()
        engine.run(MAKES, {}).raise_for_status()
        opened.set()
        first.join()
        assert storages.open("box://there/b") is storages.open("box://there/c")


def test_items_in_a_bucket_are_items_of_pystac(tmp_path: Path, boxes: Boxes) -> None:
    """It would read their catalog by itself, and cannot."""
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "N",
        "geometry": None,
        "properties": {"datetime": "2026-05-31T12:00:00Z"},
        "links": [],
        "assets": {},
    }
    catalog = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "c",
        "description": "d",
        "links": [{"rel": "item", "href": "N.json"}],
    }
    listing = [
        {"entryname": f"out/{name}", "entry": json.dumps(document)}
        for name, document in (("catalog.json", catalog), ("N.json", item))
    ]
    package = {
        **MAKES,
        "baseCommand": "true",
        "requirements": {"InitialWorkDirRequirement": {"listing": listing}},
        "outputs": [{"id": "out", "type": "Directory", "outputBinding": {"glob": "out"}}],
    }
    with localproc.Engine(tmp_path / "home", plugins=[boxes]) as engine:
        job = engine.run(package, {}, results="box://there/results").raise_for_status()
        (found,) = job.result("out").items
    hrefs = [link["href"] for link in found.to_dict()["links"]]
    assert f"box://there/results/{job.id}/catalog.json" in hrefs


# Reuse


def imports(folder: Path, text: str) -> None:
    (folder / "script.py").write_text("import helper\nprint(helper.TEXT)\n")
    (folder / "helper.py").write_text(f"TEXT = {text!r}\n")


def test_a_script_is_run_again_when_what_it_imports_has_changed(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    imports(folder, "first")
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "imports",
        "baseCommand": ["python", "-B"],
        "inputs": [
            {
                "id": "script",
                "type": "File",
                "default": {"class": "File", "location": "script.py"},
                "inputBinding": {},
            }
        ],
        "stdout": "said.txt",
        "outputs": [{"id": "said", "type": "stdout"}],
    }
    (folder / "main.cwl").write_text(json.dumps(package))
    with localproc.Engine(folder / "home", reuse=True, results=str(folder / "out")) as engine:

        def said() -> tuple[str, str]:
            job = engine.run(folder / "main.cwl", {}).raise_for_status()
            status = next(step.status for step in job.steps if step.name == "imports")
            return job.result("said").read_text(), str(status)

        assert said() == ("first\n", "successful")
        assert said() == ("first\n", "reused")
        imports(folder, "third")  # as long as the first
        assert said() == ("third\n", "successful")
        imports(folder, "first")
        assert said() == ("first\n", "reused")
        (folder / "script.py").chmod(0o755)
        assert said() == ("first\n", "successful")


RUNS = """
cwlVersion: v1.2
class: CommandLineTool
id: runs
baseCommand: sh
inputs: {script: {type: File, %s inputBinding: {}}}
stdout: said.txt
outputs: {said: stdout}
"""
OWN = "default: {class: File, location: bin/say},"


@pytest.mark.parametrize("default", [OWN, ""])
@pytest.mark.parametrize("text", ['. "$(dirname "$0")/../common.sh"', ". %s/common.sh"])
def test_a_script_is_run_again_when_what_it_finds_elsewhere_has_changed(
    tmp_path: Path, default: str, text: str
) -> None:
    """Whether the script comes with the package, or with the job."""
    script, common = tmp_path / "p" / "bin" / "say", tmp_path / "p" / "common.sh"
    script.parent.mkdir(parents=True)
    script.write_text(text % common.parent if "%s" in text else text)
    (tmp_path / "p" / "main.cwl").write_text(RUNS % default)
    inputs = {} if default else {"script": {"class": "File", "path": str(script)}}
    with localproc.Engine(tmp_path / "home", reuse=True) as engine:

        def said(word: str) -> tuple[str, str]:
            common.write_text(f"echo {word}")
            job = engine.run(tmp_path / "p" / "main.cwl", inputs).raise_for_status()
            status = next(step.status for step in job.steps if step.name == "runs")
            return job.result("said").read_text(), str(status)

        assert said("first") == ("first\n", "successful")
        assert said("first") == ("first\n", "reused")
        assert said("third") == ("third\n", "successful")


# Callbacks


def test_hanging_subscribers_keep_nobody_waiting(tmp_path: Path) -> None:
    """They hang until the test is over, and so would it."""
    from tests.storage.website import serving

    over, sixth = threading.Event(), threading.Event()

    def hang(path: str) -> None:
        if path == "/sixth":
            sixth.set()
        elif path.startswith("/hangs"):
            over.wait(patient(60))

    with serving() as site:
        site.on_asked = hang
        try:
            with localproc.Engine(tmp_path / "home") as engine:
                for number in range(6):
                    uri = site.add("/sixth" if number == 5 else f"/hangs/{number}")
                    engine.run(MAKES, {}, subscriber={"successUri": uri}).raise_for_status()
                assert sixth.wait(patient(30))
        finally:
            over.set()


# Disks


def test_a_link_to_itself_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "loop").symlink_to("loop")
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "reads",
        "baseCommand": "true",
        "inputs": [{"id": "folder", "type": "Directory", "loadListing": "deep_listing"}],
        "outputs": [],
    }
    value = {"class": "Directory", "path": str(tmp_path / "folder")}
    with localproc.Engine(tmp_path / "home") as engine:
        job = engine.run(package, {"folder": value})
    assert job.status == "failed"
    assert "folder/loop: Too many levels of symbolic links" in job.message
    assert job.problem["hint"] == "a link leads to itself: remove it"
    assert job.problem["cause"] == "StagingError"


def test_a_step_has_a_file_of_a_storage_as_its_default(tmp_path: Path, boxes: Boxes) -> None:
    boxes.folder.mkdir()
    (boxes.folder / "x.txt").write_text("from the box")
    there = {"class": "File", "location": "box://there/x.txt"}
    tool = {
        "class": "CommandLineTool",
        "inputs": {"x": {"type": "File", "default": there}},
        "outputs": {"out": {"type": "stdout"}},
        "stdout": "out.txt",
        "arguments": ["cat", "$(inputs.x.path)"],
    }
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "reads",
        "inputs": [],
        "outputs": {"out": {"type": "File", "outputSource": "step/out"}},
        "steps": {"step": {"in": [], "out": ["out"], "run": tool}},
    }
    with localproc.Engine(tmp_path / "home", plugins=[boxes]) as engine:
        outputs = engine.run(package, {}).outcome().outputs
    assert Path(uri_path(outputs["out"]["location"])).read_text() == "from the box"


@pytest.mark.parametrize(
    "given",
    [
        {"storage_options": {"s3": {"secret": "key"}}},
        {"namespace_storage_options": {"acme": {"s3": {"secret": "key"}}}},
        {"callback_secret": "key"},
        {"mail": {"host": "mail.example.org", "password": "key"}},
    ],
)
def test_settings_with_keys_are_not_pickled(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="there may be keys in them"):
        pickle.dumps(localproc.Settings(**given))


def test_settings_without_keys_are_pickled() -> None:
    settings = localproc.Settings(slots=3, offline="auto")
    assert pickle.loads(pickle.dumps(settings)) == settings
