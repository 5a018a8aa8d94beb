"""What lies in an archive on the web, or in a repository: read from there, alone."""

import io
import json
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import localproc_fsspec
import pytest
from fsspec.implementations.github import GithubFileSystem

from localproc import Engine
from localproc.errors import StagingError
from localproc.plugins.storage import Storage

COUNTS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "counts",
    "baseCommand": "find",
    "inputs": {"folder": "Directory"},
    "arguments": ["$(inputs.folder.path)", "-type", "f", "-printf", "%P\\n"],
    "stdout": "names.txt",
    "outputs": {"names": "stdout"},
}


class Site:
    """A server with ranges. ``sent`` are the bytes of its answers."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.sent = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                data = site.pages.get(self.path)
                status, whole = (404, b"") if data is None else (200, data)
                begin, end = 0, len(whole)
                if data is not None and (asked := self.headers.get("Range")):
                    first, _, last = asked.removeprefix("bytes=").partition("-")
                    begin, end = int(first), min(int(last or end) + 1, end)
                    status = 206
                self.send_response(status)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(end - begin))
                if status == 206:
                    self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(whole)}")
                self.end_headers()
                if self.command == "GET":
                    site.sent += end - begin
                    self.wfile.write(whole[begin:end])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def archive(self, path: str, files: dict[str, bytes]) -> None:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        self.pages[path] = data.getvalue()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = Thread(target=site.server.serve_forever)
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


@pytest.fixture
def zipped() -> Storage:
    return localproc_fsspec.open_scheme("zip", {"enabled": True, "target_protocol": "http"})


def test_a_file_of_an_archive_is_read_alone(site: Site, zipped: Storage, tmp_path: Path) -> None:
    site.archive("/a%20b.zip", {"big.bin": bytes(40 << 20), "in/ü 1.txt": b"one"})
    uri = f"zip://{site.address}/a%20b.zip/in/%C3%BC%201.txt"
    zipped.fetch(uri, str(tmp_path / "one"))
    assert (tmp_path / "one").read_bytes() == b"one"
    assert site.sent < 20 << 20
    assert [one.uri for one in zipped.list(f"zip://{site.address}/a%20b.zip/in/")] == [uri]
    assert zipped.info(f"zip://{site.address}/a%20b.zip/none") is None
    assert zipped.info(f"zip://{site.address}/none.zip/none") is None
    with pytest.raises(StagingError, match="names no archive"):
        zipped.info(f"zip://{site.address}/a/b")


def test_an_archive_that_was_replaced_is_read_anew(
    site: Site, zipped: Storage, tmp_path: Path
) -> None:
    uri = f"zip://{site.address}/a.zip/x"
    seen = []
    for content in (b"one", b"another"):
        site.archive("/a.zip", {"x": content})
        seen.append(zipped.fetch(uri, str(tmp_path / "x")).etag)
        assert (tmp_path / "x").read_bytes() == content
    assert seen[0] != seen[1]


def test_a_folder_of_an_archive_is_a_directory(site: Site, tmp_path: Path) -> None:
    site.archive("/scene.zip", {"s/a.tif": b"1", "s/deep/b.tif": b"2", "other": b"3"})
    options = {"zip": {"enabled": True, "target_protocol": "http"}}
    with Engine(tmp_path, plugins=[localproc_fsspec], storage_options=options) as engine:
        folder = {"class": "Directory", "location": f"zip://{site.address}/scene.zip/s"}
        job = engine.run(COUNTS, {"folder": folder}).raise_for_status()
        assert sorted(job.result("names").read_text().split()) == ["a.tif", "deep/b.tif"]


def test_a_folder_of_a_repository_is_a_directory(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is GitHub's by its API: trees, and contents in Base64."""
    trees = f"http://{site.address}/{{org}}/{{repo}}/trees/{{sha}}"
    contents = f"http://{site.address}/{{org}}/{{repo}}/contents/{{path}}?ref={{sha}}"
    monkeypatch.setattr(GithubFileSystem, "url", trees)
    monkeypatch.setattr(GithubFileSystem, "content_url", contents)
    blob = {"path": "a.txt", "mode": "100644", "type": "blob", "sha": "b1", "size": 3}
    tree = {"path": "data", "mode": "040000", "type": "tree", "sha": "t1"}
    site.pages = {
        "/eo/scenes/trees/v1": json.dumps({"tree": [tree]}).encode(),
        "/eo/scenes/trees/t1": json.dumps({"tree": [blob]}).encode(),
        "/eo/scenes/contents/data/a.txt?ref=v1": json.dumps(
            {"encoding": "base64", "content": "b25l", "size": 3, "type": "file"}
        ).encode(),
    }
    with Engine(
        tmp_path, plugins=[localproc_fsspec], storage_options={"github": {"enabled": True}}
    ) as engine:
        folder = {"class": "Directory", "location": "github://eo/scenes@v1/data"}
        job = engine.run(COUNTS, {"folder": folder}).raise_for_status()
        assert job.result("names").read_text() == "a.txt\n"
