"""Cut one band of a STAC item to an area of interest.

The item is a path, a file: URL or an https: URL. Writes ``crop_<band>.tif`` with the values, the
type and the nodata value of the source.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import rasterio
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds

Bounds = tuple[float, float, float, float]


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--item", required=True, help="path or URL of a STAC item")
    parser.add_argument("--band", required=True, help="common name of the band")
    parser.add_argument("--aoi", required=True, help="minx,miny,maxx,maxy")
    parser.add_argument("--epsg", default="EPSG:4326", help="coordinates of the aoi")
    given = parser.parse_args()
    try:
        crop(given.item, given.band, parse_aoi(given.aoi), given.epsg, Path())
    except (OSError, ValueError, RasterioError) as error:
        sys.exit(f"crop: {error}")


def crop(reference: str, band: str, aoi: Bounds, epsg: str, folder: Path) -> Path:
    """Write the part of a band that lies in the area of interest; give the file's path."""
    url = to_url(reference)
    item = read_item(url)
    href, index = find_band(item, band)
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        rasterio.open(to_path(urljoin(url, href))) as raster,
    ):
        window = window_of(raster, aoi, epsg)
        if not window.width or not window.height:
            raise ValueError(f"the area of interest does not intersect {item['id']}")
        target = folder / f"crop_{band}.tif"
        profile = {
            "driver": "GTiff",
            "width": window.width,
            "height": window.height,
            "count": 1,
            "dtype": raster.dtypes[index - 1],
            "nodata": raster.nodatavals[index - 1],
            "crs": raster.crs,
            "transform": raster.window_transform(window),
            "compress": "deflate",
        }
        with rasterio.open(target, "w", **profile) as cropped:
            cropped.write(raster.read(index, window=window), 1)
    print(f"{item['id']}, {band}: {window.height} x {window.width} pixels", file=sys.stderr)
    return target


def parse_aoi(text: str) -> Bounds:
    """Read ``minx,miny,maxx,maxy``."""
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"the aoi must be minx,miny,maxx,maxy, not {text!r}") from None
    if not (-math.inf < west < east < math.inf and -math.inf < south < north < math.inf):
        raise ValueError(f"the aoi {text!r} holds no area: minx < maxx and miny < maxy are needed")
    return west, south, east, north


def to_url(reference: str) -> str:
    """Give a URL for a path or a URL."""
    return reference if urlsplit(reference).scheme else Path(reference).absolute().as_uri()


def to_path(url: str) -> str:
    """Give the path behind a file: URL; any other URL is left to rasterio."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else url


def read_item(url: str) -> dict[str, Any]:
    """Read a STAC item."""
    try:
        item = json.loads(read(url))
    except OSError as error:
        raise OSError(f"cannot read the item {to_path(url)}: {error.strerror or error}") from None
    except ValueError:
        raise ValueError(f"{to_path(url)} is not a STAC item: it is no JSON") from None
    if not isinstance(item, dict) or not isinstance(item.get("assets"), dict) or "id" not in item:
        raise ValueError(f"{to_path(url)} is not a STAC item: it has no id or no assets")
    return item


def read(url: str) -> bytes:
    """Read a document from this machine or from the web."""
    if urlsplit(url).scheme == "file":
        return Path(to_path(url)).read_bytes()
    from urllib.request import urlopen

    with urlopen(url, timeout=60) as response:
        data: bytes = response.read()
    return data


def find_band(item: dict[str, Any], name: str) -> tuple[str, int]:
    """Give the href of the data asset that holds the band, and the band's number in it."""
    found = []
    for asset in item["assets"].values():
        if "data" not in asset.get("roles", ()):
            continue
        for number, band in enumerate(asset.get("eo:bands", ()), 1):
            if band.get("common_name") == name:
                return asset["href"], number
            found.append(str(band.get("common_name")))
    known = ", ".join(found) or "none"
    raise ValueError(f"{item['id']} has no data asset of the band {name!r}; its bands: {known}")


def window_of(raster: Any, aoi: Bounds, epsg: str) -> Window:
    """Give the part of a raster that the area of interest covers; it may be empty.

    Offsets and lengths are rounded as rasterio's ``round_offsets`` and ``round_lengths`` do.
    """
    bounds = to_crs_of(raster, aoi, epsg)
    if not all(map(math.isfinite, bounds)):
        return Window(0, 0, 0, 0)
    exact = from_bounds(*bounds, transform=raster.transform)
    left = math.floor(exact.col_off + 0.1)
    top = math.floor(exact.row_off + 0.1)
    right = left + math.floor(exact.width + 0.5)
    bottom = top + math.floor(exact.height + 0.5)
    left, right = max(left, 0), min(right, raster.width)
    top, bottom = max(top, 0), min(bottom, raster.height)
    return Window(left, top, max(right - left, 0), max(bottom - top, 0))


def to_crs_of(raster: Any, aoi: Bounds, epsg: str) -> Bounds:
    """Give the box, in the raster's coordinates, that encloses the area of interest."""
    if raster.crs is None:
        raise ValueError(f"{raster.name} does not say what its coordinates are")
    crs = CRS.from_user_input(epsg)
    if crs == raster.crs:
        return aoi
    bounds: Bounds = transform_bounds(crs, raster.crs, *aoi, densify_pts=21)
    return bounds


if __name__ == "__main__":
    main()
