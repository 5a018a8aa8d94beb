"""The official CWL conformance tests of tools in containers, through Charliecloud.

The images that they name are made here, of busybox and this interpreter: see tests/container_image.
"""

import logging
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from typing import Final

import pytest
from cwltest import utils

from localproc.executors.containers.charliecloud import Charliecloud
from localproc.plugins.containers import ContainerSettings
from tests import container_image
from tests.conformance.test_conformance import failed, run, suite, told
from tests.executors.charliecloud_tests import check_charliecloud

__all__ = ["suite"]  # a fixture

#: What the tests ask of a network that there may not be.
NEED_A_NETWORK: Final = {"networkaccess"}
_DOCUMENT: Final = re.compile(r"[\w./-]+\.(?:cwl|json|ya?ml)")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of images under the names that the tests use."""
    check_charliecloud()
    folder = tmp_path_factory.mktemp("images")
    root = container_image.python(tmp_path_factory.mktemp("root"))
    runtime = Charliecloud(ContainerSettings(str(folder)))
    archive = container_image.archive(root, folder / "python.tar", "debian:stable-slim")
    image = Path(runtime.load(str(archive), "").path)
    for name in ("python+3-slim", "alpine+latest"):
        image.with_name(name).symlink_to(image)
    entry = {"Entrypoint": ["/bin/sh"]}
    small = container_image.busybox(tmp_path_factory.mktemp("small"))
    archive = container_image.archive(small, folder / "bash.tar", "bash:4.4", entry)
    runtime.load(str(archive), "")
    return folder


@pytest.mark.timeout(1800)
def test_every_conformance_test_of_containers_passes(
    suite: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(logging.getLogger("cwltest"), "disabled", True)
    monkeypatch.setenv("LOCALPROC_CONTAINERS", "charliecloud")
    monkeypatch.setenv("LOCALPROC_IMAGES", str(images))
    tests, _ = utils.load_and_validate_tests(str(suite))
    chosen = [one for one in tests if names_an_image(local(one["tool"]))]
    assert chosen, "the folder has no test that names an image"
    with ThreadPoolExecutor(cpu_count()) as pool:
        results = list(pool.map(lambda test: run(suite, test), chosen))
    named = {utils.shortname(test["id"]): one for test, one in zip(chosen, results, strict=True)}
    wrong = {name: told(one) for name, one in named.items() if failed(one) or one.return_code}
    assert {name: said for name, said in wrong.items() if name not in NEED_A_NETWORK} == {}


def local(uri: str) -> Path:
    """Give the file of a document's URI."""
    return Path(uri.removeprefix("file://").partition("#")[0])


def names_an_image(path: Path, above: frozenset[Path] = frozenset()) -> bool:
    """Whether a document, or one that it refers to, names an image."""
    if path in above or not path.is_file():
        return False
    text = path.read_text()
    if "DockerRequirement" in text:
        return True
    inner = {path.parent / name for name in _DOCUMENT.findall(text)}
    return any(names_an_image(one, above | {path}) for one in inner)
