"""The water bodies package in the image that it names, through Charliecloud.

The image is made here: see tests/container_image.
"""

from pathlib import Path

import pytest

import localproc
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.plugins.containers import ContainerSettings
from tests import container_image
from tests.examples.test_water_bodies import EXAMPLE
from tests.executors.charliecloud_tests import check_charliecloud

PACKAGES = ("numpy", "rasterio", "affine", "attr", "attrs", "certifi", "click", "cligj")
SCENE_FILES = ("LE07_OLINDA_N", "LE07_OLINDA_S")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the image that the package names."""
    check_charliecloud()
    folder = tmp_path_factory.mktemp("images")
    root = container_image.python(
        tmp_path_factory.mktemp("root"), (*PACKAGES, "click_plugins", "pyparsing")
    )
    archive = container_image.archive(root, folder / "image.tar", "localhost/water-bodies")
    Charliecloud(ContainerSettings(str(folder))).load(str(archive), "")
    return folder


def test_masks_are_byte_for_byte_those_of_this_machine(images: Path, tmp_path: Path) -> None:
    with localproc.Engine(tmp_path / "home", images=str(images)) as engine:
        process = engine.deploy(EXAMPLE / "water-bodies.cwl")
        here = process.execute(EXAMPLE / "inputs.yml", containers="none")
        boxed = process.execute(EXAMPLE / "inputs.yml", containers="charliecloud")
        for job in (here, boxed):
            job.wait().raise_for_status()
        tools = [step for step in boxed.steps if step.command]
        assert {step.containers for step in tools} == {"charliecloud"}
        assert {step.containers for step in here.steps} == {""}
        for name in SCENE_FILES:
            ours, theirs = (mask(engine.home / "results" / job.id, name) for job in (here, boxed))
            assert ours == theirs


def mask(results: Path, item: str) -> bytes:
    [path] = results.rglob(f"{item}/otsu.tif")
    return path.read_bytes()
