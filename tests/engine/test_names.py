"""Names of files are bytes; some are no UTF-8."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, Job

STRANGE = os.fsdecode(b"caf\xe9 #1.txt")  # Latin-1
WRITE = r"""
import os
os.mkdir("folder")
for name in (b"caf\xe9 #1.txt", b"folder/\xff"):
    open(name, "w").write("here")
"""
WRITER: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "write",
    "baseCommand": ["python3", "-c", WRITE],
    "inputs": {},
    "outputs": {
        "file": {"type": "File", "outputBinding": {"glob": "*.txt"}},
        "folder": {"type": "Directory", "outputBinding": {"glob": "folder"}},
    },
}
READER: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "read",
    "baseCommand": "cat",
    "inputs": {"file": {"type": "File", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}
BOTH: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "$graph": [
        {
            "class": "Workflow",
            "id": "main",
            "inputs": {},
            "outputs": {"said": {"type": "File", "outputSource": "read/said"}},
            "steps": {
                "write": {"run": "#write", "in": {}, "out": ["file"]},
                "read": {"run": "#read", "in": {"file": "write/file"}, "out": ["said"]},
            },
        },
        WRITER,
        READER,
    ],
}


@pytest.fixture
def written(localproc_engine: Engine) -> Job:
    """Give a job whose results have such names."""
    return localproc_engine.run(WRITER).raise_for_status()


def test_results_keep_their_names(written: Job) -> None:
    results = written.results()
    assert results["file"].name == STRANGE
    assert results["file"].read_text() == "here"
    assert os.listdir(os.fsencode(results["folder"])) == [b"\xff"]


def test_steps_hand_them_on(localproc_engine: Engine) -> None:
    job = localproc_engine.run(BOTH).raise_for_status()
    assert job.result("said").read_text() == "here"


@pytest.mark.parametrize("how", ["path", "location"])
def test_inputs_may_have_them(localproc_engine: Engine, written: Job, how: str) -> None:
    path = written.result("file")
    given = str(path) if how == "path" else written.result_document("file")["href"]
    job = localproc_engine.run(READER, {"file": {"class": "File", how: given}})
    assert job.raise_for_status().result("said").read_text() == "here"


def test_documents_show_them(localproc_engine: Engine, written: Job) -> None:
    href = written.result_document("file")["href"]
    assert href.endswith("/caf%E9%20%231.txt")
    with localproc_engine.client() as client:
        found = client.get(f"jobs/{written.id}/results").json()
        assert found["file"]["title"] == STRANGE
        for page in (f"jobs/{written.id}", f"jobs/{written.id}/results"):
            assert client.get(page, headers={"Accept": "text/html"}).status_code == 200


def test_the_command_line_shows_them(tmp_path: Path, written: Job) -> None:
    home = Path(written.folder).parents[1]
    words = [sys.executable, "-m", "localproc", "--home", str(home), "results", written.id]
    for options in ([], ["--json"]):
        done = subprocess.run([*words, *options], capture_output=True, check=True, text=True)
        assert "caf" in done.stdout
    assert json.loads(done.stdout)["file"]["title"] == STRANGE
