"""Bodies of several parts, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.http.answers import HttpProblem
from localproc.http.multipart import read_parts

FORM = "multipart/form-data; boundary=edge"


def body(*parts: tuple[str, bytes]) -> bytes:
    lines = [f"--edge\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts]
    return b"".join(lines) + b"--edge--\r\n"


@given(st.lists(st.binary().filter(lambda data: b"--edge" not in data), min_size=1))
def test_every_byte_comes_back(contents: list[bytes]) -> None:
    parts = read_parts(FORM, body(*(("Content-Type: image/png", data) for data in contents)))
    assert [part.data for part in parts] == contents


def test_names() -> None:
    parts = read_parts(
        'multipart/related; boundary="edge"; type="application/cwl"',
        body(
            ("Content-ID: <main.cwl>\r\nContent-Type: application/cwl", b"1"),
            ('Content-Disposition: form-data; name="field"; filename="é x.txt"', b"2"),
            ("content-disposition: form-data; name=plain", b"3"),
        ),
    )
    assert [part.name for part in parts] == ["main.cwl", "é x.txt", ""]
    assert [part.field for part in parts] == ["", "field", "plain"]
    assert [part.media_type for part in parts] == ["application/cwl", "", ""]


def test_parts_may_have_no_head_and_bare_line_breaks() -> None:
    parts = read_parts(
        FORM, b"preamble\n--edge \n\nfirst\n--edge\nContent-ID: <b>\n\nsecond\n--edge--"
    )
    assert [(part.name, part.data) for part in parts] == [("", b"first"), ("b", b"second")]


def test_encoded_parts() -> None:
    parts = read_parts(
        FORM,
        body(
            ("Content-Transfer-Encoding: base64", b"aGVs\r\nbG8="),
            ("Content-Transfer-Encoding: Quoted-Printable", b"caf=C3=A9"),
            ("Content-Transfer-Encoding: 8bit", b"=C3"),
        ),
    )
    assert [part.text for part in parts] == ["hello", "café", "=C3"]


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("multipart/form-data", b"--edge--"),
        (FORM, b""),
        (FORM, b"--edge--\r\n"),
        (FORM, b"--edge\r\n\r\nno end"),
        (FORM, b"--edge\r\nContent-ID: <a>\r\n--edge--"),
        (FORM, body(("Content-Transfer-Encoding: base64", b"a"))),
    ],
)
def test_what_cannot_be_told_apart_is_refused(content_type: str, data: bytes) -> None:
    with pytest.raises(HttpProblem) as caught:
        read_parts(content_type, data)
    assert caught.value.to_problem()["status"] == 400
