"""Compute the normalized difference of two bands: the NDWI for green and near infrared.

Writes ``norm_diff.tif`` in float32. Pixels without a value, because either band has nodata or their
sum is 0, are NaN.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rasters", nargs="+", type=Path, help="the two bands")
    given = parser.parse_args()
    try:
        norm_diff(given.rasters, Path())
    except (OSError, ValueError, RasterioError) as error:
        sys.exit(f"norm_diff: {error}")


def norm_diff(rasters: list[Path], folder: Path) -> Path:
    """Write the normalized difference of two rasters; give the file's path."""
    if len(rasters) != 2:
        raise ValueError(f"two bands are needed, green and near infrared, not {len(rasters)}")
    target = folder / "norm_diff.tif"
    with rasterio.open(rasters[0]) as first, rasterio.open(rasters[1]) as second:
        if not same_grid(first, second):
            raise ValueError(f"{rasters[0].name} and {rasters[1].name} are not on the same grid")
        valid = (first.read_masks(1) != 0) & (second.read_masks(1) != 0)
        values = normalized_difference(first.read(1), second.read(1), valid)
        profile = {
            "driver": "GTiff",
            "width": first.width,
            "height": first.height,
            "count": 1,
            "dtype": "float32",
            "nodata": np.nan,
            "crs": first.crs,
            "transform": first.transform,
            "compress": "deflate",
        }
    with rasterio.open(target, "w", **profile) as written:
        written.write(values, 1)
    return target


def same_grid(first: Any, second: Any) -> bool:
    """Whether the pixels of two rasters lie on each other."""
    same: bool = (
        first.shape == second.shape
        and first.crs == second.crs
        and first.transform.almost_equals(second.transform, precision=1e-6)
    )
    return same


def normalized_difference(
    first: NDArray[Any], second: NDArray[Any], valid: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Give (first - second) / (first + second), NaN where there is no value."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    total = a + b
    quotient = np.full(total.shape, np.nan, np.float32)
    np.divide(a - b, total, out=quotient, where=valid & (total != 0))
    return quotient


if __name__ == "__main__":
    main()
