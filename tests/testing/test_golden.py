"""Results that are as they were."""

from pathlib import Path
from typing import Any

import pytest

from localproc.testing.golden import assert_same_items, assert_same_raster

np = pytest.importorskip("numpy")
rasterio = pytest.importorskip("rasterio")
GRID = rasterio.Affine(10, 0, 290000, 0, -10, 9120000)


def raster(path: Path, values: Any, **profile: Any) -> Path:
    data = np.array(values, dtype=profile.pop("dtype", "float32"))
    known = {"driver": "GTiff", "count": 1, "crs": "EPSG:32725", "transform": GRID, "nodata": -1}
    size = {"height": data.shape[0], "width": data.shape[1], "dtype": data.dtype.name}
    with rasterio.open(path, "w", **{**known, **size, **profile}) as file:
        file.write(data, 1)
    return path


def test_rasters_are_the_same_within_a_tolerance(tmp_path: Path) -> None:
    one = raster(tmp_path / "a.tif", [[1, 2], [3, -1]])
    other = raster(tmp_path / "b.tif", [[1, 2.25], [3, -1]])
    assert_same_raster(one, one)
    assert_same_raster(one, str(other), tolerance=0.25)
    with pytest.raises(AssertionError) as told:
        assert_same_raster(one, other, tolerance=0.1)
    assert "1 of 4 pixels differ by more than 0.1, most at row 0, column 1" in str(told.value)
    assert "2.0 instead of 2.25" in str(told.value)


def test_a_raster_that_is_not_there_is_told(tmp_path: Path) -> None:
    one = raster(tmp_path / "a.tif", [[1]])
    for files in ((one, tmp_path / "b.tif"), (tmp_path / "b.tif", one)):
        with pytest.raises(AssertionError, match=r"b\.tif is not there"):
            assert_same_raster(*files)


@pytest.mark.parametrize(
    ("values", "profile", "said"),
    [
        ([[1, 2, 3]], {}, "width is 2, not 3"),
        ([[1, 2], [3, -1]], {"crs": "EPSG:4326"}, "crs is EPSG:32725, not EPSG:4326"),
        ([[1, 2], [3, -1]], {"nodata": None}, "nodata is -1.0, not None"),
        ([[1, 2], [3, -1]], {"dtype": "int16"}, "dtypes is ('float32',), not ('int16',)"),
        ([[1, 2], [-1, -1]], {}, "band 1: 1 pixels have data in one only"),
        ([[1, 2], [3, -1]], {"transform": GRID.translation(1, 0)}, "transform is "),
    ],
)
def test_what_differs_of_rasters_is_told(
    tmp_path: Path, values: Any, profile: dict[str, Any], said: str
) -> None:
    one = raster(tmp_path / "a.tif", [[1, 2], [3, -1]])
    other = raster(tmp_path / "b.tif", values, **profile)
    with pytest.raises(AssertionError) as told:
        assert_same_raster(one, other)
    assert said in str(told.value)


def item(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": name,
        "bbox": [1.0, 2.0, 3.0, 4.0],
        "properties": {"created": "now", **properties},
        "links": [{"rel": "self", "href": f"/{name}"}],
        "assets": {"mask": {"href": f"/results/{name}/mask.tif", "roles": ["data"]}},
    }


def test_items_are_compared_field_by_field() -> None:
    ours = {"type": "FeatureCollection", "features": [item("a", cloud=1.0), item("b")]}
    moved = [item("b", created="then"), item("a", cloud=1.0 + 1e-12)]
    moved[0]["assets"]["mask"]["href"] = "elsewhere/mask.tif"
    assert_same_items(ours, moved)
    assert_same_items(ours, [item("a", cloud=7), item("b")], ignore=["cloud"])
    with pytest.raises(AssertionError) as told:
        assert_same_items(ours, [item("a", cloud=1.5, more=1), item("c")])
    for said in (
        "there is no item 'c'",
        "there is an item 'b' too many",
        "a.properties.cloud is 1.0, not 1.5",
        "a.properties.more is missing",
    ):
        assert said in str(told.value)
    with pytest.raises(AssertionError, match=r"a.bbox has 4 values, not 2"):
        assert_same_items([item("a")], [{**item("a"), "bbox": [1.0, 2.0]}])
