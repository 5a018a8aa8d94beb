"""Image archives as a daemon reads them.

Owns that an OCI layout in a tar file (OCI image specification, "image layout") is one as well:
older daemons look for the manifest that ``docker save`` writes, so it is given one. Must not know
daemons.
"""

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from localproc.errors import ImageError

_MANIFEST: Final = "manifest.json"
_INDEX: Final = "index.json"
_NAME: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Give an archive that any daemon can read; raises ``ImageError`` for what is none."""
    with open(path, "rb") as file:
        try:
            with tarfile.open(fileobj=file) as tar:
                names = {one.removeprefix("./") for one in tar.getnames()}
                if _MANIFEST in names or _INDEX not in names:
                    file.seek(0)
                    yield file
                    return
                with tempfile.TemporaryFile() as whole:
                    _translate(tar, whole)
                    whole.seek(0)
                    yield whole
        except tarfile.TarError as error:
            raise ImageError(
                f"{path} is not a tar archive", hint="docker save writes one"
            ) from error


def _translate(tar: tarfile.TarFile, file: BinaryIO) -> None:
    """Write an OCI layout with a manifest as ``docker save`` writes it."""
    images = [_image(tar, one) for one in _json(tar, _INDEX)["manifests"]]
    with tarfile.open(fileobj=file, mode="w") as whole:
        for member in tar.getmembers():
            member.name = member.name.removeprefix("./")
            whole.addfile(member, tar.extractfile(member) if member.isfile() else None)
        text = json.dumps(images).encode()
        info = tarfile.TarInfo(_MANIFEST)
        info.size = len(text)
        whole.addfile(info, io.BytesIO(text))


def _image(tar: tarfile.TarFile, described: dict[str, Any]) -> dict[str, Any]:
    manifest = _json(tar, _blob(described))
    said = described.get("annotations") or {}
    name = next((said[one] for one in _NAME if ":" in said.get(one, "")), None)
    return {
        "Config": _blob(manifest["config"]),
        "Layers": [_blob(one) for one in manifest["layers"]],
        "RepoTags": [name] if name else None,
    }


def _blob(described: dict[str, Any]) -> str:
    return "blobs/" + str(described["digest"]).replace(":", "/")


def _json(tar: tarfile.TarFile, name: str) -> dict[str, Any]:
    for written in (name, f"./{name}"):
        try:
            member = tar.extractfile(written)
        except KeyError:
            continue
        if member is not None:
            found: dict[str, Any] = json.load(member)
            return found
    raise ImageError(f"the archive has no {name}")
