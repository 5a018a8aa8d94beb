"""The water bodies package in the image that it names, through Charliecloud.

The image is made here: see tests/container_image.
"""

from pathlib import Path

import pytest

import localproc
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.plugins.containers import ContainerSettings
from tests import container_image
from tests.examples.test_water_bodies import EXAMPLE, SCENES, served
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
    with (
        served(SCENES) as url,
        localproc.Engine(tmp_path / "home", images=str(images)) as engine,
    ):
        inputs = {
            "stac_items": [f"{url}/{name}/{name}.json" for name in SCENE_FILES],
            "aoi": "-34.8761,-8.0325,-34.8202,-7.9597",
            "epsg": "EPSG:4326",
            "bands": ["green", "nir"],
        }
        process = engine.deploy(EXAMPLE / "water-bodies.cwl")
        here = process.execute(inputs, containers="none")
        boxed = process.execute(inputs, containers="charliecloud")
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
