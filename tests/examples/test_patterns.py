"""The shapes of application packages: what goes in, and what comes out."""

from pathlib import Path
from typing import Any

import pystac
import pytest

from localproc import Engine

PATTERNS = Path(__file__).parents[2] / "examples" / "patterns"
SCENES = PATTERNS.parent / "water_bodies" / "scenes"
N, S = (str(SCENES / name / f"{name}.json") for name in ("LE07_OLINDA_N", "LE07_OLINDA_S"))
AREA = {"bbox": [-34.9, -8.1, -34.8, -7.9]}
CATALOG = f"file://{SCENES}/catalog.json"


@pytest.mark.parametrize(
    ("pattern", "inputs", "expected"),
    [
        ("01", {"scene": N}, {"found": ["N_ndvi"]}),
        ("02", {"before": N, "after": S}, {"found": ["N_change", "S_change"]}),
        ("03", {"scenes": [N, S]}, {"found": ["N_ndvi", "S_ndvi"]}),
        ("04", {"scene": N}, {"ndvi": ["N_ndvi"], "ndwi": ["N_ndwi"]}),
        ("05", {"scene": N}, {"found": ["N_ndvi", "N_ndwi"]}),
        ("07", {"scene": N}, {"found": ["N_ndvi"]}),
        ("07", {"scene": N, "mask": S}, {"found": ["N_ndvi", "S_ndvi"]}),
        ("08", {"scene": N}, {"found": ["N_ndvi"]}),
        ("09", {"scenes": [N, S]}, {"found": ["N_ndvi", "S_ndvi"]}),
        ("10", {"scenes": [N, S]}, {"found": ["N_ndvi", "N_ndwi", "S_ndvi", "S_ndwi"]}),
        ("11", {"scene": N, "dem": str(SCENES / "README.md")}, {"found": ["N_slope"]}),
        ("12", {"item": CATALOG, "aoi": AREA}, {"found": ["N_clip", "S_clip"]}),
    ],
)
def test_catalogs_come_out(
    localproc_engine: Engine, pattern: str, inputs: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    job = localproc_engine.run(PATTERNS / f"pattern-{pattern}.cwl", inputs)
    results = job.results()
    for name, ids in expected.items():
        found = sorted(one.id.removeprefix("LE07_OLINDA_") for one in results[name].items)
        assert found == ids
        for one in results[name].items:
            assert isinstance(one, pystac.Item)
            (asset,) = one.assets.values()
            table = Path(str(asset.get_absolute_href()).removeprefix("file://")).read_text()
            assert table.startswith("asset,bytes\n")


def test_a_number_comes_out(localproc_engine: Engine) -> None:
    job = localproc_engine.run(PATTERNS / "pattern-06.cwl", {"scene": N})
    sizes = [(SCENES / "LE07_OLINDA_N" / f"B{band}.tif").stat().st_size for band in range(1, 5)]
    assert job.results()["mean"] == pytest.approx(sum(sizes) / 4, abs=0.1)


def test_nothing_comes_out_that_is_not_wanted(localproc_engine: Engine) -> None:
    job = localproc_engine.run(PATTERNS / "pattern-08.cwl", {"scene": N, "wanted": False})
    assert job.results()["found"] is None
    job = localproc_engine.run(PATTERNS / "pattern-09.cwl", {"scenes": [N, S], "wanted": False})
    assert job.results()["found"] == []


def test_each_is_valid_and_described(localproc_engine: Engine) -> None:
    for path in sorted(PATTERNS.glob("*.cwl")):
        process = localproc_engine.deploy(path)
        assert process.title
        assert all(one["title"] for one in process.inputs.values())
