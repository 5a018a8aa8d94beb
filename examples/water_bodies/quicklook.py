"""Make a picture of a water mask: water is blue, all else white."""

import math
import sys
import warnings
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

WATER = (31, 98, 196)
WHITE = (255, 255, 255)
LONGEST = 1024  # pixels; larger masks are thinned out


def main() -> None:
    """Run as a program."""
    if len(sys.argv) != 3:
        sys.exit("usage: python quicklook.py MASK PNG")
    try:
        quicklook(Path(sys.argv[1]), Path(sys.argv[2]))
    except (OSError, RasterioError) as error:
        sys.exit(f"quicklook: {error}")


def quicklook(mask: Path, png: Path) -> None:
    """Write the picture of a mask."""
    with rasterio.open(mask) as source:
        step = max(1, math.ceil(max(source.shape) / LONGEST))
        shape = tuple(math.ceil(length / step) for length in source.shape)
        water = source.read(1, out_shape=shape) == 1
    colours = np.where(water, np.reshape(WATER, (3, 1, 1)), np.reshape(WHITE, (3, 1, 1)))
    height, width = shape
    profile = {"driver": "PNG", "width": width, "height": height, "count": 3, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a picture has no place
        with rasterio.open(png, "w", **profile) as picture:
            picture.write(colours.astype(np.uint8))


if __name__ == "__main__":
    main()
