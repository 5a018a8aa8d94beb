"""Servers that are away, busy or broken, and processes that are killed while they publish."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import localproc_s3
import pytest
from s3_fixtures import OpenS3, bucket, open_s3, server
from s3_packages import SCENE
from s3_road import Fault, Road, once, road_to
from s3_server import Server, keys, uploads
from tests.children import child
from tests.patience import patient, until

from localproc import Engine
from localproc.engine.engine import namespace_of
from localproc.errors import ObjectExists, StagingError, StorageUnavailable
from localproc.plugins.storage import Put
from localproc.storage.upload_plan import Outbound

__all__ = ["bucket", "open_s3", "server"]

#: A connection that has been used before may be closed: what can be sent twice is, by aiohttp.
TRIES = {"busy": 1, "reset": 2, "lost": 2}
ROOT = Path(__file__).parents[3]
CAT: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "cats",
    "baseCommand": "cat",
    "inputs": {"file": {"type": "File", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}
MANY = 20 << 20  #: bytes of an object that goes in parts
LONG = 600 << 20  #: bytes of one that is still on its way when it is looked for


@pytest.fixture(params=["s3fs", "obstore"])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def road(server: Server) -> Iterator[Road]:
    with road_to(server) as found:
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once what has failed."""
    monkeypatch.setattr("localproc.storage.transfer_retries._FIRST", 0.01)


def is_put(method: str, path: str) -> bool:
    return method == "PUT"


def is_get(method: str, path: str) -> bool:
    return method == "GET"


def test_a_server_that_says_nothing_is_not_waited_for_long(
    open_s3: OpenS3, road: Road, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_s3(endpoint=road.server.endpoint)
    uri = f"s3://{bucket}/a.txt"
    storage.put(Put(b"a", uri))
    road.fault = once("silent", lambda method, path: method == "HEAD")
    with monkeypatch.context() as short:
        short.setattr("localproc_s3.pacing._ANSWERING", 0.2)
        with pytest.raises(StorageUnavailable):
            storage.info(uri)
    assert storage.info(uri) is not None


@pytest.mark.parametrize("fault", ["busy", "reset", "lost"])
def test_what_may_pass_is_told_so(
    road: Road, bucket: str, open_s3: OpenS3, tmp_path: Path, fault: str
) -> None:
    storage = open_s3(**road.server.options)
    uri = f"s3://{bucket}/a.bin"
    road.fault = once(fault, is_put, times=TRIES[fault])
    with pytest.raises(StorageUnavailable, match=r"a\.bin"):
        storage.put(Put(b"some bytes", uri))
    storage.put(Put(b"some bytes", uri))
    road.fault = once(fault, is_get, times=TRIES[fault])
    with pytest.raises(StorageUnavailable, match=r"a\.bin"):
        storage.fetch(uri, str(tmp_path / "back"))


def test_a_body_that_was_damaged_on_its_way_is_not_stored(
    road: Road, server: Server, bucket: str, open_s3: OpenS3, client: str
) -> None:
    storage = open_s3(**road.server.options, client=client)
    road.fault = lambda method, _: "damaged" if method == "PUT" else ""
    with pytest.raises(StagingError):
        storage.put(Put(b"some bytes", f"s3://{bucket}/a.bin"))
    assert keys(server, bucket) == []
    with pytest.raises(StagingError):
        storage.put(Put(os.urandom(MANY), f"s3://{bucket}/many.bin"))
    assert keys(server, bucket) == []
    assert uploads(server, bucket) == []


def test_a_download_goes_on_where_it_broke_off(
    road: Road, server: Server, bucket: str, open_s3: OpenS3, tmp_path: Path
) -> None:
    data = os.urandom(MANY)
    server.client().put_object(Bucket=bucket, Key="many.bin", Body=data)
    storage = open_s3(**road.server.options)
    uri, path = f"s3://{bucket}/many.bin", tmp_path / "back"
    gets = iter(range(99))
    road.fault = lambda method, _: "short" if method == "GET" and next(gets) >= 1 else ""
    with pytest.raises(StorageUnavailable) as error:
        storage.fetch(uri, str(path))
    have = path.stat().st_size
    assert 0 < have < MANY
    road.fault = lambda *_: ""
    told: list[int] = []
    storage.fetch(uri, str(path), resume=error.value.etag, watch=told.append)
    assert path.read_bytes() == data
    assert told[1] >= have
    server.client().put_object(Bucket=bucket, Key="many.bin", Body=b"another")
    path.write_bytes(data[:100])
    storage.fetch(uri, str(path), resume=error.value.etag)
    assert path.read_bytes() == b"another"


def test_an_object_that_changes_while_it_is_read_is_not_mixed(
    road: Road, server: Server, bucket: str, open_s3: OpenS3, tmp_path: Path
) -> None:
    client = server.client()
    client.put_object(Bucket=bucket, Key="many.bin", Body=bytes(MANY))
    changed = iter([True])

    def change(size: int) -> None:
        if size and next(changed, False):
            client.put_object(Bucket=bucket, Key="many.bin", Body=b"\1" * MANY)

    storage = open_s3(**road.server.options)
    path = tmp_path / "back"
    with pytest.raises(StorageUnavailable, match="has changed"):
        storage.fetch(f"s3://{bucket}/many.bin", str(path), watch=change)
    storage.fetch(f"s3://{bucket}/many.bin", str(path))
    assert path.read_bytes() == b"\1" * MANY


def test_an_upload_that_fails_leaves_no_parts(
    road: Road, server: Server, bucket: str, open_s3: OpenS3, client: str
) -> None:
    storage = open_s3(**road.server.options, client=client)
    road.fault = lambda _, path: "reset" if "partNumber=2" in path else ""
    with pytest.raises(StorageUnavailable):
        storage.put(Put(os.urandom(MANY), f"s3://{bucket}/many.bin"))
    assert uploads(server, bucket) == []
    assert keys(server, bucket) == []


@pytest.mark.parametrize("size", [10, MANY])
def test_a_condition_is_kept_to_whatever_the_size(
    bucket: str, open_s3: OpenS3, client: str, size: int, server: Server
) -> None:
    storage = open_s3(client=client)
    storage.put(Put(bytes(size), f"s3://{bucket}/once.bin", if_absent=True))
    with pytest.raises(ObjectExists):
        storage.put(Put(b"\1" * size, f"s3://{bucket}/once.bin", if_absent=True))
    assert uploads(server, bucket) == []


def test_a_large_object_comes_back_as_it_was(
    bucket: str, open_s3: OpenS3, client: str, tmp_path: Path
) -> None:
    storage = open_s3(client=client)
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(MANY + 7))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    put = storage.put(Put(str(source), f"s3://{bucket}/many.bin"))
    info = storage.info(f"s3://{bucket}/many.bin")
    assert info is not None
    assert put.size == info.size == MANY + 7
    assert put.sha256 == digest
    storage.fetch(f"s3://{bucket}/many.bin", str(back))
    assert back.read_bytes() == source.read_bytes()


def test_publishing_waits_for_a_server_that_is_away(
    road: Road, server: Server, bucket: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "plugins": [localproc_s3],
        "results": f"s3://{bucket}",
        "storage_options": {"s3": road.server.options},
    }
    with Engine(tmp_path / "home", **settings) as engine:
        process = engine.deploy(SCENE)
        road.fault = lambda *_: "reset"
        job = process.execute({})
        until(
            lambda: (
                "it is tried again" in job.logs("stage_out").text
                if "stage_out" in {step.name for step in job.steps}
                else ""
            )
        )
        assert job.status == "running"
        road.fault = lambda *_: ""
        assert job.wait().status == "successful"
        assert job.result("catalog").items


@pytest.mark.parametrize("fault", [is_put, is_get])
def test_a_job_that_waits_for_a_silent_server_can_be_dismissed(
    road: Road, server: Server, bucket: str, tmp_path: Path, client: str, fault: Fault
) -> None:
    """Whether it brings its inputs, or publishes what came of them."""
    server.client().put_object(Bucket=bucket, Key="in/a.txt", Body=b"hello")
    settings: dict[str, Any] = {
        "plugins": [localproc_s3],
        "results": f"s3://{bucket}/out",
        "storage_options": {"s3": {**road.server.options, "client": client}},
    }
    asked = threading.Event()

    def silent(method: str, path: str) -> str:
        if not (fault(method, path) and path.endswith((".txt", "=PutObject"))):
            return ""
        asked.set()
        return "silent"

    with Engine(tmp_path / "home", **settings) as engine:
        process = engine.deploy(CAT)
        road.fault = silent
        job = process.execute({"file": {"class": "File", "path": f"s3://{bucket}/in/a.txt"}})
        assert asked.wait(patient(60))
        job.dismiss()
        assert job.wait(patient(30)).status == "dismissed"
        road.fault = lambda *_: ""
    assert keys(server, bucket) == ["in/a.txt"]


def test_an_upload_whose_beginning_was_not_told_is_removed(
    open_s3: OpenS3, road: Road, server: Server, bucket: str, tmp_path: Path
) -> None:
    """The server has begun it, and nobody knows its name."""
    source = tmp_path / "large.bin"
    source.write_bytes(bytes(MANY))
    storage = open_s3(endpoint=road.server.endpoint)
    lost = once("lost", lambda method, path: method == "POST" and "uploads" in path, times=2)
    road.fault = lost
    root = f"s3://{bucket}/job"
    out = Outbound(storage, root, (str(tmp_path),), (), lambda _: None, lambda: False, alone=True)
    out.add(str(source), f"{root}/large.bin")
    out.send()
    assert keys(server, bucket) == ["job/large.bin"]
    assert uploads(server, bucket) == []


def test_that_a_key_has_expired_may_not_be_said(open_s3: OpenS3, road: Road, bucket: str) -> None:
    """An answer to HEAD has no body: keys are asked for again, and so is what was asked, once."""
    storage = open_s3(endpoint=road.server.endpoint)
    road.fault = once("expired", lambda method, path: method == "HEAD")
    assert storage.info(f"s3://{bucket}/nothing") is None
    road.fault = lambda method, path: "expired" if method == "HEAD" else ""
    with pytest.raises(StagingError, match="400"):
        storage.info(f"s3://{bucket}/nothing")


def test_a_list_of_parts_that_was_damaged_on_its_way_is_sent_again(
    open_s3: OpenS3, road: Road, server: Server, bucket: str
) -> None:
    storage, uri = open_s3(endpoint=road.server.endpoint), f"s3://{bucket}/large.bin"
    road.fault = once("damaged", lambda method, path: method == "POST" and "uploadId" in path)
    with pytest.raises(StorageUnavailable):
        storage.put(Put(bytes(MANY), uri))
    storage.put(Put(bytes(MANY), uri))
    assert uploads(server, bucket) == []


@pytest.mark.parametrize(("method", "times"), [("POST", 2), ("DELETE", 2)])
def test_a_look_at_a_place_that_breaks_off_leaves_nothing(
    open_s3: OpenS3, road: Road, server: Server, bucket: str, method: str, times: int
) -> None:
    """The job is accepted all the same, and may be dismissed before it publishes anything."""
    storage = open_s3(endpoint=road.server.endpoint)
    road.fault = once("lost", lambda done, path: done == method and "upload" in path, times=times)
    with pytest.raises(StorageUnavailable):
        storage.check(f"s3://{bucket}/results")
    assert uploads(server, bucket) == []


def test_a_look_at_a_place_that_was_cut_short_leaves_nothing_for_long(
    open_s3: OpenS3, server: Server, bucket: str
) -> None:
    server.client().create_multipart_upload(Bucket=bucket, Key="results/.localproc")
    open_s3().check(f"s3://{bucket}/results")
    assert uploads(server, bucket) == []
    server.client().create_multipart_upload(Bucket=bucket, Key="results/.localproc")
    open_s3().sweep(f"s3://{bucket}/results/job/")
    assert uploads(server, bucket) == []


# Killed


def begun(
    home: Path, server: Server, bucket: str, size: int
) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    """Start a process that runs a job and publishes to the bucket."""
    script = Path(__file__).with_name("killed_while_publishing.py")
    folders = [ROOT, script.parents[1] / "src", script.parent]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    arguments = [home, f"s3://{bucket}", size, json.dumps(server.options)]
    return child([sys.executable, script, *arguments], env=environment)


@pytest.fixture
def killed(tmp_path: Path, server: Server, bucket: str) -> Path:
    """Give a home whose engine was killed in the middle of an upload."""
    with begun(tmp_path / "home", server, bucket, LONG):
        until(lambda: uploads(server, bucket) and keys(server, bucket))
    assert uploads(server, bucket) != []
    assert not any(key.endswith("catalog.json") for key in keys(server, bucket))
    return tmp_path / "home"


def test_what_was_killed_is_completed_and_nothing_is_sent_twice(
    killed: Path, server: Server, bucket: str
) -> None:
    there = keys(server, bucket)
    with road_to(server) as road:
        options = {"s3": road.server.options}
        with Engine(killed, plugins=[localproc_s3], storage_options=options) as engine:
            (job,) = engine.resume()
            assert job.wait().status == "successful", job.problem
            (item,) = job.result("catalog").items
        sent = {path.partition("?")[0] for method, path in road.asked if method == "PUT"}
    assert item.assets["data"].extra_fields["file:size"] == LONG
    assert uploads(server, bucket) == []
    assert any(key.endswith("note ü.txt") for key in there)
    assert not any("note" in path for path in sent)


def test_what_was_killed_and_is_dismissed_leaves_nothing(
    killed: Path, server: Server, bucket: str
) -> None:
    with Engine(killed, adopt=False) as engine:
        (job,) = engine.jobs()
        namespace_of(engine).runtime.store.request_dismiss(job.id)
    options = {"s3": server.options}
    with Engine(killed, plugins=[localproc_s3], storage_options=options) as engine:
        assert engine.job(job.id).wait().status == "dismissed"
        until(lambda: not keys(server, bucket) and not uploads(server, bucket))


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_nothing_partial_is_seen_and_it_is_completed(
    tmp_path: Path, server: Server, bucket: str, seed: int
) -> None:
    fate = random.Random(seed)
    with road_to(server) as road:
        process: list[subprocess.Popen[bytes]] = []
        number = fate.randrange(6, 24)  # the first ones are about the bucket, before there is a job

        def kill(_: str, __: str) -> str:
            if len(road.asked) == number:
                process[0].send_signal(signal.SIGKILL)
            return fate.choice(["", "", "", "busy", "reset", "lost"])

        road.fault = kill
        with begun(tmp_path / "home", road.server, bucket, MANY) as one:
            process.append(one)
            one.wait()
    catalogs = [key for key in keys(server, bucket) if key.endswith("/catalog.json")]
    if catalogs:
        assert len(keys(server, bucket)) == 5
    options = {"s3": server.options}
    with Engine(tmp_path / "home", plugins=[localproc_s3], storage_options=options) as engine:
        engine.resume()
        (job,) = engine.jobs()
        assert job.wait().status == "successful", job.problem
        (item,) = job.result("catalog").items
        data = job.published.read(item.assets["data"].href)
    said = item.assets["data"].extra_fields["file:checksum"]
    assert said == f"1220{hashlib.sha256(data).hexdigest()}"
    assert uploads(server, bucket) == []
