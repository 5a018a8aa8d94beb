"""The names that programs may rely on."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import localproc

ROOT = Path(__file__).parents[2]
SOURCE = Path(inspect.getfile(localproc))

#: What the documents of the project promise. A name that goes, or comes, is a decision.
PROMISED = {
    "Engine",
    "InvalidInputs",
    "InvalidPackage",
    "Job",
    "JobFailed",
    "JobStatus",
    "LocalprocError",
    "Process",
    "Settings",
    "StacResults",
    "Step",
    "hookimpl",
    "run",
}


def test_the_public_names_are_those_that_are_promised() -> None:
    assert set(localproc.__all__) == PROMISED
    assert set(dir(localproc)) >= PROMISED


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(localproc, name)
    if name != "hookimpl":
        assert found.__name__ == name
        assert inspect.getdoc(found)


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    (block,) = (node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == localproc._WHERE


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'localproc' has no attribute 'Egnine'"):
        _ = localproc.Egnine


def test_the_version_is_that_of_the_distribution() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared is not None
    assert localproc.__version__ == declared[1]


@pytest.mark.parametrize("path", ["README.md", "plugins/README.md", "src/localproc/__init__.py"])
def test_what_the_documents_use_is_public(path: str) -> None:
    used = set(re.findall(r"\blocalproc\.([A-Z]\w+)", (ROOT / path).read_text()))
    assert used <= PROMISED
