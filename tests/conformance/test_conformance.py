"""The official CWL conformance tests, run by cwltest as by anybody who compares runners.

``CWL_CONFORMANCE_DIR`` names the folder with ``conformance_tests.yaml``: a clone of
https://github.com/common-workflow-language/cwl-v1.2, or any selection from it.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cwltest import utils

from localproc.cli.cwl import UNSUPPORTED
from tests.conftest import absent
from tests.patience import patient

#: How many tests of ours the official ones make: each is over in a fraction of its timeout.
PARTS = 12
#: Tests of tools that run in a container only.
NEED_A_CONTAINER = {
    "cwloutput_nolimit",
    "docker_entrypoint",
    "initial_workdir_output",
    "iwd-passthrough2",
    "networkaccess",
    "stdin_shorcut",
    "stdout_redirect_mediumcut_docker",
    "stdout_redirect_shortcut_docker",
}


@pytest.fixture
def suite() -> Path:
    folder = os.environ.get("CWL_CONFORMANCE_DIR")
    if not folder:
        absent("CWL_CONFORMANCE_DIR does not name the folder of the conformance tests")
    assert folder is not None
    return Path(folder, "conformance_tests.yaml")


@pytest.mark.parametrize("part", range(PARTS))
def test_every_conformance_test_passes_but_those_that_need_a_container(
    suite: Path, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where cwltest leaves the outputs
    monkeypatch.setattr(logging.getLogger("cwltest"), "disabled", True)  # failures are told below
    tests, _ = utils.load_and_validate_tests(str(suite))
    named = {
        utils.shortname(test["id"]): run(suite, test, "--no-container")
        for test in tests[part::PARTS]
    }
    assert {name: told(one) for name, one in named.items() if failed(one)} == {}
    unsupported = {name for name, one in named.items() if one.return_code == UNSUPPORTED}
    assert unsupported == NEED_A_CONTAINER & named.keys()


def run(suite: Path, test: dict[str, Any], *flags: str) -> utils.TestResult:
    """Run one test; what is not supported is told apart from failures, required or not."""
    config = utils.CWLTestConfig(
        entry=str(suite),
        entry_line=str(test.get("line", "")),
        test_basedir=f"{suite.parent}/",
        test_baseuri=f"{suite.parent.as_uri()}/",
        tool=sys.executable,
        args=["-m", "localproc", "cwl", *flags],
        timeout=int(patient(120)),
    )
    untagged: Any = {**test, "tags": []}
    return utils.run_test_plain(config, untagged)


def failed(result: utils.TestResult) -> bool:
    return result.return_code not in (0, UNSUPPORTED)


def told(result: utils.TestResult) -> str:
    return f"{result.message}\n{result.error_output}"
