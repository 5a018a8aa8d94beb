"""The water bodies package: run once from end to end, and its tools one by one."""

import functools
import http.server
import importlib.util
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pystac
import pytest

import localproc

np = pytest.importorskip("numpy")
rasterio = pytest.importorskip("rasterio")

# rasterio 1.4 multiplies transforms in a way that affine 3 means to deprecate.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

EXAMPLE = Path(__file__).parents[2] / "examples" / "water_bodies"
SCENES = EXAMPLE / "scenes"
NORTH = SCENES / "LE07_OLINDA_N" / "LE07_OLINDA_N.json"
AOI = "-34.8761,-8.0325,-34.8202,-7.9597"
UTM = "EPSG:31985"
GRID = rasterio.Affine(10, 0, 290000, 0, -10, 9120000)


def load(path: Path) -> ModuleType:
    """Import one of the example's programs, which are not installed."""
    spec = importlib.util.spec_from_file_location(f"water_bodies_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


crop = load(EXAMPLE / "tools" / "crop.py")
norm_diff = load(EXAMPLE / "tools" / "norm_diff.py")
otsu = load(EXAMPLE / "tools" / "otsu.py")
stac = load(EXAMPLE / "tools" / "stac.py")
quicklook = load(EXAMPLE / "quicklook.py")


@dataclass(frozen=True)
class Expected:
    item: str
    shape: tuple[int, int]
    threshold: float
    pixels: int
    share: float


EXPECTED = (
    Expected("LE07_OLINDA_N", (169, 194), 0.3291, 4986, 0.152),
    Expected("LE07_OLINDA_S", (173, 194), 0.3676, 12420, 0.370),
)
each_item = pytest.mark.parametrize("expected", EXPECTED, ids=lambda one: one.item)


@dataclass(frozen=True)
class Run:
    process: localproc.Process
    job: localproc.Job
    results: Path

    def folder(self, item: str) -> Path:
        return self.results / self.job.id / item

    def item(self, item: str) -> dict[str, Any]:
        return read_json(self.folder(item) / f"{item}.json")


def read_json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# The package


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with localproc.Engine(tmp_path_factory.mktemp("home")) as engine:
        process = engine.deploy(EXAMPLE / "water-bodies.cwl")
        job = process.execute(EXAMPLE / "inputs.yml").wait().raise_for_status()
        yield Run(process, job, engine.home / "results" / job.id)


def test_process(run: Run) -> None:
    assert (run.process.id, run.process.version) == ("water-bodies", "1.4.1")
    assert list(run.process.inputs) == ["stac_items", "aoi", "epsg", "bands"]
    assert list(run.process.outputs) == ["stac_catalog"]


def test_steps(run: Run) -> None:
    names = [step.name for step in run.job.steps]
    assert len(names) == len(set(names))
    assert set(names) == {
        *("node_crop", "node_crop_2", "node_crop_3", "node_crop_4"),
        *("node_normalized_difference", "node_normalized_difference_2"),
        *("node_otsu", "node_otsu_2", "node_stac", "stage_out"),
    }
    assert Counter(step.status for step in run.job.steps) == {"successful": len(names)}


def test_log_tells_the_threshold(run: Run) -> None:
    logs = [run.job.logs(step).stderr for step in ("node_otsu", "node_otsu_2")]
    # The image that the package hints at may not be here, which is told before.
    assert {log.splitlines(keepends=True)[-1] for log in logs} == {
        "threshold 0.3291, 4986 of 32786 pixels are water (15.2%)\n",
        "threshold 0.3676, 12420 of 33562 pixels are water (37.0%)\n",
    }


@each_item
def test_mask(run: Run, expected: Expected) -> None:
    with rasterio.open(run.folder(expected.item) / "otsu.tif") as src:
        mask = src.read(1)
        assert src.shape == pytest.approx(expected.shape, abs=1)
        assert float(src.tags()["OTSU_THRESHOLD"]) == pytest.approx(expected.threshold, abs=0.01)
        assert src.crs == UTM
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 1}
    assert mask.sum() == pytest.approx(expected.pixels, rel=0.005)
    assert mask.mean() == pytest.approx(expected.share, abs=0.001)


@each_item
def test_mask_lies_on_the_pixels_of_its_scene(run: Run, expected: Expected) -> None:
    with (
        rasterio.open(SCENES / expected.item / "B2.tif") as scene,
        rasterio.open(run.folder(expected.item) / "otsu.tif") as mask,
    ):
        column = (mask.transform.c - scene.transform.c) / scene.transform.a
        row = (mask.transform.f - scene.transform.f) / scene.transform.e
        assert (column, row) == pytest.approx((round(column), round(row)), abs=1e-6)
        assert mask.res == scene.res


@each_item
def test_mask_is_cloud_optimized(run: Run, expected: Expected) -> None:
    with rasterio.open(run.folder(expected.item) / "otsu.tif") as src:
        assert src.driver == "GTiff"
        assert src.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"
        assert src.profile["tiled"]
        assert src.block_shapes == [(256, 256)]


def test_published_layout(run: Run) -> None:
    inner = run.job.id
    assert files_below(run.results) == {
        "catalog.json",
        f"{inner}/collection.json",
        f"{inner}/LE07_OLINDA_N/LE07_OLINDA_N.json",
        f"{inner}/LE07_OLINDA_N/otsu.tif",
        f"{inner}/LE07_OLINDA_N/thumbnail.png",
        f"{inner}/LE07_OLINDA_S/LE07_OLINDA_S.json",
        f"{inner}/LE07_OLINDA_S/otsu.tif",
        f"{inner}/LE07_OLINDA_S/thumbnail.png",
    }


@each_item
def test_published_item(run: Run, expected: Expected) -> None:
    item = run.item(expected.item)
    scene = read_json(SCENES / expected.item / f"{expected.item}.json")
    assert (item["stac_version"], item["id"]) == ("1.0.0", expected.item)
    properties = item["properties"]
    for name in ("datetime", "start_datetime", "end_datetime"):
        assert properties[name] == scene["properties"][name]
    assert properties["proj:epsg"] == 31985
    assert properties["proj:shape"] == pytest.approx(expected.shape, abs=1)
    assert properties["water:threshold"] == pytest.approx(expected.threshold, abs=0.01)
    assert properties["water:pixels"] == pytest.approx(expected.pixels, rel=0.005)
    assert properties["water:fraction"] == pytest.approx(expected.share, abs=0.001)
    with rasterio.open(run.folder(expected.item) / "otsu.tif") as src:
        assert properties["proj:transform"] == list(src.transform)[:6]


@each_item
def test_published_geometry(run: Run, expected: Expected) -> None:
    """The mask lies in its scene, and in the area of interest but for the edges of pixels."""
    item = run.item(expected.item)
    west, south, east, north = item["bbox"]
    ring = item["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert {west, east} <= {x for x, _ in ring}
    assert {south, north} <= {y for _, y in ring}
    scene = read_json(SCENES / expected.item / f"{expected.item}.json")["bbox"]
    aoi = [float(number) for number in AOI.split(",")]
    pixel = 28.5 / 111_000
    for outer in (scene, aoi):
        assert west >= outer[0] - 2 * pixel
        assert south >= outer[1] - 2 * pixel
        assert east <= outer[2] + 2 * pixel
        assert north <= outer[3] + 2 * pixel


@each_item
def test_published_asset(run: Run, expected: Expected) -> None:
    asset = run.item(expected.item)["assets"]["data"]
    assert asset["href"] == "./otsu.tif"
    assert asset["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert asset["roles"] == ["data", "visual"]
    (band,) = asset["raster:bands"]
    assert (band["data_type"], band["nodata"]) == ("uint8", 0)
    assert band["statistics"] == {
        "mean": 1,
        "minimum": 1,
        "maximum": 1,
        "stddev": 0,
        "valid_percent": pytest.approx(100 * expected.share, abs=0.1),
    }


@each_item
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_published_thumbnail(run: Run, expected: Expected) -> None:
    asset = run.item(expected.item)["assets"]["thumbnail"]
    assert (asset["href"], asset["type"]) == ("./thumbnail.png", "image/png")
    assert asset["roles"] == ["thumbnail"]
    with (
        rasterio.open(run.folder(expected.item) / "otsu.tif") as mask,
        rasterio.open(run.folder(expected.item) / "thumbnail.png") as picture,
    ):
        assert (picture.read(1) == mask.read(1)).all()
        assert picture.colormap(1)[1] == (31, 98, 196, 255)


def test_results_are_pystac_items(run: Run) -> None:
    items = run.job.results()["stac_catalog"].items
    assert all(isinstance(item, pystac.Item) for item in items)
    assert {item.id for item in items} == {one.item for one in EXPECTED}
    assert all(item.assets["data"].href.endswith(f"/{item.id}/otsu.tif") for item in items)


@each_item
def test_quicklook(run: Run, expected: Expected, tmp_path: Path) -> None:
    png = tmp_path / "water.png"
    quicklook.quicklook(run.folder(expected.item) / "otsu.tif", png)
    assert [path.name for path in tmp_path.iterdir()] == ["water.png"]
    colours = read_png(png)
    blue = (colours == np.reshape(quicklook.WATER, (3, 1, 1))).all(axis=0)
    assert blue.sum() == pytest.approx(expected.pixels, rel=0.005)
    assert (colours[:, ~blue] == 255).all()


# crop


def write_raster(
    path: Path, values: Any, *, nodata: float | None = None, transform: Any = GRID
) -> Path:
    array = np.atleast_3d(np.asarray(values).T).T
    profile = {
        "driver": "GTiff",
        "count": array.shape[0],
        "height": array.shape[1],
        "width": array.shape[2],
        "dtype": array.dtype,
        "nodata": nodata,
        "crs": UTM,
        "transform": transform,
    }
    with rasterio.open(path, "w", **profile) as dst:
        dst.write(array)
    return path


def read_raster(path: Path) -> Any:
    with rasterio.open(path) as src:
        return src.read(1)


def read_png(path: Path) -> Any:
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path) as src:
        return src.read()


def write_item(folder: Path, **assets: dict[str, Any]) -> Path:
    path = folder / "item.json"
    path.write_text(json.dumps({"id": "scene", "properties": {}, "assets": assets}))
    return path


def asset(href: str, *names: str, role: str = "data") -> dict[str, Any]:
    return {"href": href, "roles": [role], "eo:bands": [{"common_name": name} for name in names]}


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """An item with one asset of 4 x 6 pixels of 10 m."""
    write_raster(tmp_path / "B3.tif", np.arange(24, dtype="uint16").reshape(4, 6), nodata=7)
    return write_item(tmp_path, B3=asset("./B3.tif", "green"))


def cropped(item: Path | str, aoi: tuple[float, float, float, float], folder: Path) -> Any:
    path = crop.crop(str(item), "green", aoi, UTM, folder)
    assert path == folder / "crop_green.tif"
    return read_raster(path)


def test_crop_cuts_the_pixels_of_the_window(scene: Path, tmp_path: Path) -> None:
    values = cropped(scene, (290010, 9119970, 290030, 9119990), tmp_path)
    assert values.tolist() == [[7, 8], [13, 14]]
    with rasterio.open(tmp_path / "crop_green.tif") as src:
        assert (src.dtypes, src.nodata, src.crs) == (("uint16",), 7, UTM)
        assert src.transform == rasterio.Affine(10, 0, 290010, 0, -10, 9119990)


@pytest.mark.parametrize(
    ("west", "east", "columns"),
    [
        (290010, 290030, (1, 3)),
        (290018, 290038, (1, 3)),
        (290019, 290039, (2, 4)),  # offsets from 0.9 on go to the next pixel
        (290010, 290034, (1, 3)),
        (290010, 290035, (1, 4)),  # lengths are rounded to the nearest pixel
        (289900, 290020, (0, 2)),
        (290040, 290900, (4, 6)),
    ],
)
def test_crop_rounds_and_clips(
    west: float, east: float, columns: tuple[int, int], scene: Path, tmp_path: Path
) -> None:
    values = cropped(scene, (west, 9119960, east, 9120000), tmp_path)
    assert values[0].tolist() == list(range(*columns))


def test_crop_reprojects_the_area_of_interest(tmp_path: Path) -> None:
    path = crop.crop(str(NORTH), "nir", crop.parse_aoi(AOI), "EPSG:4326", tmp_path)
    assert read_raster(path).shape == (169, 194)


@pytest.mark.parametrize(
    "aoi",
    [
        (290060, 9119960, 290070, 9120000),
        (290000, 9120000, 290060, 9120100),
        (290010, 9119970, 290014, 9119974),
    ],
    ids=["beside", "above", "smaller than half a pixel"],
)
def test_crop_of_nothing_is_an_error(
    aoi: tuple[float, float, float, float], scene: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="the area of interest does not intersect scene"):
        cropped(scene, aoi, tmp_path)
    assert not (tmp_path / "crop_green.tif").exists()


def test_crop_error_is_one_line(tmp_path: Path) -> None:
    script = str(EXAMPLE / "tools" / "crop.py")
    options = [f"--item={NORTH}", "--band=green", "--aoi=-121.4,39.8,-120.7,40.5"]
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr == "crop: the area of interest does not intersect LE07_OLINDA_N\n"
    assert list(tmp_path.iterdir()) == []


def test_crop_takes_the_data_asset_of_the_band(tmp_path: Path) -> None:
    item = {
        "id": "scene",
        "assets": {
            "preview": asset("preview.tif", "green", role="overview"),
            "blue": asset("blue.tif", "blue"),
            "stack": asset("stack.tif", "red", "green"),
            "metadata": {"href": "metadata.xml"},
        },
    }
    assert crop.find_band(item, "green") == ("stack.tif", 2)
    with pytest.raises(ValueError, match="'nir'; its bands: blue, red, green"):
        crop.find_band(item, "nir")


@pytest.mark.parametrize("form", ["path", "relative path", "file URL"])
def test_crop_finds_the_item(
    form: str, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reference = {"path": str(scene), "relative path": "item.json", "file URL": scene.as_uri()}[form]
    assert cropped(reference, (290000, 9119960, 290060, 9120000), tmp_path).shape == (4, 6)


def test_crop_finds_items_and_assets_with_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "a scene"
    folder.mkdir()
    write_raster(folder / "band 3.tif", np.ones((2, 2), "uint8"))
    item = write_item(folder, B3=asset("band%203.tif", "green"))
    assert cropped(item, (290000, 9119980, 290020, 9120000), tmp_path).shape == (2, 2)


def test_crop_reads_from_the_web(scene: Path, tmp_path: Path) -> None:
    with served(scene.parent) as url:
        values = cropped(f"{url}/item.json", (290010, 9119970, 290030, 9119990), tmp_path)
    assert values.tolist() == [[7, 8], [13, 14]]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; give its URL."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_crop_says_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"cannot read the item .*/none\.json: No such file"):
        crop.read_item(crop.to_url(str(tmp_path / "none.json")))
    (tmp_path / "text.json").write_text("text")
    with pytest.raises(ValueError, match=r"text\.json is not a STAC item: it is no JSON"):
        crop.read_item(crop.to_url(str(tmp_path / "text.json")))
    with pytest.raises(ValueError, match="it has no id or no assets"):
        crop.read_item((SCENES / "catalog.json").as_uri())


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "3,2,1,4", "1,2,1,4", "1,2,nan,4"])
def test_crop_rejects_a_bad_area(text: str) -> None:
    with pytest.raises(ValueError, match="the aoi"):
        crop.parse_aoi(text)


# norm_diff


def difference(first: Any, second: Any, folder: Path, **options: Any) -> list[list[float]]:
    rasters = [
        write_raster(folder / "green.tif", first, **options),
        write_raster(folder / "nir.tif", second, **options),
    ]
    path = norm_diff.norm_diff(rasters, folder)
    with rasterio.open(path) as src:
        assert (src.name, src.dtypes) == (str(folder / "norm_diff.tif"), ("float32",))
        found: list[list[float]] = src.read(1).tolist()
        return found


def test_bytes_do_not_wrap_around(tmp_path: Path) -> None:
    green, nir = np.array([[10, 250]], "uint8"), np.array([[250, 10]], "uint8")
    assert difference(green, nir, tmp_path) == [pytest.approx([-240 / 260, 240 / 260])]


def test_large_integers_do_not_wrap_around(tmp_path: Path) -> None:
    green, nir = np.array([[60000]], "uint16"), np.array([[20000]], "uint16")
    assert difference(green, nir, tmp_path) == [[0.5]]


def test_nodata_in_either_band_is_excluded(tmp_path: Path) -> None:
    green, nir = np.array([[9, 30, 30]], "uint8"), np.array([[10, 9, 10]], "uint8")
    assert difference(green, nir, tmp_path, nodata=9) == [
        pytest.approx([np.nan, np.nan, 0.5], nan_ok=True)
    ]


def test_sum_of_zero_is_excluded(tmp_path: Path) -> None:
    green, nir = np.array([[0, -5, 0]], "int16"), np.array([[0, 5, 4]], "int16")
    assert difference(green, nir, tmp_path) == [pytest.approx([np.nan, np.nan, -1], nan_ok=True)]


def test_norm_diff_needs_two_bands_on_one_grid(tmp_path: Path) -> None:
    here = write_raster(tmp_path / "here.tif", np.ones((2, 2), "uint8"))
    there = write_raster(
        tmp_path / "there.tif",
        np.ones((2, 2), "uint8"),
        transform=rasterio.Affine(10, 0, 290010, 0, -10, 9120000),
    )
    with pytest.raises(ValueError, match=r"here\.tif and there\.tif are not on the same grid"):
        norm_diff.norm_diff([here, there], tmp_path)
    with pytest.raises(ValueError, match="two bands are needed, green and near infrared, not 1"):
        norm_diff.norm_diff([here], tmp_path)


# otsu


def slow_otsu(values: Any) -> float:
    """Otsu's threshold straight from its definition: try every division of the histogram."""
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    best, found = -1.0, 0.0
    for last in range(255):
        low, high = slice(0, last + 1), slice(last + 1, None)
        means = [np.average(centres[part], weights=counts[part]) for part in (low, high)]
        variance = counts[low].sum() * counts[high].sum() * (means[0] - means[1]) ** 2
        if variance > best * (1 + 1e-9):
            best, found = variance, float(centres[last])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_threshold_is_the_best_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    land = random.normal(-0.4, 0.15, 3000)
    water = random.normal(0.3, 0.1, 700)
    values = np.concatenate([land, water]).astype("float32")
    assert otsu.otsu_threshold(values) == pytest.approx(slow_otsu(values), abs=1e-6)


def test_threshold_of_two_values_lies_between_them() -> None:
    values = np.array([-0.5, -0.5, 0.5], "float32")
    assert -0.5 < otsu.otsu_threshold(values) < 0.5


def test_threshold_of_one_value_is_the_value() -> None:
    assert otsu.otsu_threshold(np.full(9, 0.25, "float32")) == 0.25


def test_excluded_pixels_are_neither_counted_nor_water(tmp_path: Path) -> None:
    ndwi = np.array([[-0.5, 0.5, np.nan], [-0.4, 0.6, 99]], "float32")
    path = otsu.otsu(write_raster(tmp_path / "ndwi.tif", ndwi, nodata=99), tmp_path)
    assert path == tmp_path / "otsu.tif"
    assert read_raster(path).tolist() == [[0, 1, 0], [0, 1, 0]]
    with rasterio.open(path) as src:
        assert float(src.tags()["OTSU_THRESHOLD"]) == otsu.otsu_threshold(
            np.array([-0.5, 0.5, -0.4, 0.6], "float32")
        )


def test_no_valid_pixel_is_an_error(tmp_path: Path) -> None:
    raster = write_raster(tmp_path / "ndwi.tif", np.full((2, 2), np.nan, "float32"), nodata=np.nan)
    with pytest.raises(ValueError, match=r"ndwi\.tif has no valid pixel"):
        otsu.otsu(raster, tmp_path)
    assert not (tmp_path / "otsu.tif").exists()


# stac


def write_mask(folder: Path, mask: Any) -> Path:
    path: Path = otsu.write_mask(np.array(mask, bool), 0.25, UTM, GRID, folder)
    return path


def write_source(folder: Path, item_id: str, **properties: Any) -> str:
    path = folder / "source.json"
    path.write_text(json.dumps({"id": item_id, "properties": properties}))
    return str(path)


def test_stac_writes_catalog_and_items(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    source = write_source(tmp_path, "scene", datetime="2021-07-13T19:03:24Z", gsd=10)
    stac.write_catalog([source], [write_mask(tmp_path, [[0, 1], [0, 0]])], out)
    assert files_below(out) == {
        "catalog.json",
        "scene/scene.json",
        "scene/otsu.tif",
        "scene/thumbnail.png",
    }
    links = read_json(out / "catalog.json")["links"]
    assert [link["href"] for link in links if link["rel"] == "item"] == ["./scene/scene.json"]
    item = read_json(out / "scene" / "scene.json")
    assert item["properties"] == {
        "datetime": "2021-07-13T19:03:24Z",
        "proj:epsg": 31985,
        "proj:shape": [2, 2],
        "proj:transform": [10, 0, 290000, 0, -10, 9120000],
        "water:threshold": 0.25,
        "water:pixels": 1,
        "water:fraction": 0.25,
    }
    with rasterio.open(out / "scene" / item["assets"]["data"]["href"]) as src:
        assert src.read(1).tolist() == [[0, 1], [0, 0]]


def test_stac_thins_out_the_picture_of_a_large_mask(tmp_path: Path) -> None:
    stac.write_thumbnail(write_mask(tmp_path, np.ones((20, 1000))), tmp_path / "water.png")
    assert read_png(tmp_path / "water.png").shape == (1, 5, 250)


def test_stac_keeps_an_interval(tmp_path: Path) -> None:
    interval = {"start_datetime": "1999-04-15T00:00:00Z", "end_datetime": "2003-05-31T00:00:00Z"}
    item = stac.item_of({"id": "scene", "properties": interval}, write_mask(tmp_path, [[1]]))
    assert item["properties"].items() >= {"datetime": None, **interval}.items()


def test_stac_of_a_mask_without_water(tmp_path: Path) -> None:
    item = stac.item_of({"id": "scene", "properties": {}}, write_mask(tmp_path, [[0, 0]]))
    assert item["properties"]["water:pixels"] == 0
    (band,) = item["assets"]["data"]["raster:bands"]
    assert band["statistics"] == {"valid_percent": 0}


@pytest.mark.parametrize("item_id", ["", "..", "a/b"])
def test_stac_rejects_ids_that_lead_elsewhere(item_id: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a folder"):
        stac.write_catalog(
            [write_source(tmp_path, item_id)], [write_mask(tmp_path, [[1]])], tmp_path
        )


def test_stac_rejects_what_does_not_go_together(tmp_path: Path) -> None:
    source, mask = write_source(tmp_path, "scene"), write_mask(tmp_path, [[1]])
    with pytest.raises(ValueError, match="two items have the id 'scene'"):
        stac.write_catalog([source, source], [mask, mask], tmp_path)
    with pytest.raises(ValueError, match="1 items do not go with 2 rasters"):
        stac.write_catalog([source], [mask, mask], tmp_path)


# quicklook


def test_quicklook_thins_out_large_masks(tmp_path: Path) -> None:
    quicklook.quicklook(write_mask(tmp_path, np.ones((20, 3000))), tmp_path / "water.png")
    assert read_png(tmp_path / "water.png").shape == (3, 7, 1000)


def test_the_packed_package_posted_raw_gives_the_same_masks(run: Run, tmp_path: Path) -> None:
    with localproc.Engine(tmp_path / "home") as engine:
        packed = engine.pack(EXAMPLE / "water-bodies.cwl")
        with engine.client() as client:
            headers = {"Content-Type": "application/cwl+yaml"}
            answer = client.post("processes", content=packed, headers=headers)
            assert answer.status_code == 201, answer.text
        inputs = {
            "stac_items": [str(SCENES / one.item / f"{one.item}.json") for one in EXPECTED],
            "aoi": AOI,
        }
        job = engine.execute("water-bodies", inputs).wait().raise_for_status()
        for one in EXPECTED:
            path = engine.home / "results" / job.id / job.id / one.item / "otsu.tif"
            with (
                rasterio.open(path) as ours,
                rasterio.open(run.folder(one.item) / "otsu.tif") as its,
            ):
                assert (ours.read() == its.read()).all()
                assert ours.transform == its.transform
