"""Clients in process: no socket, and whatever event loop their thread has."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from localproc import Engine


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with Engine(tmp_path / "home") as engine, engine.client() as client:
        yield client


def echo(client: httpx.Client) -> str:
    request = {"inputs": {"string": "hello"}, "outputs": {"string": {}}}
    return client.post("processes/echo/execution", json=request).text


def followed(client: httpx.Client) -> list[str]:
    answer = client.post(
        "processes/echo/execution", json={"inputs": {}}, headers={"Prefer": "respond-async"}
    )
    with client.stream("GET", answer.headers["location"] + "/events") as events:
        return [line for line in events.iter_lines() if line.startswith("event:")]


def test_a_client_needs_no_event_loop(client: httpx.Client) -> None:
    assert echo(client) == "hello"
    assert followed(client)[-1] == "event: status"


def test_a_client_works_where_an_event_loop_runs(client: httpx.Client) -> None:
    """As it does in every cell of a notebook."""

    async def cell() -> tuple[str, list[str]]:
        return echo(client), followed(client)

    said, events = asyncio.run(cell())
    assert said == "hello"
    assert events[-1] == "event: status"


def test_a_body_that_nobody_reads_is_left(client: httpx.Client) -> None:
    answer = client.post(
        "processes/echo/execution",
        json={"inputs": {"pause": 1}},
        headers={"Prefer": "respond-async"},
    )
    with client.stream("GET", answer.headers["location"] + "/events") as events:
        assert next(events.iter_lines()).startswith("id:")
    client.delete(answer.headers["location"])
