"""Where the hrefs of STAC documents lead to."""

from pathlib import Path

import pytest

from localproc.storage.stac import absolute, resolve
from localproc.uris import path_uri


@pytest.mark.parametrize(
    ("href", "document", "found"),
    [
        ("a.tif", "https://x.org/d/item.json", "https://x.org/d/a.tif"),
        ("../a.tif", "https://x.org/d/item.json?token=1", "https://x.org/a.tif"),
        ("/a.tif", "http://x.org/d/item.json", "http://x.org/a.tif"),
        ("//y.org/a.tif", "http://x.org/d/item.json", "http://y.org/a.tif"),
        ("https://y.org/a.tif", "http://x.org/d/item.json", "https://y.org/a.tif"),
        ("./a.tif", "s3://bucket/d/item.json", "s3://bucket/d/a.tif"),
        ("../a.tif", "s3://bucket/d/item.json", "s3://bucket/a.tif"),
        ("/a.tif", "s3://bucket/d/item.json", "s3://bucket/a.tif"),
        ("FILE:///etc/passwd", "s3://bucket/d/item.json", "file:///etc/passwd"),
        ("a.tif", "file:///d/item.json", "file:///d/a.tif"),
        ("/far/a b.tif", "file:///d/item.json", "file:///far/a%20b.tif"),
        ("a%20b.tif", "file:///d/item.json", "file:///d/a%20b.tif"),
    ],
)
def test_an_href_is_resolved_against_its_document(href: str, document: str, found: str) -> None:
    assert absolute(href, document) == found


@pytest.mark.parametrize(
    ("href", "there", "found"),
    [
        ("a%20b.tif", ["a%20b.tif", "a b.tif"], "a b.tif"),
        ("a%2520b.tif", ["a%20b.tif", "a b.tif"], "a%20b.tif"),
        ("a%20b.tif", ["a%20b.tif"], "a%20b.tif"),
        ("a%20b.tif", ["a b.tif"], "a b.tif"),
        ("a b.tif", ["a b.tif"], "a b.tif"),
        ("a%20b.tif", [], "a b.tif"),
    ],
)
def test_a_name_may_be_quoted_or_not(
    tmp_path: Path, href: str, there: list[str], found: str
) -> None:
    for name in there:
        (tmp_path / name).touch()
    document = str(tmp_path / "item.json")
    assert resolve(href, document) == str(tmp_path / found)
    assert absolute(href, path_uri(document)) == path_uri(str(tmp_path / found))


@pytest.mark.parametrize(
    "href",
    ["https://x.org/a", "s3://bucket/a", "/vsis3/bucket/a.tif", "/vsizip/a.zip/a", "B04:10m.tif"],
)
def test_what_lies_elsewhere_has_no_path(tmp_path: Path, href: str) -> None:
    assert resolve(href, str(tmp_path / "item.json")) is None


def test_a_name_may_look_like_a_scheme(tmp_path: Path) -> None:
    (tmp_path / "B04:10m.tif").touch()
    document = str(tmp_path / "item.json")
    assert resolve("B04:10m.tif", document) == str(tmp_path / "B04:10m.tif")
    assert absolute("./B04:10m.tif", path_uri(document)).endswith("/B04%3A10m.tif")
