"""What inputs may name on this machine."""

from pathlib import Path
from typing import Any

import pytest

from localproc.engine.admission.input_policy import RootedDisk, check_policy
from localproc.errors import InvalidInputs
from localproc.model import InputPolicy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "a.json").write_text("{}")
    return folder


def refused(inputs: dict[str, Any], root: Path) -> list[str]:
    try:
        check_policy(inputs, InputPolicy(roots=(str(root),)))
    except InvalidInputs as error:
        return [problem.where for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        "~/.ssh/id_rsa",
        "~",
        "~somebody/x",
        "..",
        "../../secret",
        "a/../../secret",
        "/",
    ],
)
def test_a_text_that_names_a_file_elsewhere_is_refused(text: str, root: Path) -> None:
    assert refused({"item": text}, root) == ["inputs.item"]
    assert refused({"items": [{"href": text}]}, root) == ["inputs.items"]


@pytest.mark.parametrize(
    "text",
    [
        "green",
        "EPSG:4326",
        "-34.8,-8.0",
        "https://example.com/a.json",
        "a/b",
        "x\n/etc",
        "",
        "~5 km",
        "..a",
        "...",
    ],
)
def test_other_texts_are_texts(text: str, root: Path) -> None:
    assert refused({"text": text}, root) == []


def test_what_lies_below_a_root_may_be_named(root: Path) -> None:
    inside = str(root / "a.json")
    assert refused({"item": inside, "other": f"file://{inside}"}, root) == []
    assert refused({"file": {"class": "File", "location": f"file://{inside}"}}, root) == []


def test_a_link_that_leads_out_does_not(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("")
    (root / "link").symlink_to(tmp_path / "secret")
    assert refused({"item": str(root / "link")}, root) == ["inputs.item"]


def test_files_elsewhere_are_refused_one_by_one(root: Path) -> None:
    there = {"class": "File", "location": "file:///etc/passwd"}
    assert refused({"a": there, "b": [there], "c": "fine"}, root) == ["inputs.a", "inputs.b"]


def test_whoever_has_no_roots_may_name_anything() -> None:
    elsewhere = {"item": "/etc/passwd"}
    with pytest.raises(InvalidInputs):
        check_policy(elsewhere, InputPolicy(roots=("/data",)))
    check_policy(elsewhere, InputPolicy())  # it does not raise


def test_a_rooted_disk_does_not_tell_what_lies_elsewhere(root: Path) -> None:
    disk = RootedDisk(InputPolicy(roots=(str(root),)))
    there, not_there = disk.stat("/etc/passwd"), disk.stat("/etc/no-such-file")
    assert there == not_there
    assert disk.stat(str(root / "a.json")) is not None
    assert disk.stat(str(root / "b.json")) is None
