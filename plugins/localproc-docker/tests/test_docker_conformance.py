"""The official CWL conformance tests of tools that name an image, in containers of Docker.

The images are made here under the names that the tests give; nothing comes from a registry.
"""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from cwltest import utils
from localproc_docker.daemon_images import DaemonImages
from own_daemon import OwnDaemon, own_daemon
from python_image import have_python, plugin_path
from tests.conftest import absent
from tests.patience import patient

pytestmark = [pytest.mark.service, pytest.mark.conformance]

IMAGES: Final = ("debian:stable-slim", "python:3-slim", "alpine:latest")
BASH: Final = "bash:4.4"
#: Tests that ask a server on the internet for something.
NEED_THE_INTERNET: Final = {"networkaccess"}


@pytest.fixture(scope="module")
def daemon() -> Iterator[OwnDaemon]:
    with own_daemon() as found:
        yield found


@pytest.fixture
def suite() -> Path:
    folder = os.environ.get("CWL_CONFORMANCE_DIR")
    if not folder:
        absent("CWL_CONFORMANCE_DIR does not name the folder of the conformance tests")
    assert folder is not None
    return Path(folder, "conformance_tests.yaml")


@pytest.mark.timeout(1800)
def test_every_tool_that_names_an_image_passes_in_a_container(
    suite: Path, daemon: OwnDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_python(daemon, IMAGES)
    with_entry_point = f'FROM {IMAGES[0]}\nENTRYPOINT ["sh"]\n'
    DaemonImages(daemon.api, "docker").build(with_entry_point, BASH)
    (tmp_path / "plugin").mkdir()
    monkeypatch.setenv("PYTHONPATH", plugin_path(tmp_path / "plugin"))
    monkeypatch.setenv("DOCKER_HOST", daemon.host)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where cwltest leaves the outputs
    monkeypatch.setattr(logging.getLogger("cwltest"), "disabled", True)  # failures are told below
    tests, _ = utils.load_and_validate_tests(str(suite))
    chosen = [test for test in tests if names_an_image(Path(suite.parent, tool(test)))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda test: run(suite, test), chosen))
    named = {utils.shortname(test["id"]): one for test, one in zip(chosen, results, strict=True)}
    assert len(named) > 30
    failed = {name: one for name, one in named.items() if one.return_code != 0}
    told = {name: f"{one.message}\n{one.error_output}" for name, one in failed.items()}
    assert {name: text for name, text in told.items() if name not in NEED_THE_INTERNET} == {}


def tool(test: dict[str, Any]) -> str:
    """Return the file of a test's tool, by its path."""
    place: str = test["tool"]
    return place.removeprefix("file://").partition("#")[0]


def names_an_image(path: Path) -> bool:
    """Return whether a document, or one that it refers to, names an image."""
    text = path.read_text()
    if "DockerRequirement" in text:
        return True
    others = {path.parent / name for name in re.findall(r"[\w./-]+\.cwl", text)}
    return any(names_an_image(one) for one in others - {path} if one.is_file())


def run(suite: Path, test: dict[str, Any]) -> utils.TestResult:
    """Run one test."""
    config = utils.CWLTestConfig(
        entry=str(suite),
        entry_line=str(test.get("line", "")),
        test_basedir=f"{suite.parent}/",
        test_baseuri=f"{suite.parent.as_uri()}/",
        tool=sys.executable,
        args=["-m", "localproc", "cwl", "--executor", "docker;no-container=local"],
        timeout=int(patient(120)),
    )
    untagged: Any = {**test, "tags": []}
    return utils.run_test_plain(config, untagged)
