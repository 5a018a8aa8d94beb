"""Times that cron expressions name, and days on which nothing is set off."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc import InvalidInputs
from localproc.engine.triggers.cron import read_cron
from localproc.engine.triggers.days_off import expanded, read_days_off
from localproc.engine.triggers.schedule import Schedule

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)  # a Saturday


def times(text: str, count: int = 3, zone: str = "UTC", after: datetime = NOW) -> list[str]:
    found = islice(read_cron(text, zone).after(after), count)
    return [one.strftime("%a %Y-%m-%d %H:%M:%S") for one in found]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("30 16 * * MON-FRI", ["Mon 2026-11-30 16:30:00", "Tue 2026-12-01 16:30:00"]),
        ("0 30 16 ? * MON-FRI", ["Mon 2026-11-30 16:30:00", "Tue 2026-12-01 16:30:00"]),
        ("*/20 * * * * ?", ["Sat 2026-11-28 09:00:20", "Sat 2026-11-28 09:00:40"]),
        ("@daily", ["Sun 2026-11-29 00:00:00", "Mon 2026-11-30 00:00:00"]),
        ("0 0 1 * 0", ["Sun 2026-11-29 00:00:00", "Tue 2026-12-01 00:00:00"]),
        # Quartz counts days of the week from Sunday as 1.
        ("0 0 9 ? * 2-6", ["Mon 2026-11-30 09:00:00", "Tue 2026-12-01 09:00:00"]),
        ("0 0 9 ? * FRI-MON", ["Sun 2026-11-29 09:00:00", "Mon 2026-11-30 09:00:00"]),
        ("0 0 9 ? * 1/3", ["Sun 2026-11-29 09:00:00", "Wed 2026-12-02 09:00:00"]),
        ("0 0 1/8 * * ?", ["Sat 2026-11-28 17:00:00", "Sun 2026-11-29 01:00:00"]),
        # The last day, the last Friday, the second Friday.
        ("0 0 12 L * ?", ["Mon 2026-11-30 12:00:00", "Thu 2026-12-31 12:00:00"]),
        ("0 0 12 L-3 * ?", ["Mon 2026-12-28 12:00:00", "Thu 2027-01-28 12:00:00"]),
        ("0 0 12 ? * 6L", ["Fri 2026-12-25 12:00:00", "Fri 2027-01-29 12:00:00"]),
        ("0 0 12 ? * FRIL", ["Fri 2026-12-25 12:00:00", "Fri 2027-01-29 12:00:00"]),
        ("0 0 12 ? * L", ["Sat 2026-11-28 12:00:00", "Sat 2026-12-05 12:00:00"]),
        ("0 0 12 ? * 6#2", ["Fri 2026-12-11 12:00:00", "Fri 2027-01-08 12:00:00"]),
        # The weekday that is nearest to a day, or to the last one, in the same month.
        ("0 0 12 15W * ?", ["Tue 2026-12-15 12:00:00", "Fri 2027-01-15 12:00:00"]),
        ("0 0 12 1W 5,8 ?", ["Mon 2027-05-03 12:00:00", "Mon 2027-08-02 12:00:00"]),
        ("0 0 12 31W 1 ?", ["Fri 2027-01-29 12:00:00", "Mon 2028-01-31 12:00:00"]),
        ("0 0 12 LW * ?", ["Mon 2026-11-30 12:00:00", "Thu 2026-12-31 12:00:00"]),
        ("0 0 0 1 1 ? 2030", ["Tue 2030-01-01 00:00:00"]),
        ("0 0 0 1 1 ? 2030-2040/5", ["Tue 2030-01-01 00:00:00", "Mon 2035-01-01 00:00:00"]),
        ("0 0 0 1 1 ? 2020", []),
    ],
)
def test_the_next_times(text: str, due: list[str]) -> None:
    assert times(text, 2) == due


@pytest.mark.parametrize(
    "text", ["", "a b c d e", "1 2 3", "60 * * * *", "0 0 0 ? * 8", "0 0 0 L-40 * ?", "0 0 40W * *"]
)
def test_what_is_no_expression_is_told(text: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        read_cron(text)
    assert refused.value.problems[0].where == "cron"


def test_a_time_zone_that_there_is_not_is_told() -> None:
    with pytest.raises(InvalidInputs, match="time zone 'Mars/Olympus'"):
        read_cron("* * * * *", "Mars/Olympus")


def test_an_hour_that_comes_twice_or_not_at_all() -> None:
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert times("30 2 * * *", 2, "Europe/Berlin", spring) == [
        "Sun 2027-03-28 03:00:00",
        "Mon 2027-03-29 02:30:00",
    ]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert times("30 2 * * *", 2, "Europe/Berlin", autumn) == [
        "Sun 2026-10-25 02:30:00",
        "Mon 2026-10-26 02:30:00",
    ]


@settings(deadline=None)
@given(
    st.sampled_from(["*/7 * * * *", "0 0 12 15W * ?", "0 0 0 L * ?", "0 30 2 ? * 2#1"]),
    st.integers(0, 20 * 366 * 86_400),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"]),
)
def test_times_rise_and_none_is_left_out(text: str, seconds: int, zone: str) -> None:
    cron = read_cron(text, zone)
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = [one.astimezone(UTC) for one in islice(cron.after(start), 6)]
    assert found == sorted(set(found))
    assert found[0] > start
    for number, due in enumerate(found[:-1]):  # whoever goes on from one finds those after it
        assert [one.astimezone(UTC) for one in islice(cron.after(due), 1)] == [found[number + 1]]


def test_days_off(tmp_path: Path) -> None:
    days = read_days_off(["2026-12-24", "12-25", "sun"])
    assert date(2026, 12, 24) in days
    assert date(2027, 12, 24) not in days
    assert date(2031, 12, 25) in days
    assert date(2026, 11, 29) in days
    lines = tmp_path / "days.txt"
    lines.write_text("# holidays\n2026-12-24  # Christmas Eve\n\nSUN\n")
    calendar = tmp_path / "days.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\n"
        "END:VEVENT\nBEGIN:VEVENT\nDTSTART:20270101T000000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    assert expanded(["12-25", str(lines)]) == ["12-25", "2026-12-24", "SUN"]
    assert expanded([str(calendar)]) == ["2026-12-24", "2026-12-25", "2026-12-26", "2027-01-01"]
    with pytest.raises(InvalidInputs, match="is no day"):
        read_days_off(["tomorrow"])
    with pytest.raises(InvalidInputs, match="cannot read"):
        expanded([str(tmp_path / "none.ics")])


def test_days_off_are_passed_over() -> None:
    schedule = Schedule("s", "p", "0 9 * * *", days_off=["SAT", "SUN", "2026-11-30"])
    assert [one.day for one in schedule.next_runs(NOW, 3)] == [1, 2, 3]
    seconds = Schedule("s", "p", "* * * * * ?", days_off=["SAT", "SUN"])
    monday = seconds.next(datetime(2026, 11, 28, 12, tzinfo=UTC))
    assert monday == datetime(2026, 11, 30, tzinfo=UTC)
    assert seconds.next(monday) == monday + timedelta(seconds=1)
    for cron, off in (("0 9 * * SUN", "SUN"), ("* * 25 12 *", "12-25"), ("0 0 29 2 *", "02-29")):
        never = Schedule("s", "p", cron, days_off=[off])
        assert never.next(NOW) is None


def test_the_reason_is_the_schedule_and_the_time_that_was_due() -> None:
    schedule = Schedule("ECB_FX", "p", "0 30 16 ? * *", timezone="Europe/London")
    due = datetime(2021, 7, 1, 15, 30, tzinfo=UTC)
    assert schedule.reason(due) == "crontab(ECB_FX,Thu Jul 01 2021 16:30:00 GMT+0100 (BST))"


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"missed": "never"}, "missed"),
        ({"overlap": "maybe"}, "overlap"),
        ({"retries": 1.5}, "retries"),
        ({"delay": -1}, "delay"),
        ({"tolerance": float("inf")}, "tolerance"),
        ({"days_off": "SUN"}, "days_off"),
        ({"inputs": []}, "inputs"),
        ({"colour": "red"}, "colour"),
        ({"cron": 5}, "cron"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_told(members: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        Schedule.from_data({"name": "s", "process": "p", "cron": "* * * * *", **members})
    assert where in [one.where for one in refused.value.problems]
