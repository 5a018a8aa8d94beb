"""What tests of the storage are written with."""

from collections.abc import Callable, Iterator
from typing import Any

import localproc_s3
import pytest
from s3_server import Server, bucket_of, real_server

from localproc.plugins.storage import Storage

OpenS3 = Callable[..., Storage]


@pytest.fixture
def server() -> Server:
    """Give a real server."""
    return real_server()


@pytest.fixture
def bucket(server: Server) -> Iterator[str]:
    """Give an empty bucket."""
    with bucket_of(server) as name:
        yield name


@pytest.fixture
def open_s3(server: Server) -> Iterator[OpenS3]:
    """Give what opens the storage with the server's options, and others."""
    opened: list[Storage] = []

    def open_one(**others: Any) -> Storage:
        opened.append(localproc_s3.open_s3({**server.options, **others}))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
