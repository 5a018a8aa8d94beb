"""Packages whose tools name images: chosen, looked for, refused, run, told of, reused."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc.errors import ImageError, PluginMissing, UnsupportedPackage
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.model import Container
from localproc.plugins.containers import ContainerPlugin, ContainerSettings, Image
from tests.executors.charliecloud_tests import IMAGE, charliecloud
from tests.patience import patient

__all__ = ["charliecloud"]  # a fixture


def package(kind: str = "requirements", **docker: str) -> dict[str, Any]:
    """Give a tool that looks around and takes a word with it."""
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "look",
        "baseCommand": ["sh", "-c", 'ls /; pwd >&2; echo "$1"; echo $$ > pid', "sh"],
        kind: [{"class": "DockerRequirement", "dockerPull": IMAGE, **docker}],
        "inputs": {"word": {"type": "string", "inputBinding": {}}},
        "stdout": "seen.txt",
        "outputs": {"seen": {"type": "stdout"}},
    }


@pytest.fixture
def images(charliecloud: Charliecloud) -> str:
    """Give the folder of images that the tests' own is in."""
    [image] = charliecloud.images()
    return str(Path(image.path).parents[1])


@pytest.fixture
def engine(tmp_path: Path, images: str) -> Iterator[localproc.Engine]:
    with localproc.Engine(
        tmp_path / "home", containers="charliecloud", images=images, reuse=True
    ) as found:
        yield found


def seen(job: localproc.Job) -> list[str]:
    job.raise_for_status()
    path = job.results()["seen"]
    assert isinstance(path, Path)
    return path.read_text().split()


@pytest.mark.parametrize("kind", ["requirements", "hints"])
def test_a_tool_runs_in_the_image_that_it_names(engine: localproc.Engine, kind: str) -> None:
    job = engine.run(package(kind), {"word": "hello"})
    assert seen(job)[-1] == "hello"
    assert "boot" not in seen(job)
    [step] = job.steps[:1]
    assert (step.executor, step.containers, step.image) == ("local", "charliecloud", IMAGE)


def test_the_digest_is_told_wherever_a_step_is(
    engine: localproc.Engine, charliecloud: Charliecloud
) -> None:
    job = engine.run(package(), {"word": "hello"})
    [image] = charliecloud.images()
    [told] = job.status_info()["steps"][:1]
    assert (told["containers"], told["image"], told["imageDigest"]) == (
        "charliecloud",
        IMAGE,
        image.digest,
    )
    assert image.digest in json.dumps(job.provenance())


def test_equal_steps_in_equal_images_are_reused(
    engine: localproc.Engine, images: str, tmp_path: Path
) -> None:
    first = engine.run(package(), {"word": "hello"})
    again = engine.run(package(), {"word": "hello"})
    assert again.steps[0].reused_from == first.id
    [told] = again.status_info()["steps"][:1]
    assert told["reusedFrom"] == first.id
    assert (told["containers"], told["image"]) == ("charliecloud", IMAGE)
    assert told["imageDigest"] == first.steps[0].digest
    assert told["imageDigest"] in json.dumps(again.provenance())
    local = engine.run(package("hints"), {"word": "hello"}, containers="none")
    assert local.steps[0].reused_from is None


def test_a_job_whose_image_is_not_here_is_refused_with_what_brings_it(
    engine: localproc.Engine,
) -> None:
    with pytest.raises(ImageError, match="nobody/has:1 is not here") as refused:
        engine.deploy(package(dockerPull="nobody/has:1")).execute({"word": "hello"})
    assert "localproc images pull nobody/has:1" in refused.value.hint
    assert engine.jobs() == []


def test_an_image_may_stand_for_this_machine_or_another_image(
    tmp_path: Path, images: str, charliecloud: Charliecloud
) -> None:
    [image] = charliecloud.images()
    stands_for = {"its/own:1": "local", "an/other:1": IMAGE, "a/folder:1": image.path}
    with localproc.Engine(
        tmp_path / "home", containers="charliecloud", images=images, container_map=stands_for
    ) as engine:
        here = engine.run(package(dockerPull="its/own:1"), {"word": "a"})
        assert "boot" in seen(here)
        assert here.steps[0].containers == ""
        for name in ("an/other:1", "a/folder:1"):
            job = engine.run(package(dockerPull=name), {"word": "a"})
            assert "boot" not in seen(job)
            assert job.steps[0].digest == image.digest


@pytest.mark.parametrize("name", ["tool", "tool:latest", "docker.io/library/tool"])
def test_what_an_image_stands_for_does_not_depend_on_how_its_name_is_written(
    tmp_path: Path, images: str, name: str
) -> None:
    for written in ("library/tool", "docker.io/tool:latest"):
        stands_for = {written: "local", "tool:2": "an/other:1"}
        with localproc.Engine(
            tmp_path / "home", containers="charliecloud", images=images, container_map=stands_for
        ) as engine:
            assert engine.run(package(dockerPull=name), {"word": "a"}).steps[0].containers == ""


@pytest.mark.parametrize("pull", ["never", "missing"])
def test_by_itself_a_hint_is_followed_where_its_image_is_here_and_a_requirement_is_kept(
    tmp_path: Path, images: str, pull: str
) -> None:
    with localproc.Engine(tmp_path / "home", images=images, pull=pull) as engine:
        hinted = engine.run(package("hints", dockerPull="nobody/has:1"), {"word": "a"})
        assert hinted.steps[0].containers == ""
        assert engine.run(package("hints"), {"word": "a"}).steps[0].image == IMAGE
        required = engine.run(package(), {"word": "a"})
        assert required.steps[0].containers != ""


def test_by_itself_each_hint_is_followed_where_its_image_is_here(
    tmp_path: Path, images: str
) -> None:
    there, elsewhere = package(), package("hints", dockerPull="nobody/has:1")
    both = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "both",
        "inputs": {"word": "string"},
        "outputs": {},
        "steps": {
            "boxed": {"run": there, "in": {"word": "word"}, "out": []},
            "bare": {"run": elsewhere, "in": {"word": "word"}, "out": []},
        },
    }
    with localproc.Engine(tmp_path / "home", images=images) as engine:
        job = engine.run(both, {"word": "a"}).raise_for_status()
        steps = {step.name: step for step in job.steps}
        assert steps["boxed"].image == IMAGE
        assert (steps["bare"].containers, steps["bare"].image) == ("", "")
        [why] = steps["bare"].without
        assert why.startswith("the hint DockerRequirement cannot be met: the image nobody/has:1")
        assert why.endswith("brings it; it is done without")
        assert job.logs("bare").text.splitlines()[0] == why
        [told] = [one for one in job.status_info()["steps"] if one["name"] == "bare"]
        assert told["without"] == [why]
        again = job.retry().wait().raise_for_status()
        assert {step.name: step.without for step in again.steps}["bare"] == (why,)


def test_without_containers_a_requirement_is_refused(engine: localproc.Engine) -> None:
    process = engine.deploy(package())
    with pytest.raises(UnsupportedPackage, match="requires a container"):
        process.execute({"word": "a"}, containers="none")
    with pytest.raises(PluginMissing, match="no container runtime 'dokcer'"):
        process.execute({"word": "a"}, containers="dokcer")


def test_settings_may_stand_in_the_home(tmp_path: Path, images: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/settings.yml").write_text(f"containers: charliecloud\nimages: {images}\n")
    with localproc.Engine(tmp_path / "home") as engine:
        assert engine.run(package("hints"), {"word": "a"}).steps[0].image == IMAGE


def test_an_image_is_loaded_where_that_is_allowed(
    tmp_path: Path, charliecloud: Charliecloud
) -> None:
    archive = tmp_path / "image.tar"
    [image] = charliecloud.images()
    charliecloud.save(image, str(archive))
    tool = package(dockerPull="", dockerLoad=archive.as_uri())
    with localproc.Engine(
        tmp_path / "home",
        containers="charliecloud",
        images=str(tmp_path / "images"),
        pull="missing",
    ) as engine:
        job = engine.run(tool, {"word": "a"})
        assert seen(job)[-1] == "a"
    here = Charliecloud(ContainerSettings(str(tmp_path / "images"))).images()
    assert [one.name for one in here] == [job.steps[0].image]


def test_an_image_in_a_file_elsewhere_is_not_downloaded(
    tmp_path: Path, charliecloud: Charliecloud
) -> None:
    del charliecloud
    tool = package(dockerPull="", dockerLoad="https://example.org/image.tar")
    with localproc.Engine(
        tmp_path / "home",
        containers="charliecloud",
        images=str(tmp_path / "images"),
        pull="missing",
    ) as engine:
        job = engine.run(tool, {"word": "a"})
        with pytest.raises(localproc.JobFailed, match="is not on this machine"):
            job.raise_for_status()


class Slow:
    """A plugin with a runtime whose images take until they are let come."""

    def __init__(self) -> None:
        self.asked, self.comes = threading.Event(), threading.Event()

    @localproc.hookimpl
    def localproc_containers(self) -> list[ContainerPlugin]:
        return [ContainerPlugin("slow", lambda _: self, lambda _: True)]  # type: ignore[arg-type,return-value]

    def image(self, _: Container) -> Image | None:
        return None

    def brings(self, _: Container) -> str:
        return "patience"

    def pull(self, reference: str, name: str) -> None:
        del reference, name
        self.asked.set()
        self.comes.wait()


def test_a_job_can_be_dismissed_while_its_image_is_brought(tmp_path: Path) -> None:
    slow = Slow()
    with localproc.Engine(
        tmp_path / "home", plugins=[slow], containers="slow", pull="missing"
    ) as engine:
        job = engine.deploy(package()).execute({"word": "a"})
        assert slow.asked.wait(patient(20))
        job.dismiss()
        assert job.status == "dismissed"
        slow.comes.set()


def test_nothing_is_brought_where_there_is_no_network(tmp_path: Path) -> None:
    slow = Slow()
    with localproc.Engine(
        tmp_path / "home", plugins=[slow], containers="slow", pull="missing", offline="always"
    ) as engine:
        with pytest.raises(ImageError, match="is not here for slow"):
            engine.deploy(package()).execute({"word": "a"})
        assert not slow.asked.is_set()


def shm(kind: str) -> dict[str, Any]:
    """Give the tool with shared memory of eight mebibytes, which it writes of."""
    size = {"class": "http://commonwl.org/cwltool#ShmSize", "shmSize": "8m"}
    tool = package()
    docker = tool.pop("requirements")
    both = {"requirements": docker, "hints": []}
    both[kind] = [*both[kind], size]
    return {**tool, **both, "baseCommand": ["sh", "-c", "df -k /dev/shm; echo x >/dev/shm/x"]}


@pytest.mark.parametrize("kind", ["requirements", "hints"])
def test_shared_memory_has_the_size_that_a_tool_asks_for(
    engine: localproc.Engine, kind: str
) -> None:
    job = engine.run(shm(kind), {"word": "a"})
    assert seen(job)[-5] == "8192"
    assert not Path("/dev/shm/x").exists()


def test_shared_memory_that_is_required_and_cannot_be_had_is_refused(tmp_path: Path) -> None:
    with localproc.Engine(
        tmp_path / "home", plugins=[Slow()], containers="slow", pull="missing"
    ) as engine:
        with pytest.raises(UnsupportedPackage) as refused:
            engine.deploy(shm("requirements")).execute({"word": "a"})
        assert "shared memory of a size (ShmSize), which slow cannot give" in str(refused.value)
        assert engine.jobs() == []
