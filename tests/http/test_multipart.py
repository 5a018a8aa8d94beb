"""Bodies of several parts, taken apart."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localproc.http.answers import HttpProblem
from localproc.http.multipart import read_parts, start_of
from tests.http.packages import CWL, TOOL

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


@pytest.mark.parametrize(
    ("content_type", "start"),
    [
        ("multipart/related; boundary=b", ""),
        ('multipart/related; boundary=b; start="<a@b>"', "a@b"),
        ("multipart/related; boundary=b; Start=<a@b>; type=text/xml", "a@b"),
        ('multipart/related; start-info="<no>"; boundary="b; x"; start=a', "a"),
        ("multipart/related; start=; boundary=b", ""),
    ],
)
def test_start(content_type: str, start: str) -> None:
    assert start_of(content_type) == start


# Whatever is sent, it is answered

NAMES = st.one_of(
    st.sampled_from(["main.cwl", "a/b.cwl", "<x@y>", "", "..", "cid:x", "http://[", "é", "%", "/"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
)
HEADS = st.builds(
    "{}: {}".format,
    st.sampled_from(
        ["Content-ID", "Content-Location", "Content-Type", "Content-Transfer-Encoding", "X", ""]
    ),
    st.one_of(NAMES, st.sampled_from(["base64", "quoted-printable", "text/plain", "a/b; c=d"])),
)
FIELDS = st.builds(
    'Content-Disposition: form-data; name="{}"; filename="{}"'.format,
    st.sampled_from(["package", "string", "binary", "array", "object", "bbox", "pause"]),
    NAMES,
)
TEXTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            CWL.encode(),
            json.dumps(TOOL).encode(),
            b"cwlVersion: v1.2\nclass: Workflow\nsteps: {a: {run: cid:x}}",
            b"PK\x03\x04" + bytes(30),
            b'{"executionUnit": {"href": "cid:x"}}',
            b"0",
            b"{",
        ]
    ),
)
PARTS = st.lists(st.tuples(st.lists(st.one_of(HEADS, FIELDS), max_size=3), TEXTS), max_size=4)


@given(
    parts=PARTS,
    kind=st.sampled_from(["related", "form-data", "mixed"]),
    start=st.one_of(st.just(""), NAMES.map("; start={}".format)),
    place=st.sampled_from(["processes", "processes/echo/execution"]),
    accept=st.sampled_from(["text/html", "application/json"]),
    cut=st.integers(0, 20),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_parts_are_answered(
    client: httpx.Client,
    parts: list[tuple[list[str], bytes]],
    kind: str,
    start: str,
    place: str,
    accept: str,
    cut: int,
) -> None:
    content = body(*(("\r\n".join(heads), data) for heads, data in parts))
    content = content[: len(content) - cut]
    content_type = f"multipart/{kind}; boundary=edge{start}".encode()
    answer = client.post(
        place, content=content, headers={b"Content-Type": content_type, b"Accept": accept.encode()}
    )
    assert answer.status_code < 500, answer.text
    if answer.status_code == 201 and place == "processes":
        client.delete(answer.headers["location"])
