"""Schedules over HTTP."""

from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.http.page import Page

DAILY: dict[str, Any] = {
    "name": "daily",
    "process": "echo",
    "cron": "0 30 16 ? * MON-FRI",
    "inputs": {"string": "a"},
}


@pytest.fixture
def daily(client: httpx.Client) -> str:
    """Give the address of a schedule."""
    client.delete("schedules/daily")
    answer = client.post("schedules", json=DAILY)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def test_a_schedule_is_added_changed_and_removed(client: httpx.Client, daily: str) -> None:
    shown = client.get(daily).json()
    assert shown["cron"] == DAILY["cron"]
    assert len(shown["next"]) == 5
    assert shown["history"] == []
    assert "options" not in shown
    assert [one["name"] for one in client.get("schedules").json()["schedules"]] == ["daily"]
    changed = client.put(daily, json={"enabled": False}).json()
    assert changed["cron"] == DAILY["cron"]
    assert changed["next"] == []
    assert "<h1>Schedule daily</h1>" in client.get(f"{daily}?f=html").text
    assert client.delete(daily).status_code == 204
    assert client.get(daily).status_code == 404
    assert client.delete(daily).status_code == 404


def test_schedules_are_a_table_for_people(client: httpx.Client, daily: str) -> None:
    following = client.get(daily).json()["next"][0]
    page = Page(client.get("schedules?f=html"))
    assert [one["datetime"] for one in page.all("time")] == [following]
    assert daily in page.links()
    client.put(daily, json={"enabled": False})
    assert "switched off" in client.get("schedules?f=html").text
    client.delete(daily)
    assert "There is none yet" in client.get("schedules?f=html").text


def test_a_name_that_is_taken(client: httpx.Client, daily: str) -> None:
    answer = client.post("schedules", json=DAILY)
    assert answer.status_code == 400
    assert "already" in answer.text


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"cron": "every day"}, "cron"),
        ({"inputs": {"double": "x"}}, "inputs.double"),
        ({"inputs": {"string": {"href": "file:///etc/passwd"}}}, "inputs.string"),
        ({"days_off": ["/etc/passwd"]}, "days_off"),
        ({"days_off": None}, "days_off"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"name": "a/b"}, ""),
        ({"options": {"policy": {}}}, "options"),
        ({"run_as": "root"}, "run_as"),
    ],
)
def test_what_a_client_may_not_say(
    client: httpx.Client, engine: Engine, members: dict[str, Any], where: str
) -> None:
    answer = client.post("schedules", json={**DAILY, "name": "wrong", **members})
    assert answer.status_code == 400, answer.text
    problems = answer.json().get("problems", [])
    assert not where or where in [one.get("where") for one in problems], problems
    assert "wrong" not in [one.name for one in engine.schedules.all()]
