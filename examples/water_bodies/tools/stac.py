"""Put water masks into a STAC catalog, one item for each scene that they were made from.

Writes ``catalog.json``, and in a folder for each item ``<item id>.json``, ``otsu.tif`` and a small
picture of it, ``thumbnail.png``. An item keeps the id and the time of its scene; its geometry is
that of the mask.
"""

import argparse
import json
import math
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.warp import transform

VERSION = "1.0.0"
EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
]
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
TIMES = ("datetime", "start_datetime", "end_datetime")
DIGITS = 7  # of a degree: about a centimetre
LONGEST = 256  # pixels of a thumbnail; it is thinned out to that
COLOURS = {0: (236, 239, 241), 1: (31, 98, 196)}  # of land and of water


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--item", action="append", default=[], help="path or URL of a STAC item")
    parser.add_argument("--raster", action="append", default=[], type=Path, help="its mask")
    given = parser.parse_args()
    try:
        write_catalog(given.item, given.raster, Path())
    except (OSError, ValueError, RasterioError) as error:
        sys.exit(f"stac: {error}")


def write_catalog(references: list[str], rasters: list[Path], folder: Path) -> None:
    """Write the catalog of the masks; ``references`` are the items that they were made from."""
    if len(references) != len(rasters):
        raise ValueError(f"{len(references)} items do not go with {len(rasters)} rasters")
    items: dict[str, dict[str, Any]] = {}
    for reference, raster in zip(references, rasters, strict=True):
        source = read_item(reference)
        item_id = checked_id(source, taken=items)
        items[item_id] = item_of(source, raster)
        (folder / item_id).mkdir()
        shutil.copyfile(raster, folder / item_id / raster.name)
        write_thumbnail(raster, folder / item_id / "thumbnail.png")
        write_json(items[item_id], folder / item_id / f"{item_id}.json")
    write_json(catalog_of(list(items)), folder / "catalog.json")


def read_item(reference: str) -> dict[str, Any]:
    """Read a STAC item from a path, a file: URL or an https: URL."""
    parts = urlsplit(reference)
    try:
        if parts.scheme in ("", "file"):
            data = Path(unquote(parts.path) if parts.scheme else reference).read_bytes()
        else:
            from urllib.request import urlopen

            with urlopen(reference, timeout=60) as response:
                data = response.read()
        item = json.loads(data)
    except OSError as error:
        raise OSError(f"cannot read the item {reference}: {error.strerror or error}") from None
    except ValueError:
        raise ValueError(f"{reference} is not a STAC item: it is no JSON") from None
    if not isinstance(item, dict) or "id" not in item or "properties" not in item:
        raise ValueError(f"{reference} is not a STAC item: it has no id or no properties")
    return item


def checked_id(item: dict[str, Any], taken: dict[str, Any]) -> str:
    """Give the id of an item, which has to do as the name of a folder of its own."""
    item_id = str(item["id"])
    if item_id in taken:
        raise ValueError(f"two items have the id {item_id!r}")
    if item_id in ("", ".", "..") or "/" in item_id:
        raise ValueError(f"the id {item_id!r} cannot be the name of a folder")
    return item_id


def item_of(source: dict[str, Any], raster: Path) -> dict[str, Any]:
    """Give the STAC item of a mask."""
    with rasterio.open(raster) as opened:
        mask = opened.read(1)
        ring = footprint(opened)
        times = {name: source["properties"][name] for name in TIMES if name in source["properties"]}
        pixels = int(np.count_nonzero(mask))
        properties = {
            "datetime": None,
            **times,
            "proj:epsg": opened.crs.to_epsg(),
            "proj:shape": list(opened.shape),
            "proj:transform": list(opened.transform)[:6],
            "water:threshold": float(opened.tags()["OTSU_THRESHOLD"]),
            "water:pixels": pixels,
            "water:fraction": pixels / mask.size,
        }
        band = {
            "data_type": opened.dtypes[0],
            "nodata": opened.nodata,
            "statistics": statistics(mask[opened.read_masks(1) != 0], mask.size),
        }
    longitudes, latitudes = zip(*ring, strict=True)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": EXTENSIONS,
        "id": str(source["id"]),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "properties": properties,
        "links": [
            {"rel": "root", "href": "../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
        ],
        "assets": {
            "data": {
                "href": f"./{raster.name}",
                "type": COG,
                "title": "Water mask",
                "roles": ["data", "visual"],
                "raster:bands": [band],
            },
            "thumbnail": {
                "href": "./thumbnail.png",
                "type": "image/png",
                "title": "Water in blue",
                "roles": ["thumbnail"],
            },
        },
    }


def write_thumbnail(raster: Path, png: Path) -> None:
    """Draw a mask."""
    with rasterio.open(raster) as opened:
        step = max(1, math.ceil(max(opened.shape) / LONGEST))
        height, width = (math.ceil(length / step) for length in opened.shape)
        mask = opened.read(1, out_shape=(height, width))
    profile = {"driver": "PNG", "width": width, "height": height, "count": 1, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a picture has no place
        with rasterio.open(png, "w", **profile) as picture:
            picture.write_colormap(1, COLOURS)
            picture.write(mask, 1)


def footprint(raster: Any) -> list[list[float]]:
    """Give the outline of a raster as a ring of longitudes and latitudes."""
    bottom, right = raster.shape
    xs, ys = raster.xy([bottom, bottom, 0, 0, bottom], [0, right, right, 0, 0], offset="ul")
    longitudes, latitudes = transform(raster.crs, "EPSG:4326", xs, ys)
    return [
        [round(longitude, DIGITS), round(latitude, DIGITS)]
        for longitude, latitude in zip(longitudes, latitudes, strict=True)
    ]


def statistics(valid: NDArray[Any], size: int) -> dict[str, float]:
    """Give the statistics of the valid pixels, as the raster extension names them."""
    share = {"valid_percent": 100 * valid.size / size}
    if not valid.size:
        return share
    return {
        "mean": float(valid.mean()),
        "minimum": float(valid.min()),
        "maximum": float(valid.max()),
        "stddev": float(valid.std()),
        **share,
    }


def catalog_of(item_ids: list[str]) -> dict[str, Any]:
    """Give the catalog that links to the items."""
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": "water-bodies",
        "description": "Water bodies, detected by the normalized difference water index",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            *(
                {"rel": "item", "href": f"./{one}/{one}.json", "type": "application/geo+json"}
                for one in item_ids
            ),
        ],
    }


def write_json(document: dict[str, Any], path: Path) -> None:
    """Write a document."""
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
