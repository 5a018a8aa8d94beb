"""Results that are as they were: rasters within a tolerance, STAC items field by field.

Owns how tests say so. Must not know jobs. Comparing rasters needs rasterio.
"""

import os
from collections.abc import Iterable
from typing import Any, Final

from localproc.differences import item_differences, raster_differences

_MOST: Final = 10


def assert_same_raster(
    actual: str | os.PathLike[str], expected: str | os.PathLike[str], tolerance: float = 0
) -> None:
    """Fail unless two rasters have the same grid, kind and values, within ``tolerance``.

    Pixels without data have to be without data in both. Fails with what differs and by how much.
    """
    __tracebackhide__ = True
    wrong = list(raster_differences(os.fspath(actual), os.fspath(expected), tolerance))
    if wrong:
        raise AssertionError("\n  ".join([f"{actual} is not as {expected}:", *wrong[:_MOST]]))


def assert_same_items(
    actual: Any, expected: Any, *, tolerance: float = 1e-9, ignore: Iterable[str] = ()
) -> None:
    """Fail unless two sets of STAC items are the same, field by field; their order is no matter.

    Each is a ``StacResults``, a FeatureCollection, or items as pystac has them or as mappings.
    Numbers may differ by ``tolerance``. Links, times of processing and the folders of assets do not
    count, nor do members called as one of ``ignore``.
    """
    __tracebackhide__ = True
    wrong = item_differences(actual, expected, tolerance=tolerance, ignore=ignore)
    if wrong:
        raise AssertionError("\n  ".join(["the items are not the same:", *wrong[:_MOST]]))
