"""An engine with its service, shared by the tests of a module."""

from collections.abc import Iterator

import httpx
import pytest

from localproc import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    # Jobs that only sleep must not keep others waiting, however few processors there are.
    engine = Engine(tmp_path_factory.mktemp("home"), cores=8, slots=8)
    yield engine
    for job in engine.jobs(status=("accepted", "running"), limit=1000):
        job.dismiss()
    engine.close()


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[httpx.Client]:
    with engine.client() as client:
        yield client
