"""The app on a socket: clients that take their time, and the end of the server."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from localproc import Engine
from localproc.http import create_app
from localproc.http.socket_server import OPTIONS, GracefulServer, PunctualProtocol
from tests.http.service import start, until
from tests.patience import patient

HEAD = b"GET /default/ogc-api HTTP/1.1\r\nHost: localhost\r\n"


class Hasty(PunctualProtocol):
    head_seconds = 0.3
    silence_seconds = patient(0.1)


@contextmanager
def serving(engine: Engine, protocol: type[asyncio.Protocol] = PunctualProtocol) -> Iterator[str]:
    """Serve an engine as ``localproc serve`` does; leaving it stops the server."""
    app = create_app(engine)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        options = {**OPTIONS, "http": protocol, "log_config": None}
        config = uvicorn.Config(app, timeout_graceful_shutdown=int(patient(30)), **options)
        server = GracefulServer(config, app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def rest_of(client: socket.socket) -> bytes:
    """Read until the server hangs up."""
    client.settimeout(patient(60))
    return b"".join(iter(lambda: client.recv(1 << 16), b""))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        HEAD,
        HEAD + b"\r\n" + HEAD,  # the second of one connection
        HEAD.replace(b"GET", b"POST") + b"Content-Length: 10\r\n\r\nhalf",
    ],
    ids=["nothing", "half a head", "half a second head", "half a body"],
)
def test_who_does_not_end_a_request_is_cut_off(engine: Engine, sent: bytes) -> None:
    with serving(engine, Hasty) as address:
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            answer = rest_of(client)
        assert answer.count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\nGET")
        assert httpx.get(f"{address}/default/ogc-api", timeout=patient(20)).status_code == 200


def test_an_answer_may_take_longer_than_a_request(engine: Engine) -> None:
    with serving(engine, Hasty) as address:
        place = f"{address}/default/ogc-api/processes/echo/execution"
        inputs = {"string": "slow", "pause": 2}
        asked = {"inputs": inputs, "outputs": {"string": {}}}
        assert httpx.post(place, json=asked, timeout=patient(60)).text == "slow"


def test_what_proxies_say_of_clients_is_not_believed(engine: Engine) -> None:
    with serving(engine) as address:
        told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere.example"}
        landing = httpx.get(f"{address}/default/ogc-api", headers=told, timeout=patient(20)).json()
        assert landing["links"][0]["href"] == f"{address}/default/ogc-api"


def test_streams_end_in_order_with_the_server(
    engine: Engine, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    job = start(client, {"pause": 600}).rpartition("/")[2]
    until(lambda: any(step.start for step in engine.job(job).steps))
    log = engine.job(job).steps[-1].log
    ends: dict[str, bytes] = {}

    def listen(place: str) -> None:
        with httpx.stream("GET", place, timeout=patient(60)) as answer:
            begun.release()
            ends[place] = answer.read()  # which raises if the end is not in order

    begun = threading.Semaphore(0)
    with caplog.at_level(logging.WARNING), serving(engine) as address:
        base = f"{address}/default/ogc-api/jobs/{job}"
        places = [f"{base}/events", f"{base}/{log}?follow=true"]
        listeners = [threading.Thread(target=listen, args=(place,)) for place in places]
        for listener in listeners:
            listener.start()
        for _ in listeners:
            assert begun.acquire(timeout=patient(30))
    for listener in listeners:
        listener.join()
    assert set(ends) == set(places)
    assert caplog.records == []
    engine.job(job).dismiss()


#: Takes no notice of being asked to stop.
STUBBORN = """
cwlVersion: v1.2
class: CommandLineTool
id: stubborn
baseCommand: [sh, -c, 'trap "" TERM; echo up >&2; while [ ! -e "$0" ]; do sleep 0.1; done']
inputs: {gate: {type: string, inputBinding: {}}}
outputs: {}
"""


def test_who_waits_for_a_dismissal_does_not_hold_the_end(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate = tmp_path_factory.mktemp("gate") / "open"
    job = engine.deploy(STUBBORN).execute({"gate": str(gate)})
    until(lambda: job.steps and "up" in job.logs().text)
    states: list[int] = []

    def dismiss(place: str) -> None:
        states.append(httpx.delete(place, timeout=patient(60)).status_code)

    with serving(engine) as address:
        place = f"{address}/default/ogc-api/jobs/{job.id}"
        waiting = threading.Thread(target=dismiss, args=(place,))
        waiting.start()
        until(lambda: "dismiss" in job.message or job.status.final)
    waiting.join()
    assert states in ([200], [202])  # 200 if it was killed in the meantime
    gate.touch()
    job.dismiss()


def test_a_request_that_gets_no_thread_is_told_to_come_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = threading.Thread.start, list[str]()

    def starts(thread: threading.Thread) -> None:
        if thread.name.startswith("localproc-sync") and not refused:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    with serving(engine) as url:
        monkeypatch.setattr(threading.Thread, "start", starts)
        place = f"{url}/default/ogc-api/processes/echo/execution"
        before = len(engine.jobs())
        body = {"inputs": {"string": "hi"}, "outputs": {"string": {}}}
        first = httpx.post(place, json=body, timeout=patient(20))
        assert (first.status_code, first.headers["Retry-After"]) == (503, "1")
        assert first.json()["title"] == "NoThread"
        assert httpx.post(place, json=body, timeout=patient(20)).status_code == 200
        assert len(engine.jobs()) == before + 1, "what was refused is not done later"
