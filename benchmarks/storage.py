"""Publishing to S3: a large file, many small ones, and the memory that it takes.

Owns the comparison with boto3's own transfers, on the server of ``LOCALPROC_TEST_S3``.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.measure import Cost, Effort, apart, cost_of, extra_memory, in_turn
from benchmarks.places import lasting, usual
from benchmarks.stage_in import over_http
from benchmarks.table import Line, Note, Row
from localproc.plugins.storage import Put
from localproc.storage.upload_plan import Outbound

_PLUGIN: Final = Path(__file__).parents[1] / "plugins" / "localproc-s3" / "src"
_LARGE, _HUGE, _SMALL, _MANY = 256 << 20, 2 << 30, 10 << 10, 1000
_THREADS: Final = 16


def storage(effort: Effort) -> Iterator[Line]:
    """Measure staging in over HTTP, and publishing to S3 with each of the clients."""
    yield from over_http(effort)
    server = _server()
    if not server:
        yield Note("publishing to S3", "LOCALPROC_TEST_S3 names no S3 server")
        return
    bucket = f"localproc-{secrets.token_hex(6)}"
    _boto3(server).create_bucket(Bucket=bucket)
    folder = lasting(usual())
    large = [_file(f"{folder}/large.bin", _LARGE)]
    small = [_file(f"{folder}/{number}.bin", _SMALL) for number in range(_MANY)]
    for case, files, targets in (
        ("publish 256 MiB", large, {"s3fs": 1.15, "obstore": 1.15}),
        ("publish 1,000 x 10 KiB", small, {"s3fs": 1.5, "obstore": 0.5}),
    ):
        costs = in_turn(
            effort.rounds,
            {
                "boto3": partial(
                    _cleared, server, bucket, partial(_by_boto3, server, bucket, files)
                ),
                **{
                    client: partial(
                        _cleared, server, bucket, partial(_by_us, server, bucket, files, client)
                    )
                    for client in targets
                },
            },
        )
        bare = costs["boto3"].wall
        yield Row(case, f"boto3, {_THREADS} threads", bare, "s")
        for client, target in targets.items():
            wall = costs[client].wall
            yield Row("", f"localproc, {client}", wall, "s", "boto3", wall / bare, target)
    huge = f"{folder}/huge.bin"
    with open(huge, "wb") as file:
        file.truncate(_HUGE)
    for client in ("s3fs", "obstore"):
        peak = apart(_memory, server, bucket, huge, client)
        _clear(server, bucket)
        yield Row("memory, publishing 2 GiB", client, peak / 2**20, "MiB", target=64)
    _boto3(server).delete_bucket(Bucket=bucket)


def _server() -> dict[str, str]:
    named = urlsplit(os.environ.get("LOCALPROC_TEST_S3", ""))
    if not named.hostname:
        return {}
    return {
        "endpoint": f"{named.scheme}://{named.hostname}:{named.port}",
        "key": named.username or "",
        "secret": named.password or "",
        "region": "us-east-1",
    }


def _boto3(server: dict[str, str]) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=server["endpoint"],
        aws_access_key_id=server["key"],
        aws_secret_access_key=server["secret"],
        region_name=server["region"],
        config=Config(max_pool_connections=2 * _THREADS),
    )


def _file(path: str, size: int) -> str:
    with open(path, "wb") as file:
        file.write(os.urandom(size))
    return path


def _cleared(server: dict[str, str], bucket: str, work: Callable[[], Cost]) -> Cost:
    cost = work()
    _clear(server, bucket)
    return cost


def _clear(server: dict[str, str], bucket: str) -> None:
    client = _boto3(server)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys})


def _by_boto3(server: dict[str, str], bucket: str, files: Sequence[str]) -> Cost:
    client = _boto3(server)

    def upload(path: str) -> None:
        client.upload_file(path, bucket, os.path.basename(path))

    def all_of_them() -> None:
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(upload, files))

    return cost_of(all_of_them)


def _by_us(server: dict[str, str], bucket: str, files: Sequence[str], client: str) -> Cost:
    storage = _opened(server, client)
    storage.describe(f"s3://{bucket}/a")  # boto3's client is there already, too
    try:
        return cost_of(partial(_publish, storage, bucket, files))
    finally:
        storage.close()


def _opened(server: dict[str, str], client: str) -> Any:
    sys.path.insert(0, str(_PLUGIN))
    import localproc_s3

    return localproc_s3.open_s3({**server, "client": client})


def _publish(storage: Any, bucket: str, files: Sequence[str]) -> None:
    root, own = f"s3://{bucket}/job", (os.path.dirname(files[0]),)
    out = Outbound(storage, root, own, (), lambda _: None, lambda: False, alone=True)
    for path in files:
        out.add(path, f"{root}/{os.path.basename(path)}")
    out.send()


def _memory(server: dict[str, str], bucket: str, path: str, client: str) -> int:
    """Give how much more memory is held at the most than when nothing is done."""
    storage = _opened(server, client)
    storage.put(Put(b"x", f"s3://{bucket}/warm"))
    most = extra_memory(lambda: _publish(storage, bucket, [path]))
    storage.close()
    return most
