"""A web site on this machine, and a desk that inputs are brought to."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
import trustme

from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.plugins.storage import Storage
from localproc.storage.access import Access
from localproc.storage.filesystem import FilesystemStorage
from localproc.storage.web import WebStorage
from tests.storage.desk import Desk
from tests.storage.recorder import Recorder
from tests.storage.website import Site, serving


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once what has failed."""
    monkeypatch.setattr("localproc.storage.transfer_retries._FIRST", 0.0)


@pytest.fixture
def memory() -> Storage:
    """Give the storage of ``mem:`` URIs, which is written to by tests alone."""
    return Recorder()


class OpenDesk(Protocol):
    """Gives a desk under a policy, which is there until it is stopped."""

    def __call__(self, policy: InputPolicy, stopped: Callable[[], bool] = ...) -> Desk: ...


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a web site."""
    with serving() as site:
        yield site


@pytest.fixture
def secure_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a web site with a certificate of its own making, which is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with serving(certificate(authority)) as site:
        yield site


@pytest.fixture
def untrusted_site() -> Iterator[Site]:
    """Give a web site with a certificate that nobody knows."""
    with serving(certificate(trustme.CA())) as site:
        yield site


def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def open_desk(tmp_path: Path, memory: Storage) -> Iterator[OpenDesk]:
    """Give what opens a desk under a policy."""
    with ExitStack() as open_ones:

        @cache
        def web(guarded: bool) -> Storage:
            return open_ones.enter_context(closing(WebStorage(guarded=guarded)))

        def open_storage(uri: str, guarded: bool) -> Storage:
            if uri.startswith("mem:"):
                return memory
            if uri.startswith("nowhere:"):
                raise StagingError(f"there is no storage for {uri}", uri=uri)
            return web(guarded) if uri.startswith("http") else FilesystemStorage()

        def open_desk(policy: InputPolicy, stopped: Callable[[], bool] = lambda: False) -> Desk:
            log: list[str] = []
            access = Access(open_storage, policy, stopped, log.append)
            return Desk(tmp_path / "inputs", access, log)

        yield open_desk


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """Give a desk that takes anything."""
    return open_desk(InputPolicy())
