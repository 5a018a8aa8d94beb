"""The outputs of earlier steps, kept for later ones."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from localproc.cwl.base.files import local_path
from localproc.errors import JobDismissed
from localproc.storage.step_cache import StepCache
from localproc.uris import path_uri
from tests.storage.desk import directory, tree

KEY = "abcdef"


class Step:
    """A step that has left its outputs in its folder."""

    def __init__(self, folder: Path) -> None:
        self.outdir = folder / "work" / "step"
        self.outdir.mkdir(parents=True)
        self.cache = StepCache(str(folder / "cache"))

    def file(self, name: str, text: str = "x", **fields: Any) -> dict[str, Any]:
        path = self.outdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return {"class": "File", "location": path_uri(str(path)), "basename": path.name, **fields}

    def keep(self, **outputs: Any) -> bool:
        return self.cache.keep(KEY, outputs, str(self.outdir), "job-1")

    def found(self) -> dict[str, Any]:
        found = self.cache.find(KEY)
        assert found is not None
        assert found.job_id == "job-1"
        return dict(found.outputs)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


def test_what_was_kept_is_found(step: Step) -> None:
    beside = step.file("a.tif.aux", "beside")
    file = step.file("a.tif", "pixels", checksum="sha1$1", secondaryFiles=[beside])
    assert step.keep(out=[file], number=3, nothing=None)
    (out,) = step.found()["out"]
    assert (Path(local_path(out)).read_text(), out["checksum"]) == ("pixels", "sha1$1")
    assert Path(local_path(out["secondaryFiles"][0])).read_text() == "beside"
    assert (step.found()["number"], step.found()["nothing"]) == (3, None)
    assert local_path(out).startswith(step.cache.folder + "/")


def test_it_outlives_the_step_that_made_it(step: Step) -> None:
    file = step.file("a.tif", "pixels")
    step.keep(out=file)
    (step.outdir / "a.tif").unlink()
    assert Path(local_path(step.found()["out"])).read_text() == "pixels"


def test_nothing_was_kept_under_another_key(step: Step) -> None:
    step.keep(out=step.file("a.tif"))
    assert step.cache.find("abcdeg") is None


def test_a_folder_is_kept_with_all_that_is_in_it(step: Step) -> None:
    listed = step.file("folder/deep/a b.txt", "inside")
    step.file("folder/hidden/.b")
    folder = directory(path_uri(str(step.outdir / "folder"))) | {"listing": [listed]}
    assert step.keep(out=folder)
    out = step.found()["out"]
    assert tree(Path(local_path(out))) == ["deep/a b.txt", "hidden/.b"]
    assert Path(local_path(out["listing"][0])).read_text() == "inside"


def test_the_folder_of_a_step_can_be_its_output(step: Step) -> None:
    file = step.file("catalog.json", "{}")
    assert step.keep(all=directory(path_uri(str(step.outdir))), catalog=file)
    found = step.found()
    assert tree(Path(local_path(found["all"]))) == ["catalog.json"]
    assert local_path(found["catalog"]) == f"{local_path(found['all'])}/catalog.json"


@pytest.mark.parametrize("name", ["entry.json", "files"])
def test_an_output_may_have_any_name(step: Step, name: str) -> None:
    file = step.file(name, "written by its tool")
    assert step.keep(out=file)
    assert Path(local_path(step.found()["out"])).read_text() == "written by its tool"
    assert (step.outdir / name).read_text() == "written by its tool"


def test_a_file_that_was_changed_is_not_given_again(step: Step) -> None:
    step.keep(out=step.file("a.tif", "pixels"))
    path = local_path(step.found()["out"])
    with open(path, "a") as file:
        file.write("changed")
    assert step.cache.find(KEY) is None
    assert tree(Path(step.cache.folder)) == ["ab"]


def test_a_damaged_entry_is_none(step: Step) -> None:
    step.keep(out=step.file("a.tif"))
    (entry,) = Path(step.cache.folder).rglob("entry.json")
    entry.write_text("{")
    assert step.cache.find(KEY) is None


def test_keeping_again_changes_nothing(step: Step) -> None:
    step.keep(out=step.file("a.tif", "first"))
    assert not step.keep(out=step.file("b.tif", "second"))
    assert Path(local_path(step.found()["out"])).read_text() == "first"
    assert not list(Path(step.cache.folder).rglob("*.part"))


def test_what_lies_elsewhere_is_not_kept(step: Step, tmp_path: Path) -> None:
    (tmp_path / "input.tif").write_text("somebody else's")
    elsewhere = {"class": "File", "location": path_uri(str(tmp_path / "input.tif"))}
    assert not step.keep(own=step.file("a.tif"), out=elsewhere)
    assert step.cache.find(KEY) is None


@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "."])
def test_a_link_out_of_the_steps_folder_is_not_kept(step: Step, target: str) -> None:
    """Or a later job would publish a file that this one may not."""
    step.file("folder/a.txt")
    (step.outdir / "folder" / "link").symlink_to(target)
    assert not step.keep(out=directory(path_uri(str(step.outdir / "folder"))))
    assert tree(Path(step.cache.folder)) == ["ab"]


def test_a_link_within_the_steps_folder_is_kept_as_a_file(step: Step) -> None:
    step.file("real.txt", "real")
    (step.outdir / "link.txt").symlink_to("real.txt")
    link = {"class": "File", "location": path_uri(str(step.outdir / "link.txt"))}
    assert step.keep(out=link)
    kept = local_path(step.found()["out"])
    assert (Path(kept).read_text(), os.path.islink(kept)) == ("real", False)


def test_what_is_on_the_web_stays_there(step: Step) -> None:
    far = {"class": "File", "location": "https://example.com/a.tif", "basename": "a.tif"}
    assert step.keep(out=far, own=step.file("a.tif"))
    assert step.found()["out"] == far
    (entry,) = Path(step.cache.folder).rglob("entry.json")
    assert json.loads(entry.read_text())["files"].keys() == {"a.tif"}


def test_what_is_given_up_while_it_is_copied_leaves_nothing(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs may work on another disk than the cache lies on."""

    def cannot(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def go_on() -> None:
        raise JobDismissed("it is to stop")

    file = step.file("a.tif", "pixels")
    monkeypatch.setattr(os, "link", cannot)
    with pytest.raises(JobDismissed):
        step.cache.keep(KEY, {"out": file}, str(step.outdir), "job-1", go_on=go_on)
    assert [one for one in Path(step.cache.folder).rglob("*") if one.is_file()] == []
    assert step.keep(out=file)
    assert Path(local_path(step.found()["out"])).read_text() == "pixels"
