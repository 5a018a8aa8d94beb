"""The parameters of queries."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from localproc.errors import InvalidInputs
from localproc.views.parameters import bounds, interval

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SUMMER = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        (None, (None, None)),
        ("", (None, None)),
        ("2026-01-01T00:00:00Z", (NEW_YEAR, NEW_YEAR)),
        ("2026-01-01T00:00:00.000Z/2026-06-01T12:30:00Z", (NEW_YEAR, SUMMER)),
        ("2026-01-01T00:00:00Z/..", (NEW_YEAR, None)),
        ("2026-01-01T00:00:00Z/", (NEW_YEAR, None)),
        ("../2026-06-01T12:30:00Z", (None, SUMMER)),
        ("/2026-06-01T12:30:00Z", (None, SUMMER)),
        ("../..", (None, None)),
        ("2026-01-01/2026-06-01T12:30", (NEW_YEAR, SUMMER)),
        ("2026-01-01T00:00:00Z/2026-01-01T00:00:00Z", (NEW_YEAR, NEW_YEAR)),
    ],
)
def test_an_instant_or_an_interval_with_open_ends(
    text: str | None, bounds: tuple[datetime | None, datetime | None]
) -> None:
    assert interval(text) == bounds


def test_offsets_are_kept() -> None:
    since, _ = interval("2026-01-01T00:00:00-03:00/..")
    assert since == datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-3)))


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13-01",
        "..",
        "a/b",
        "2026-01-01/x",
        "2026-01-01/2026-02-01/..",
        "0001-01-01T00:00:00+14:00/..",  # in UTC it is before all years
        "../9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(InvalidInputs, match="is not a time") as error:
        interval(text)
    assert error.value.hint == "write it as 2026-05-31T12:00:00Z"
    assert error.value.problems[0].where == "datetime"


def test_a_date_is_a_whole_day() -> None:
    last = datetime(2026, 1, 1, 23, 59, 59, 999999, UTC)
    assert interval("2026-01-01") == (NEW_YEAR, last)
    assert interval("2026-01-01/2026-01-01") == (NEW_YEAR, last)
    assert bounds("2026-01-01", "2026-01-01") == (NEW_YEAR, last)


def test_the_ends_of_an_interval_may_come_one_by_one() -> None:
    assert bounds(None, None) == (None, None)
    assert bounds("..", "2026-01-01T00:00:00Z") == (None, NEW_YEAR)
    with pytest.raises(InvalidInputs, match=r"--until: 'soon' is not a time"):
        bounds("2026-01-01", "soon", ("--since", "--until"))
    with pytest.raises(InvalidInputs, match="ends before it begins"):
        bounds("2026-01-02", "2026-01-01")


def test_an_interval_that_ends_before_it_begins_is_told() -> None:
    with pytest.raises(InvalidInputs, match="ends before it begins"):
        interval("2026-06-01T00:00:00Z/2026-01-01T00:00:00Z")
