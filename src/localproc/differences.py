"""What differs between two results: rasters within a tolerance, STAC items field by field.

Owns what counts as the same. Must not know jobs. Comparing rasters needs rasterio.
"""

import math
import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

#: What is of the place or the time of a run, not of its results.
_PASSING: Final = frozenset({"created", "updated", "datetime_processed"})


def raster_differences(actual: str, expected: str, tolerance: float = 0) -> Iterator[str]:
    """Yield what differs between two rasters: grid, kind, and values by more than ``tolerance``.

    Pixels without data have to be without data in both. ``actual`` and ``expected`` are paths.
    """
    import numpy as np
    import rasterio

    for path in (actual, expected):
        if not os.path.exists(path) and "://" not in path and not path.startswith("/vsi"):
            yield f"{path} is not there"
            return
    with rasterio.open(actual) as ours, rasterio.open(expected) as theirs:
        for name in ("count", "width", "height", "crs", "dtypes", "nodata"):
            one, other = getattr(ours, name), getattr(theirs, name)
            if one != other and not _both_nan(one, other):
                yield f"{name} is {one}, not {other}"
        if not ours.transform.almost_equals(theirs.transform):
            yield f"transform is {tuple(ours.transform)[:6]}, not {tuple(theirs.transform)[:6]}"
        if (ours.count, ours.shape) != (theirs.count, theirs.shape):
            return
        for band in range(1, ours.count + 1):
            one, other = ours.read(band, masked=True), theirs.read(band, masked=True)
            ours_mask, its_mask = np.ma.getmaskarray(one), np.ma.getmaskarray(other)
            if (ours_mask != its_mask).any():
                count = int((ours_mask != its_mask).sum())
                yield f"band {band}: {count} pixels have data in one only"
            away = np.abs(one.astype("float64") - other.astype("float64")).filled(0)
            if (away > tolerance).any():
                row, column = np.unravel_index(int(away.argmax()), away.shape)
                yield (
                    f"band {band}: {int((away > tolerance).sum())} of {away.size} pixels differ by "
                    f"more than {tolerance:g}, most at row {row}, column {column}: "
                    f"{one[row, column]} instead of {other[row, column]}"
                )


def item_differences(
    actual: Any, expected: Any, *, tolerance: float = 1e-9, ignore: Iterable[str] = ()
) -> list[str]:
    """Return what differs between two sets of STAC items, field by field; their order is no matter.

    Each is a ``StacResults``, a FeatureCollection, or items as pystac has them or as mappings.
    Numbers may differ by ``tolerance``. Links, times of processing and the folders of assets do not
    count, nor do members called as one of ``ignore``.
    """
    passing = _PASSING | set(ignore)
    ours = {str(one["id"]): _plain(one, passing) for one in _items(actual)}
    theirs = {str(one["id"]): _plain(one, passing) for one in _items(expected)}
    wrong = [f"there is no item {name!r}" for name in theirs if name not in ours]
    wrong += [f"there is an item {name!r} too many" for name in ours if name not in theirs]
    for name in filter(ours.__contains__, theirs):
        wrong += value_differences(ours[name], theirs[name], name, tolerance)
    return wrong


def _items(given: Any) -> list[Mapping[str, Any]]:
    document = getattr(given, "document", given)
    if isinstance(document, Mapping):
        document = document.get("features", [document])
    return [one if isinstance(one, Mapping) else one.to_dict() for one in document]


def _plain(item: Mapping[str, Any], passing: frozenset[str] | set[str]) -> dict[str, Any]:
    """Return what counts of an item."""

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: kept(one) for name, one in value.items() if name not in passing}
        if isinstance(value, (list, tuple)):
            return [kept(one) for one in value]
        return value

    assets = {
        name: {**kept(asset), "href": posixpath.basename(str(asset.get("href", "")))}
        for name, asset in item.get("assets", {}).items()
    }
    rest = {
        name: one for name, one in item.items() if name not in ("links", "assets", "collection")
    }
    return {**kept(rest), "assets": assets}


def value_differences(one: Any, other: Any, path: str, tolerance: float = 1e-9) -> Iterator[str]:
    """Yield what differs between two values as JSON has them; ``path`` is what they are called."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other}):
            if name not in one or name not in other:
                said = "is missing" if name not in one else "is too many"
                yield f"{path}.{name} {said}"
            else:
                yield from value_differences(one[name], other[name], f"{path}.{name}", tolerance)
    elif isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str):
        if len(one) != len(other):
            yield f"{path} has {len(one)} values, not {len(other)}"
            return
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from value_differences(*pair, f"{path}[{number}]", tolerance)
    elif _is_number(one) and _is_number(other):
        if not (math.isclose(one, other, rel_tol=0, abs_tol=tolerance) or _both_nan(one, other)):
            yield f"{path} is {one!r}, not {other!r}"
    elif one != other:
        yield f"{path} is {one!r}, not {other!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _both_nan(one: Any, other: Any) -> bool:
    return all(isinstance(value, float) and math.isnan(value) for value in (one, other))
