"""localproc and the reference implementation do the same with the same document."""

import gc
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from localproc import Engine
from tests.conftest import absent
from tests.differential.both import with_cwltool, with_localproc
from tests.differential.generated import workflows

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made-up")


def needs_node() -> None:
    """Skip a test in which cwltool would have to evaluate JavaScript, where it cannot."""
    if shutil.which("node") is None and shutil.which("nodejs") is None:
        absent("cwltool evaluates JavaScript with node, which is not here")


@pytest.mark.parametrize("job", JOBS, ids=[job.name for job in JOBS])
def test_a_document_gives_the_same(engine: Engine, job: Path, tmp_path: Path) -> None:
    document = CORPUS / (job.name.partition(".")[0] + ".cwl")
    if "InlineJavascriptRequirement" in document.read_text():
        needs_node()
    ours = with_localproc(engine, document, job, tmp_path)
    assert ours == with_cwltool(document, job, tmp_path)


@given(workflows())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_workflow_that_was_made_up_gives_the_same(
    engine: Engine, folder: Path, made: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    needs_node()
    here = Path(tempfile.mkdtemp(dir=folder))
    document, job = here / f"{here.name}.cwl", here / "job.json"
    document.write_text(json.dumps(made[0]))
    job.write_text(json.dumps(made[1]))
    assert with_localproc(engine, document, job, here) == with_cwltool(document, job, here)
