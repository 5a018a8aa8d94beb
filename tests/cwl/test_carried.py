"""Files that a package brings along when it is sent."""

from typing import Any

import pytest

from localproc.cwl.load.carried import carried
from localproc.errors import InvalidPackage

BASE = "file:///package/"


def package(default: Any) -> dict[str, Any]:
    return {"main": "#t", "processes": {"#t": {"inputs": [{"id": "script", "default": default}]}}}


def file(name: str, **more: Any) -> dict[str, Any]:
    return {"class": "File", "location": BASE + name, **more}


def default_of(resolved: dict[str, Any]) -> Any:
    return resolved["processes"]["#t"]["inputs"][0]["default"]


def test_a_default_file_becomes_a_literal() -> None:
    found = carried(package(file("tools/a%20b.py")), BASE, {BASE + "tools/a%20b.py": b"print(1)"})
    assert default_of(found) == {"class": "File", "basename": "a b.py", "contents": "print(1)"}


def test_it_keeps_the_name_that_the_package_gives_it() -> None:
    found = carried(package(file("x.py", basename="y.py")), BASE, {BASE + "x.py": b""})
    assert default_of(found)["basename"] == "y.py"


def test_files_in_lists_and_beside_others_are_found() -> None:
    listed = [file("a", secondaryFiles=[file("b")])]
    found = carried(package(listed), BASE, {BASE + "a": b"1", BASE + "b": b"2"})
    assert default_of(found)[0]["secondaryFiles"][0]["contents"] == "2"


def test_what_does_not_lie_in_the_package_stays_as_it_is() -> None:
    elsewhere = {"class": "File", "location": "https://example.com/a.py"}
    assert default_of(carried(package(elsewhere), BASE, {})) == elsewhere
    assert default_of(carried(package("text"), BASE, {})) == "text"


def test_all_files_that_are_missing_or_no_text_are_told_at_once() -> None:
    both = [file("tools/a.py"), file("picture.png")]
    with pytest.raises(InvalidPackage) as caught:
        carried(package(both), BASE, {BASE + "picture.png": b"\x89PNG"})
    told = [(one.where, one.message) for one in caught.value.problems]
    assert told == [("tools/a.py", "was not sent"), ("picture.png", "is not text in UTF-8")]
    assert "multipart/related" in caught.value.hint
