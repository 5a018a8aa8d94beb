"""Paths and URIs: where a reference leads."""

import pytest

from localproc.uris import joined_uri, path_from


@pytest.mark.parametrize(
    ("base", "reference", "uri"),
    [
        ("s3://bucket/a/b.cwl", "c.cwl", "s3://bucket/a/c.cwl"),
        ("s3://bucket/a/b.cwl", "../c.cwl#main", "s3://bucket/c.cwl#main"),
        ("s3://bucket/a/b.cwl", "../../c.cwl", "s3://bucket/c.cwl"),
        ("s3://bucket/a/b.cwl", "#main", "s3://bucket/a/b.cwl#main"),
        ("s3://bucket/a/b.cwl", "/c.cwl", "s3://bucket/c.cwl"),
        ("s3://bucket/a/b.cwl", "//other/c.cwl", "s3://other/c.cwl"),
        ("s3://bucket/a/b.cwl", "https://host/c.cwl", "https://host/c.cwl"),
        ("s3://bucket/a/b.cwl", "file:///c.cwl", "file:///c.cwl"),
        ("s3://bucket/a/b.cwl", ".", "s3://bucket/a/"),
        ("https://host/a/b.cwl", "c.cwl", "https://host/a/c.cwl"),
        ("file:///a/b.cwl", "../c.cwl", "file:///c.cwl"),
    ],
)
def test_a_reference_hangs_from_a_uri_of_any_scheme(base: str, reference: str, uri: str) -> None:
    assert joined_uri(base, reference) == uri


@pytest.mark.parametrize(
    ("folder", "path", "uri"),
    [
        ("file:///a", "b c.tif", "file:///a/b%20c.tif"),
        ("file:///a", "../b", "file:///b"),
        ("", "b", "file:///b"),
        ("s3://bucket/a", "b#c.tif", "s3://bucket/a/b%23c.tif"),
        ("s3://bucket/a", "../b", "s3://bucket/b"),
        ("s3://bucket", "/b", "s3://bucket/b"),
    ],
)
def test_a_path_hangs_from_a_folder_anywhere(folder: str, path: str, uri: str) -> None:
    assert path_from(folder, path) == uri
