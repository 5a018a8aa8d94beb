"""Tell water from land in a normalized difference by Otsu's threshold.

Writes ``otsu.tif``, a cloud-optimized GeoTIFF that is 1 where there is water and 0 elsewhere. The
threshold goes with it as the tag ``OTSU_THRESHOLD``.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

BINS = 256


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raster", type=Path, help="the normalized difference")
    given = parser.parse_args()
    try:
        otsu(given.raster, Path())
    except (OSError, ValueError, RasterioError) as error:
        sys.exit(f"otsu: {error}")


def otsu(raster: Path, folder: Path) -> Path:
    """Write the water mask of a normalized difference; give the file's path."""
    with rasterio.open(raster) as source:
        values = source.read(1)
        valid = np.isfinite(values) & (source.read_masks(1) != 0)
        crs, transform = source.crs, source.transform
    if not valid.any():
        raise ValueError(f"{raster.name} has no valid pixel, so there is nothing to tell apart")
    threshold = otsu_threshold(values[valid])
    mask = valid & (values > threshold)
    target = write_mask(mask, threshold, crs, transform, folder)
    pixels = np.count_nonzero(mask)
    print(
        f"threshold {threshold:.4f}, {pixels} of {mask.size} pixels are water "
        f"({pixels / mask.size:.1%})",
        file=sys.stderr,
    )
    return target


def otsu_threshold(values: NDArray[Any]) -> float:
    """Give the centre of the histogram bin that best divides the values into two classes.

    Otsu (1979): the best division has the greatest variance between the classes.
    """
    lowest = values.min()
    if lowest == values.max():
        return float(lowest)
    counts, edges = np.histogram(values, bins=BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts, dtype=np.float64)
    sums = np.cumsum(counts * centres, dtype=np.float64)
    above = below[-1] - below[:-1]
    mean_below = sums[:-1] / below[:-1]
    mean_above = (sums[-1] - sums[:-1]) / above
    variance = below[:-1] * above * (mean_below - mean_above) ** 2
    return float(centres[np.argmax(variance)])


def write_mask(
    mask: NDArray[np.bool_], threshold: float, crs: Any, transform: Any, folder: Path
) -> Path:
    """Write a mask as a cloud-optimized GeoTIFF; give the file's path."""
    target = folder / "otsu.tif"
    profile = {
        "driver": "COG",
        "width": mask.shape[1],
        "height": mask.shape[0],
        "count": 1,
        "dtype": "uint8",
        "nodata": 0,
        "crs": crs,
        "transform": transform,
        "compress": "deflate",
        "blocksize": 256,
        "overview_resampling": "nearest",
    }
    with rasterio.open(target, "w", **profile) as written:
        written.write(mask.astype(np.uint8), 1)
        written.update_tags(OTSU_THRESHOLD=repr(threshold))
    return target


if __name__ == "__main__":
    main()
