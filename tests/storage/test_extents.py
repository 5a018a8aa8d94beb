"""Where and when several items are."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.storage.extents import Box, box_of, covering, instant, interval_of, spanning


@pytest.mark.parametrize(
    ("boxes", "whole"),
    [
        ([], (-180, -90, 180, 90)),
        ([(1, 2, 3, 4)], (1, 2, 3, 4)),
        ([(1, 2, 3, 4), (-5, 0, -4, 1)], (-5, 0, 3, 4)),
        ([(-170, 0, -160, 1), (160, 0, 170, 1)], (-170, 0, 170, 1)),
        ([(170, 0, -170, 1)], (170, 0, -170, 1)),
        ([(170, 0, -170, 1), (-175, -5, -160, 0)], (170, -5, -160, 1)),
        ([(170, 0, -170, 1), (150, 0, 160, 1)], (150, 0, -170, 1)),
        ([(170, 0, -170, 1), (-10, 0, 10, 1)], (-10, 0, -170, 1)),
        ([(170, 0, -170, 1), (10, 0, -10, 1)], (10, 0, -10, 1)),
        ([(100, 0, -100, 1), (-110, 0, 110, 1)], (-180, 0, 180, 1)),
        ([(170, 0, -170, 1), (-180, 0, 180, 1)], (-180, 0, 180, 1)),
    ],
)
def test_a_box_around_boxes(boxes: list[Box], whole: Box) -> None:
    if boxes == [(170, 0, -170, 1), (-10, 0, 10, 1)]:  # both ways around are as long
        assert covering(boxes) in (whole, (170, 0, 10, 1))
    else:
        assert covering(boxes) == whole


longitudes = st.integers(-180, 180)
boxes = st.tuples(longitudes, st.integers(-90, 0), longitudes, st.integers(0, 90))


def spans(box: Any) -> set[int]:
    """Give the degrees of longitude that a box has, in turns of 360."""
    west, east = int(box[0]), int(box[2])
    return {degree % 360 for degree in range(west, (east if west <= east else east + 360) + 1)}


@given(st.lists(boxes, min_size=1, max_size=5))
def test_every_box_lies_in_the_box_around_them(found: list[Box]) -> None:
    whole = covering(found)
    assert all(-180 <= degree <= 180 for degree in (whole[0], whole[2]))
    inside = spans(whole)
    for one in found:
        assert spans(one) <= inside
        assert (whole[1], whole[3]) == (
            min(box[1] for box in found),
            max(box[3] for box in found),
        )


def test_heights_do_not_count() -> None:
    assert box_of({"bbox": [1, 2, 100, 3, 4, 200]}, "") == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("times", "interval"),
    [
        ([], (None, None)),
        (["2026-01-01T00:00:00Z"], ("2026-01-01T00:00:00Z",) * 2),
        (
            ["2026-01-01T00:00:00+02:00", "2025-12-31T23:00:00Z"],
            ("2026-01-01T00:00:00+02:00", "2025-12-31T23:00:00Z"),
        ),
        (
            ["2026-01-01T00:00:00.9Z", "2026-01-01T00:00:00.10Z", "2026-01-01T00:00:00Z"],
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.9Z"),
        ),
        (
            ["2026-01-01t00:00:00.123456789z", "2026-01-01T00:00:00.1234567891Z"],
            ("2026-01-01t00:00:00.123456789z", "2026-01-01T00:00:00.1234567891Z"),
        ),
    ],
)
def test_intervals_are_compared_as_times(times: list[str], interval: Any) -> None:
    assert spanning([(one, one) for one in times]) == interval


def test_an_item_that_ends_before_it_starts_is_all_the_time_between() -> None:
    start, end = "2026-01-02T00:00:00Z", "2026-01-02T00:00:00+01:00"
    said = {"properties": {"start_datetime": start, "end_datetime": end}}
    assert interval_of(said, "") == (end, start)


def test_open_ends_are_left_out_of_account() -> None:
    one, two = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    assert spanning([(one, None), (None, two)]) == (one, two)


def in_range(at: datetime) -> bool:
    """Whether a time is one in every time zone."""
    return 1 < at.year < 9999


@given(
    st.lists(st.datetimes(timezones=st.just(UTC)).filter(in_range), min_size=2, max_size=2),
    st.integers(-14 * 60, 14 * 60),
)
def test_times_are_ordered_whatever_their_offset(times: list[datetime], minutes: int) -> None:
    first, second = times
    other = second.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    assert (instant(first.isoformat()) < instant(other)) == (first < second)
