"""The command images: what is here, and moving it to another machine."""

import json
import os
import shlex
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from localproc.executors.containers.charliecloud import Charliecloud
from localproc.executors.containers.image_folder import image_file_name, image_name_of
from tests.cli.terminal import localproc
from tests.executors.charliecloud_tests import IMAGE, charliecloud

__all__ = ["charliecloud"]  # a fixture

MISSING = "localproc images pull nobody/has:1 --containers charliecloud"


@pytest.fixture
def package(here: Path, charliecloud: Charliecloud, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a package that names an image that is here and one that is not."""
    [image] = charliecloud.images()
    monkeypatch.setenv("LOCALPROC_IMAGES", str(Path(image.path).parents[1]))
    monkeypatch.setenv("LOCALPROC_CONTAINERS", "charliecloud")
    steps = [
        {
            "id": name,
            "in": [],
            "out": [],
            "run": {
                "class": "CommandLineTool",
                "id": f"{name}_tool",
                "baseCommand": "true",
                "requirements": [{"class": "DockerRequirement", "dockerPull": image_name}],
                "inputs": [],
                "outputs": [],
            },
        }
        for name, image_name in (("one", IMAGE), ("two", "nobody/has:1"))
    ]
    document = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "both",
        "inputs": [],
        "outputs": [],
        "steps": steps,
    }
    path = here / "both.cwl"
    path.write_text(json.dumps(document))
    return path


def test_the_images_of_a_package_are_listed_with_what_is_here(
    package: Path, charliecloud: Charliecloud
) -> None:
    [image] = charliecloud.images()
    said = localproc("images", package, "--json")
    first, second = said.document
    assert (first["name"], first["here"], first["digest"]) == (IMAGE, True, image.digest)
    assert (second["name"], second["here"]) == ("nobody/has:1", False)
    assert MISSING in second["hint"]
    table = localproc("images", package).out.splitlines()
    assert table[2].split()[:2] == ["nobody/has:1", "missing"]


def test_validate_and_describe_say_which_images_are_missing(package: Path) -> None:
    said = localproc("validate", package)
    assert said.code == 0
    assert "the image nobody/has:1 of two_tool is not here" in said.err
    assert f"the image {IMAGE}" not in said.err
    assert MISSING in localproc("describe", package).out
    assert f"({MISSING} brings it)" in localproc("plan", package).err


def test_a_job_is_refused_with_the_command_that_brings_its_images(
    package: Path, home: Path
) -> None:
    said = localproc("run", package)
    assert said.code != 0
    assert "the image nobody/has:1 is not here" in said.err
    assert MISSING in said.err
    assert localproc("jobs", "--json").document["jobs"] == []


def test_images_move_to_another_machine_in_files(package: Path, here: Path) -> None:
    saved = localproc("images", "save", IMAGE, "--to", "files").out.strip()
    other = str(here / "other")
    loaded = localproc("images", "load", saved, "--images", other)
    assert loaded.out.startswith(IMAGE)
    renamed = localproc("images", "load", saved, "--name", "other:1", "--images", other)
    assert renamed.out.split()[1] == loaded.out.split()[1]
    named = {one["name"] for one in localproc("images", "--json", "--images", other).document}
    assert named == {IMAGE, "other:1"}


def test_no_two_images_are_saved_in_one_file(package: Path, here: Path) -> None:
    for name in ("a/b:1", "a_b:1", "a:b"):
        assert localproc("images", "load", saved(), "--name", name, "--images", "others").code == 0
        assert localproc("images", "save", name, "--to", "all", "--images", "others").code == 0
    assert len(list((here / "all").iterdir())) == 3
    assert [image_name_of(image_file_name(name)) for name in ("a/b:1", "a_b:1")] == [
        "a/b:1",
        "a_b:1",
    ]


def test_an_image_that_cannot_be_written_leaves_nothing(package: Path, here: Path) -> None:
    file = here / "files" / f"{image_file_name(IMAGE)}.tar"
    file.mkdir(parents=True)
    said = localproc("images", "save", IMAGE, "--to", "files")
    assert said.code != 0
    assert f"{IMAGE} cannot be written to files/{file.name}: Is a directory" in said.err
    assert list((here / "files").iterdir()) == [file]


def test_an_image_for_which_there_is_no_folder_is_told_with_it(package: Path, here: Path) -> None:
    (here / "taken").touch()
    said = localproc("images", "load", saved(), "--images", here / "taken")
    assert said.code != 0
    assert f"{IMAGE} cannot be made in {here}/taken/charliecloud: Not a directory" in said.err
    assert "--images DIR" in said.err


def saved() -> str:
    """Save the image of the tests; give its file."""
    return localproc("images", "save", IMAGE, "--to", "first").out.strip()


def test_what_makes_an_image_is_told_and_does_so(
    package: Path, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of files, and in them, may be others than that of the image."""
    archive = Path(localproc("images", "save", IMAGE, "--to", tmp_path / "two words").out.strip())
    root = tmp_path / "root.tar"
    with tarfile.open(archive) as saved, root.open("wb") as file:
        [layer] = [one for one in saved.getmembers() if one.name.endswith("layer.tar")]
        shutil.copyfileobj(saved.extractfile(layer) or file, file)
    monkeypatch.setenv("LOCALPROC_IMAGES", str(here / "others"))
    for docker in ({"dockerLoad": archive.as_uri()}, {"dockerImport": str(root)}):
        tool: dict[str, Any] = {
            "cwlVersion": "v1.2",
            "class": "CommandLineTool",
            "baseCommand": "true",
            "requirements": {"DockerRequirement": docker},
            "inputs": {},
            "outputs": {},
        }
        (here / "made.cwl").write_text(json.dumps(tool))
        [missing] = localproc("images", "made.cwl", "--json").document
        command = shlex.split(missing["hint"].removesuffix(" brings it"))
        assert command[0] == "localproc"
        assert localproc(*command[1:]).code == 0
        [found] = localproc("images", "made.cwl", "--json").document
        assert found["here"]
        assert localproc("run", "made.cwl").code == 0


def test_the_settings_of_a_home_say_where_images_are(
    package: Path, home: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For those who look, as for jobs."""
    settings: dict[str, Any] = {
        "containers": "charliecloud",
        "images": os.environ["LOCALPROC_IMAGES"],
        "container_map": {"nobody/has:1": IMAGE},
    }
    for variable in ("LOCALPROC_IMAGES", "LOCALPROC_CONTAINERS"):
        monkeypatch.delenv(variable)
    home.mkdir()
    (home / "settings.yml").write_text(json.dumps(settings))
    assert {one["here"] for one in localproc("images", package, "--json").document} == {True}
    assert "is not here" not in localproc("validate", package).err
    assert "missing" not in localproc("describe", package).out
    told = [one["said"] for one in localproc("doctor", "--json").document]
    assert [one for one in told if "the settings name it" in one and "Charliecloud" in one]
    assert localproc("run", package).code == 0
    (home / "settings.yml").write_text(
        json.dumps({**settings, "container_map": {"nobody/has:1": "/no/where"}})
    )
    said = localproc("run", package)
    assert said.code != 0
    assert "/no/where, which an image stands for, is not there" in said.err


def test_what_is_no_image_is_not_loaded(package: Path, here: Path) -> None:
    (here / "text.tar").write_text("no tar")
    said = localproc("images", "load", "text.tar")
    assert said.code != 0
    assert "text.tar cannot be read as an image: it is not a tar archive\n" in said.err
    assert localproc("images", "save", "nobody/has:1").code != 0


def test_the_runtimes_of_this_machine_are_told(package: Path) -> None:
    said = localproc("doctor", "--json").document
    assert any("Charliecloud" in one["said"] for one in said if one["what"] == "containers")
    assert "charliecloud" in {
        one["name"] for one in localproc("plugins", "--json").document["containers"]
    }


def test_told_commands_have_the_home_that_was_named(package: Path, here: Path) -> None:
    there = here / "other home"
    named = MISSING.replace("localproc ", f"localproc --home '{there}' ", 1)
    for command in ("run", "plan", "validate"):
        assert f"{named} brings it" in localproc("--home", there, command, package).err
    assert named in localproc("--home", there, "images", package).out


def test_what_is_a_file_by_its_name_is_not_asked_of_a_registry(package: Path) -> None:
    for name in ("nosuch.cwl", "no/such.yml#main", "./nosuch", "/no/such"):
        said = localproc("images", "pull", name)
        assert said.code != 0
        assert f"there is no file {name}\n" in said.err


def test_where_no_containers_are_wanted_nobody_is_told_to_install_any(package: Path) -> None:
    for words in (["run", "--containers", "none", package], ["cwl", "--no-container", package]):
        said = localproc(*words)
        assert said.code != 0
        assert "hint: use another --containers" in said.err
        assert "install" not in said.err
    said = localproc("images", "--containers", "none", package)
    assert "none is to be used\n  hint: name one with --containers" in said.err


def test_nothing_is_pulled_where_the_network_is_not_to_be_used(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["nobody/has:1"], [package]):
        said = localproc("images", "pull", "--offline", "always", *words)
        assert said.code != 0
        assert "is not pulled: nothing is to be asked of the network\n  hint: localproc" in said.err
    monkeypatch.setenv("LOCALPROC_OFFLINE", "always")
    assert "nothing is to be asked" in localproc("images", "pull", package).err


def test_what_is_in_a_file_needs_no_network(
    package: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = str(Path(saved()).absolute())
    monkeypatch.setenv("LOCALPROC_IMAGES", str(here / "others"))
    tool = json.loads(package.read_text())["steps"][0]["run"]
    tool["requirements"] = {
        "DockerRequirement": {"dockerLoad": archive, "dockerImageId": "in/file:1"}
    }
    (here / "file.cwl").write_text(json.dumps({"cwlVersion": "v1.2", **tool}))
    assert localproc("images", "pull", "--offline", "always", "file.cwl").code == 0
    [found] = localproc("images", "file.cwl", "--json").document
    assert found["here"]


def test_what_an_image_stands_for_is_moved(package: Path, home: Path, here: Path) -> None:
    home.mkdir()
    stands_for = {"nobody/has:1": "local"}
    (home / "settings.yml").write_text(json.dumps({"container_map": stands_for}))
    files = localproc("images", "save", package, "--to", "all").out.split()
    assert files == [f"all/{image_file_name(IMAGE)}.tar"]
