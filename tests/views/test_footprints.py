"""The map of footprints."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.views.footprints import WIDTH, footprints


def polygon(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"id": "a", "geometry": {"type": "Polygon", "coordinates": [ring]}}


def numbers(path: str) -> list[float]:
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", path)]


def test_a_box_lies_in_the_middle() -> None:
    found = footprints([polygon(10, 50, 12, 51)])
    assert found is not None
    (outline,) = found.outlines
    xs, ys = numbers(outline.path)[::2], numbers(outline.path)[1::2]
    assert min(xs) == pytest.approx(WIDTH - max(xs), abs=0.2)
    assert min(ys) == pytest.approx(found.height - max(ys), abs=0.2)
    assert (outline.x, outline.y) == pytest.approx((WIDTH / 2, found.height / 2), abs=0.2)


def test_north_is_up_and_east_is_right() -> None:
    found = footprints([polygon(0, 0, 1, 1), polygon(2, 2, 3, 3)])
    assert found is not None
    south_west, north_east = found.outlines
    assert south_west.x < north_east.x
    assert south_west.y > north_east.y


def test_lines_have_round_degrees() -> None:
    found = footprints([polygon(-34.9, -8.03, -34.8, -7.96)])
    assert found is not None
    assert [label for _, label in found.parallels] == [
        "8.02° S",
        "8.00° S",
        "7.98° S",
        "7.96° S",
    ]
    assert "34.85° W" in [label for _, label in found.meridians]
    world = footprints([polygon(-180, -80, 180, 80)])
    assert world is not None
    assert {"0°", "100° E", "100° W"} <= {label for _, label in world.meridians}


@pytest.mark.parametrize(
    ("geometry", "lines"),
    [
        ({"type": "Point", "coordinates": [1, 2, 300]}, 1),
        ({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}, 2),
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, 1),
        ({"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]] * 2}, 2),
        (
            {
                "type": "GeometryCollection",
                "geometries": [{"type": "Point", "coordinates": [1, 2]}, None],
            },
            1,
        ),
    ],
)
def test_every_geometry_has_an_outline(geometry: dict[str, Any], lines: int) -> None:
    found = footprints([{"id": "a", "geometry": geometry}])
    assert found is not None
    assert found.outlines[0].path.count("M") == lines


def test_features_that_are_nowhere_have_no_outline() -> None:
    assert footprints([]) is None
    assert footprints([{"id": "a"}, {"geometry": {"type": "Point", "coordinates": []}}]) is None
    assert footprints([{"geometry": {"type": "GeometryCollection", "geometries": 5}}]) is None
    found = footprints([{"id": "none", "geometry": None}, polygon(0, 0, 1, 1)])
    assert found is not None
    assert [one.number for one in found.outlines] == [1]


nested = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4),
)
degrees = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(nested)
def test_odd_coordinates_do_no_harm(coordinates: Any) -> None:
    found = footprints([{"id": "a", "geometry": {"type": "Polygon", "coordinates": coordinates}}])
    drawn = [] if found is None else [one.path for one in found.outlines]
    assert not any(text in path for path in drawn for text in ("nan", "inf"))


@given(st.lists(degrees, min_size=1))
def test_everything_is_on_the_map(places: list[tuple[float, float]]) -> None:
    line = {"type": "LineString", "coordinates": [list(place) for place in places]}
    found = footprints([{"id": "a", "geometry": line}])
    assert found is not None
    assert 0 <= found.outlines[0].x <= WIDTH
    assert 0 <= found.outlines[0].y <= found.height
    assert all(0 <= x <= WIDTH for x, _ in found.meridians)
    assert all(0 <= y <= found.height for y, _ in found.parallels)
