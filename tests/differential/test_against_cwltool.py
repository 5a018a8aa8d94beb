"""localproc and the reference implementation do the same with the same document."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from localproc import Engine
from tests.differential.both import with_cwltool, with_localproc

CORPUS = Path(__file__).parent / "corpus"
#: cwltool leaves files open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
JOBS = sorted(CORPUS.glob("*.yml"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        yield engine
    gc.collect()  # here, where what cwltool left open is no error


@pytest.mark.parametrize("job", JOBS, ids=[job.name for job in JOBS])
def test_a_document_gives_the_same(engine: Engine, job: Path, tmp_path: Path) -> None:
    document = CORPUS / (job.name.partition(".")[0] + ".cwl")
    ours = with_localproc(engine, document, job, tmp_path)
    assert ours == with_cwltool(document, job, tmp_path)
