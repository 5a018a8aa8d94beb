"""Bad input: a clear error that says what, where and what to do, and nothing left behind."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, InvalidPackage
from localproc.errors import (
    HomeUnusable,
    JobFailed,
    NoSpace,
    NoSuchJob,
    NoSuchProcess,
    StoreCorrupted,
)
from localproc.file_systems import file_system, on_network
from localproc.model import JobRecord
from localproc.store.jobs import JobTables
from tests.conftest import PACKAGES, fill
from tests.patience import patient

DIRECTORY_TOOL = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "lists",
    "baseCommand": "ls",
    "inputs": [{"id": "item", "type": "Directory", "inputBinding": {}}],
    "stdout": "names.txt",
    "outputs": [{"id": "names", "type": "stdout"}],
}


def shell(name: str, script: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": name,
        "baseCommand": ["sh", "-c", script],
        "inputs": [],
        "outputs": outputs,
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tags": "eo"}, "tags: expected Sequence, got 'eo'"),
        ({"title": 3}, "title: expected str, got 3"),
        ({"trigger": "cron"}, "there is no trigger 'cron'"),
        ({"outputs": ["said"]}, r"outputs: expected Mapping or None, got \['said'\]"),
        ({"outputs": {"sed": {}}}, "there is no output 'sed'"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_refused(
    localproc_engine: Engine, packages: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputs, match=said):
        localproc_engine.run(packages / "echo.cwl", {"message": "x"}, **options)
    assert localproc_engine.jobs() == []


def test_arguments_of_another_type_are_told(localproc_engine: Engine, packages: Path) -> None:
    wrong: Any = 3
    with pytest.raises(InvalidInputs, match=r"Engine\(\) .*\n.*home: expected str or PathLike"):
        Engine(wrong)
    with pytest.raises(InvalidInputs, match="since: expected datetime or None, got 3"):
        localproc_engine.jobs(since=wrong)
    with pytest.raises(InvalidInputs, match="limit: expected int, got '3'"):
        localproc_engine.jobs(limit=str(wrong))  # type: ignore[arg-type]
    with pytest.raises(InvalidInputs, match="3 holds no inputs"):
        localproc_engine.run(packages / "echo.cwl", wrong)
    for wrong in (3, packages / "echo.cwl", {}):
        with pytest.raises(NoSuchProcess, match="is deployed\n  hint: an id is a text: deploy a"):
            localproc_engine.execute(wrong)
        with pytest.raises(NoSuchJob):
            localproc_engine.job(wrong)
    with pytest.raises(NoSuchProcess, match="hint: did you mean 'echo'"):
        localproc_engine.execute("echo.cwl")


def test_a_time_without_a_zone_is_a_local_one(localproc_engine: Engine, packages: Path) -> None:
    before = datetime.now()  # noqa: DTZ005
    job = localproc_engine.run(packages / "echo.cwl", {"message": "x"})
    assert [one.id for one in localproc_engine.jobs(since=before)] == [job.id]
    assert localproc_engine.jobs(until=before) == []


def test_a_trigger_may_be_given_by_its_name(localproc_engine: Engine, packages: Path) -> None:
    by_name: Any = "scheduled"
    job = localproc_engine.run(packages / "echo.cwl", {"message": "x"}, trigger=by_name)
    assert [one.id for one in localproc_engine.jobs(trigger=by_name)] == [job.id]
    by_name = "cron"
    with pytest.raises(InvalidInputs, match="there is no trigger 'cron'"):
        localproc_engine.jobs(trigger=by_name)


def test_what_one_package_asks_for_does_not_stop_the_others(localproc_engine: Engine) -> None:
    """A lone surrogate cannot be written; it is found out only when the step is prepared."""
    package = shell("poison", "cat a", [])
    package["inputs"] = [{"id": "text", "type": "string"}]
    package["requirements"] = {
        "InlineJavascriptRequirement": {},
        "InitialWorkDirRequirement": {
            "listing": [{"entryname": "a", "entry": "$(inputs.text.substr(0, 3))"}]
        },
    }
    job = localproc_engine.run(package, {"text": "ab\U0001f600"})
    assert job.status == "failed"
    assert "has a lone surrogate in it" in job.message
    assert localproc_engine.run(shell("good", "true", [])).status == "successful"


def test_a_pipe_is_no_output(localproc_engine: Engine) -> None:
    outputs = [{"id": "out", "type": "File", "outputBinding": {"glob": "out"}}]
    job = localproc_engine.run(shell("pipe", "mkfifo out", outputs))
    assert (job.status, job.message) == (
        "failed",
        "step pipe: the output 'out' is no regular file",
    )


def test_a_stream_does_not_write_into_what_it_was_given(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    given = tmp_path / "said.txt"
    given.write_text("given")
    package = shell("streams", "echo new", [{"id": "out", "type": "stdout"}])
    package["inputs"] = [{"id": "file", "type": "File"}]
    package["requirements"] = {"InitialWorkDirRequirement": {"listing": ["$(inputs.file)"]}}
    package["stdout"] = "said.txt"
    job = localproc_engine.run(package, {"file": str(given)})
    assert job.result("out").read_text() == "new\n"
    assert given.read_text() == "given"


def test_a_stream_in_a_folder_that_it_was_given_stays_out_of_it(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "said.txt").write_text("given")
    package = shell("streams", "echo new", [{"id": "out", "type": "stdout"}])
    package["inputs"] = [{"id": "folder", "type": "Directory"}]
    package["requirements"] = {"InitialWorkDirRequirement": {"listing": ["$(inputs.folder)"]}}
    package["stdout"] = "user/said.txt"
    job = localproc_engine.run(package, {"folder": str(tmp_path / "user")})
    assert job.result("out").read_text() == "new\n"
    assert (tmp_path / "user" / "said.txt").read_text() == "given"


def test_a_literal_is_passed_on(localproc_engine: Engine) -> None:
    outputs = [
        {"id": name, "type": "Any", "outputBinding": {"outputEval": f"$(inputs.{name})"}}
        for name in ("file", "folder")
    ]
    package = shell("passes", "true", outputs)
    package["inputs"] = [{"id": name, "type": "Any"} for name in ("file", "folder")]
    file = {"class": "File", "basename": "a.txt", "contents": "text"}
    folder = {"class": "Directory", "basename": "d", "listing": [file]}
    job = localproc_engine.run(package, {"file": file, "folder": folder}).raise_for_status()
    assert job.result("file").read_text() == "text"
    assert (job.result("folder") / "a.txt").read_text() == "text"


def test_a_stream_may_lie_in_a_folder(localproc_engine: Engine) -> None:
    package = shell("folders", "echo new", [{"id": "out", "type": "stdout"}])
    job = localproc_engine.run(package | {"stdout": "a/b/said.txt"})
    assert job.result("out").read_text() == "new\n"


def assert_nothing_left(engine: Engine) -> None:
    assert engine.jobs() == []
    assert os.listdir(engine.home / "jobs") == []


def test_every_wrong_input_is_told_at_once(localproc_engine: Engine, packages: Path) -> None:
    process = localproc_engine.deploy(packages / "three-steps.cwl")
    with pytest.raises(InvalidInputs) as error:
        process.execute({"txet": "hello", "code": "three"})
    assert {problem.where for problem in error.value.problems} == {
        "inputs.txet",
        "inputs.text",
        "inputs.code",
    }
    assert "did you mean 'text'?" in str(error.value)
    assert "inputs.code: expected int, got string 'three'" in str(error.value)
    assert_nothing_left(localproc_engine)


def test_an_inputs_file_that_does_not_parse(
    localproc_engine: Engine, packages: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "inputs.yml"
    inputs.write_text("message: [1, 2\nother: x\n")
    with pytest.raises(InvalidInputs, match=r"inputs.yml:2:\d+"):
        localproc_engine.run(packages / "echo.cwl", inputs)
    with pytest.raises(InvalidInputs, match="cannot read the inputs"):
        localproc_engine.run(packages / "echo.cwl", tmp_path / "missing.yml")
    inputs.write_text("- just\n- a list\n")
    with pytest.raises(InvalidInputs, match="expected a mapping"):
        localproc_engine.run(packages / "echo.cwl", inputs)
    assert_nothing_left(localproc_engine)


def test_an_input_file_that_is_not_there(localproc_engine: Engine, tmp_path: Path) -> None:
    package = {
        **DIRECTORY_TOOL,
        "inputs": [{"id": "item", "type": "File", "inputBinding": {}}],
    }
    process = localproc_engine.deploy(package)
    with pytest.raises(InvalidInputs, match=r"inputs\.item: .*/missing\.tif does not exist"):
        process.execute({"item": "missing.tif"}, base=str(tmp_path))
    assert_nothing_left(localproc_engine)


def test_packages_that_are_wrong(localproc_engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "wrong.cwl"
    for text, place in [
        ("cwlVersion: v1.2\nclass: CommandLineTool\ninputs: [\n", "wrong.cwl:4:1"),
        ("class: CommandLineTool\ninputs: []\n", "cwlVersion is missing"),
        (
            "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\nbaseComand: x\n",
            "wrong.cwl:5:1: unknown field 'baseComand' .did you mean 'baseCommand'",
        ),
        (
            "cwlVersion: v1.2\nclass: CommandLineTool\noutputs: []\ninputs:\n  a: {type: sting}\n",
            "wrong.cwl:5:3: unknown type 'sting'",
        ),
    ]:
        path.write_text(text)
        with pytest.raises(InvalidPackage, match=place):
            localproc_engine.deploy(path)
    with pytest.raises(InvalidPackage, match="No such file"):
        localproc_engine.deploy(tmp_path / "missing.cwl")
    assert localproc_engine.processes() == []


def item(folder: Path, item_id: str = "scene", asset: str = "a.tif") -> Path:
    path = folder / "item.json"
    document: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": item_id,
        "properties": {"datetime": None},
        "geometry": None,
        "links": [],
        "assets": {"a": {"href": asset}},
    }
    path.write_text(json.dumps(document))
    return path


def test_an_asset_that_is_not_there(localproc_engine: Engine, tmp_path: Path) -> None:
    job = localproc_engine.run(DIRECTORY_TOOL, {"item": str(item(tmp_path))})
    assert job.status == "failed"
    assert "a.tif" in job.message
    assert "does not exist" in job.message
    assert os.listdir(Path(job.folder) / "inputs") == []


def test_an_item_whose_id_leaves_the_folder(localproc_engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"x")
    job = localproc_engine.run(DIRECTORY_TOOL, {"item": str(item(tmp_path, "../escape"))})
    assert job.status == "failed"
    assert "'../escape' cannot be the id of an item" in job.message
    assert not list(tmp_path.rglob("escape*"))


def test_a_file_that_is_no_item(localproc_engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "point.json").write_text('{"type": "Point"}')
    job = localproc_engine.run(DIRECTORY_TOOL, {"item": str(tmp_path / "point.json")})
    assert "is a Point, not a STAC item" in job.message


def test_an_output_link_that_leaves_the_jobs_folder(localproc_engine: Engine) -> None:
    outputs = [{"id": "out", "type": "File", "outputBinding": {"glob": "out.txt"}}]
    job = localproc_engine.run(shell("links", "ln -s /etc/passwd out.txt", outputs))
    assert job.status == "failed"
    assert "'out.txt' leads out of the job's folder" in job.message
    outputs = [{"id": "out", "type": "Directory", "outputBinding": {"glob": "."}}]
    job = localproc_engine.run(shell("links", "ln -s /etc/passwd out.txt", outputs))
    assert job.status == "failed"
    assert "leads out of the job's folder, to /etc/passwd" in job.message
    assert not any((localproc_engine.home / "results").rglob("out.txt"))


def test_an_output_that_is_missing(localproc_engine: Engine) -> None:
    outputs = [{"id": "out", "type": "File", "outputBinding": {"glob": "*.tif"}}]
    job = localproc_engine.run(shell("forgets", "touch other.txt", outputs))
    with pytest.raises(JobFailed, match="the output out is missing") as error:
        job.raise_for_status()
    assert "other.txt" in error.value.hint


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HomeUnusable, match="choose another one with --home"):
        Engine(tmp_path / "file" / "home")
    with pytest.raises(HomeUnusable):
        Engine("/proc/localproc")


def test_a_store_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "localproc.db").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreCorrupted, match="results and logs in the home stay"):
        Engine(tmp_path)


def test_a_disk_that_a_tool_fills(small_disk: Path, packages: Path) -> None:
    with Engine(small_disk / "home") as engine:
        job = engine.run(shell("fills", "head -c 10000000 /dev/zero > big.bin", []))
        assert job.status == "failed"
        with pytest.raises(JobFailed, match="the disk is full: make room"):
            job.raise_for_status()
        (Path(job.folder) / "work" / "fills" / "big.bin").unlink()
        assert engine.run(packages / "echo.cwl", {"message": "goes on"}).status == "successful"


def test_a_disk_that_is_full_from_the_start(small_disk: Path, packages: Path) -> None:
    with Engine(small_disk / "home") as engine:
        process = engine.deploy(packages / "echo.cwl")
        fill(small_disk / "filler")
        with pytest.raises(NoSpace, match="no space left"):
            [process.execute({"message": "x" * 2000}, detached=True) for _ in range(1000)]
        (small_disk / "filler").unlink()
        assert process.execute({"message": "goes on"}).wait(patient(20)).status == "successful"


def test_a_home_on_a_full_disk_is_opened_in_the_room_that_was_set_aside(
    small_disk: Path, packages: Path
) -> None:
    with Engine(small_disk / "home") as engine:
        job = engine.run(packages / "echo.cwl", {"message": "x"})
    fill(small_disk / "filler")
    with Engine(small_disk / "home", run_jobs=False) as engine:
        assert [one.id for one in engine.jobs()] == [job.id]
        assert [one.job.id for one in engine.prune(status="successful").jobs] == [job.id]
        assert engine.jobs() == []


def test_jobs_of_nobody_wait_until_there_is_room_to_take_them(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, asked = JobTables.claim, []

    def full_at_first(*arguments: Any, **options: Any) -> list[JobRecord]:
        asked.append(arguments)
        if len(asked) == 1:
            raise NoSpace("no space left")
        return claim(*arguments, **options)

    monkeypatch.setattr(JobTables, "claim", full_at_first)
    with Engine(tmp_path) as engine:
        process = engine.deploy(packages / "echo.cwl")
        job = process.execute({"message": "x"}, detached=True)
        engine.resume()
        assert job.wait(patient(20)).status == "successful"
    assert len(asked) > 1


@pytest.mark.parametrize(
    "options",
    [
        {"title": "\ud800"},
        {"reason": "\ud800"},
        {"tags": ["\ud800"]},
        {"results": "x\0"},
        {"results": "x\ud800"},
        {"inputs": "x\0.yml"},
    ],
    ids=repr,
)
def test_texts_that_cannot_be_written(
    localproc_engine: Engine, packages: Path, options: dict[str, Any]
) -> None:
    process = localproc_engine.deploy(packages / "echo.cwl")
    with pytest.raises(InvalidInputs):
        process.execute(**{"inputs": {"message": "x"}, **options})
    assert_nothing_left(localproc_engine)


@pytest.mark.parametrize("name", ["x\0.cwl", "x\ud800.cwl"], ids=repr)
def test_a_package_with_a_name_that_no_file_has(localproc_engine: Engine, name: str) -> None:
    with pytest.raises(InvalidPackage, match="no name of a file"):
        localproc_engine.deploy(name)


def test_a_home_with_a_name_that_no_folder_has() -> None:
    with pytest.raises(HomeUnusable, match="cannot be used"):
        Engine("x\0")
    with pytest.raises(InvalidInputs, match="no name"):
        Engine("")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_settings_are_finite(tmp_path: Path, value: float) -> None:
    with pytest.raises(InvalidInputs, match="cores"):
        Engine(tmp_path, cores=value)
    with pytest.raises(InvalidInputs, match="grace"):
        Engine(tmp_path, grace=value)


MOUNTS = """\
25 30 0:23 / / rw,relatime - ext4 /dev/vda rw
36 25 0:32 / /home rw,relatime shared:1 - nfs4 server:/home rw
37 36 0:33 / /home/jane/with\\040space rw - lustre lnet rw
38 36 0:34 / /home/jane/scratch rw - tmpfs tmpfs rw
"""


def test_network_file_systems_are_told_from_local_ones(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    for path, kind in [
        ("/data", "ext4"),
        ("/home/jane", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/jane/with space/x", "lustre"),
        ("/home/jane/scratch/x", "tmpfs"),
    ]:
        assert file_system(path, str(mounts)) == kind
    assert not on_network(str(tmp_path))


def test_a_home_on_a_network_file_system_gets_a_safe_journal(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc.engine.home.home.on_network", lambda _: True)
    with Engine(tmp_path / "home") as engine:
        assert engine.run(packages / "echo.cwl", {"message": "x"}).status == "successful"
    assert not (tmp_path / "home" / "localproc.db-wal").exists()


def test_a_job_that_can_have_no_folder_fails_and_the_engine_goes_on(
    tmp_path: Path, packages: Path
) -> None:
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(packages / "echo.cwl")
        folders = tmp_path / "home" / "jobs"
        folders.rmdir()
        folders.write_text("in the way")
        job = process.execute({"message": "x"}).wait(patient(10))
        assert job.status == "failed"
        assert str(folders) in job.message
        folders.unlink()
        assert process.execute({"message": "x"}).wait(patient(10)).status == "successful"


@pytest.mark.parametrize("text", [f"{'long' * 100}/x", f"a/{'b' * 9000}"], ids=len)
def test_a_text_that_no_file_can_be_called_is_just_a_text(tmp_path: Path, text: str) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job = engine.execute(engine.deploy(PACKAGES / "echo.cwl"), {"message": text})
        assert job.inputs["message"] == text
