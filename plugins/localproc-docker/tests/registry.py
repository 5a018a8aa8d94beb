"""A registry that has one image and asks for a name and a password (OCI distribution, "pull")."""

import base64
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Registry:
    """Where it is, and who may pull."""

    address: str
    user: str
    password: str

    @property
    def reference(self) -> str:
        """What its image is pulled by."""
        return f"{self.address}/private/tool:1"


@contextmanager
def registry(user: str, password: str) -> Iterator[Registry]:
    """Serve an image to one user."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    answers = _image()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self._say(401, "application/json", b"{}")
            else:
                kind, body = answers.get(self.path, ("", b""))
                self._say(200 if kind else 404, kind, body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def _say(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Registry(f"127.0.0.1:{server.server_port}", user, password)
    finally:
        server.shutdown()
        server.server_close()


def _image() -> dict[str, tuple[str, bytes]]:
    """Return what is answered, by path: an image of one empty folder, another one each time."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    layer = gzip.compress(file.getvalue())
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/none"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(file.getvalue())]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _described("application/vnd.docker.container.image.v1+json", config),
            "layers": [_described("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
        }
    ).encode()
    place = "/v2/private/tool"
    found = {
        f"{place}/blobs/{_digest(one)}": ("application/octet-stream", one)
        for one in (config, layer)
    }
    for name in ("1", _digest(manifest)):
        found[f"{place}/manifests/{name}"] = (_MANIFEST, manifest)
    return {**found, "/v2/": ("application/json", b"{}")}


def _described(kind: str, data: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(data), "digest": _digest(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
