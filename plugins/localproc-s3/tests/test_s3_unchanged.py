"""What is there already from a try that was cut short: it is not sent again."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_fixtures import OpenS3, bucket, open_s3, server
from s3_road import Road, road_to
from s3_server import Server

from localproc.plugins.storage import Put
from localproc.storage.upload_plan import Outbound

__all__ = ["bucket", "open_s3", "server"]

SIZE = (17 << 20) + 7  #: bytes of an object that goes in three parts
KIND = "image/tiff"


@pytest.fixture(params=["s3fs", "obstore"])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def road(server: Server) -> Iterator[Road]:
    with road_to(server) as found:
        yield found


def sent(road: Road) -> int:
    """Return how many parts and objects were sent since the last time."""
    count = sum(method == "PUT" for method, _ in road.asked)
    road.asked.clear()
    return count


def test_a_large_object_is_sent_once(
    open_s3: OpenS3, road: Road, bucket: str, client: str, tmp_path: Path
) -> None:
    storage = open_s3(endpoint=road.server.endpoint, client=client)
    data, path = os.urandom(SIZE), tmp_path / "a.tif"
    path.write_bytes(data)
    what = Put(str(path), f"s3://{bucket}/a.tif", KIND)
    first = storage.put(what)
    assert sent(road) == 3
    told: list[int] = []
    assert storage.put(what, told.append) == first
    assert sent(road) == 0
    assert told[-1] == first.size == SIZE
    assert first.sha256 == hashlib.sha256(data).hexdigest()


def test_another_of_the_same_size_replaces_it(
    open_s3: OpenS3, road: Road, bucket: str, client: str, tmp_path: Path
) -> None:
    storage = open_s3(endpoint=road.server.endpoint, client=client)
    uri, data = f"s3://{bucket}/a.tif", os.urandom(SIZE)
    storage.put(Put(data, uri, KIND))
    other = data[:-1] + bytes([data[-1] ^ 1])
    storage.put(Put(other, uri, KIND))
    assert sent(road) == 6
    storage.fetch(uri, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == other


def test_one_of_another_media_type_replaces_it(
    open_s3: OpenS3, road: Road, server: Server, bucket: str
) -> None:
    storage = open_s3(endpoint=road.server.endpoint)
    storage.put(Put(bytes(SIZE), f"s3://{bucket}/a.tif", "image/png"))
    storage.put(Put(bytes(SIZE), f"s3://{bucket}/a.tif", KIND))
    assert sent(road) == 6
    assert server.client().head_object(Bucket=bucket, Key="a.tif")["ContentType"] == KIND


def test_one_whose_etag_tells_nothing_is_sent(
    open_s3: OpenS3, road: Road, server: Server, bucket: str
) -> None:
    data = os.urandom(SIZE)
    server.client().put_object(Bucket=bucket, Key="a.tif", Body=data, ContentType=KIND)
    storage = open_s3(endpoint=road.server.endpoint)
    storage.put(Put(data, f"s3://{bucket}/a.tif", KIND))
    assert sent(road) == 3


@pytest.mark.parametrize("size", [1000, SIZE])
def test_publishing_again_sends_no_file(
    open_s3: OpenS3, road: Road, bucket: str, tmp_path: Path, size: int
) -> None:
    storage, root = open_s3(endpoint=road.server.endpoint), f"s3://{bucket}/job"
    (tmp_path / "a.tif").write_bytes(os.urandom(size))
    digests = []
    for _ in range(2):
        out = Outbound(
            storage, root, (str(tmp_path),), (), lambda _: None, lambda: False, alone=True
        )
        out.add(str(tmp_path / "a.tif"), f"{root}/a.tif")
        out.send()
        digests.append(out.measured(f"{root}/a.tif"))
    digest = hashlib.sha256((tmp_path / "a.tif").read_bytes()).hexdigest()
    assert digests == [(size, digest)] * 2
    assert sent(road) == (1 if size == 1000 else 3)
