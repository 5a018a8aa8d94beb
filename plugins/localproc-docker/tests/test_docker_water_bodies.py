"""The example package in the image that it names, in containers of Docker."""

from pathlib import Path

import localproc_docker
import pytest
from own_daemon import OwnDaemon, own_daemon
from python_image import have_python
from tests.examples.test_water_bodies import EXAMPLE, SCENES, served

from localproc import Engine, Job

pytestmark = pytest.mark.service

PACKAGES = ("numpy", "rasterio", "affine", "attr", "attrs", "certifi", "click", "cligj")
ITEMS = ("LE07_OLINDA_N", "LE07_OLINDA_S")
MORE = ("click_plugins", "pyparsing")


def test_masks_are_byte_for_byte_those_of_this_machine(tmp_path: Path) -> None:
    """Each step in a container of its own, and all in a few that they share."""
    with own_daemon() as daemon, served(SCENES) as url:
        have_python(daemon, ["localhost/water-bodies"], (*PACKAGES, *MORE))
        for warm in ("no", "job"):
            compare(tmp_path / warm, daemon, url, warm)
        assert daemon.api.get("/containers/json", all=True) == []


def compare(home: Path, daemon: OwnDaemon, url: str, warm: str) -> None:
    options = {"docker": {"host": daemon.host, "warm": warm}}
    with Engine(home, plugins=[localproc_docker], executor_options=options) as engine:
        inputs = {
            "stac_items": [f"{url}/{name}/{name}.json" for name in ITEMS],
            "aoi": "-34.8761,-8.0325,-34.8202,-7.9597",
            "epsg": "EPSG:4326",
            "bands": ["green", "nir"],
        }
        process = engine.deploy(EXAMPLE / "water-bodies.cwl")
        here = process.execute(inputs).wait().raise_for_status()
        boxed = process.execute(inputs, executor="docker")
        boxed.wait().raise_for_status()
        assert masks(engine.home, boxed) == masks(engine.home, here)
        assert set(masks(engine.home, here)) == set(ITEMS)


def masks(home: Path, job: Job) -> dict[str, bytes]:
    found = (home / "results" / job.id).rglob("otsu.tif")
    return {path.parent.name: path.read_bytes() for path in found}
