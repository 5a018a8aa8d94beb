"""Images in files.

Owns reading what ``docker save`` writes and OCI layouts in a tar (OCI image specification, "image
layout") into a root file system with its configuration, and writing the former. Must not know any
runtime.
"""

import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from localproc.errors import ImageError
from localproc.executors.containers import roots
from localproc.frozen import frozen
from localproc.plugins.containers import Image

_HINT: Final = "give a file that docker save, podman save or skopeo copy has written"


@frozen
class Contents:
    """What an archive has: the name of an image, its configuration as it stands, its layers."""

    name: str
    config: bytes
    layers: tuple[str, ...]


@contextmanager
def opened(path: str) -> Iterator[tarfile.TarFile]:
    """Give a tar file; raises ``ImageError`` for what is none."""
    try:
        archive = tarfile.open(path)  # noqa: SIM115 - it is closed below
    except OSError as error:
        said = error.strerror or error
        raise ImageError(f"{path} cannot be read as an image: {said}", hint=_HINT) from error
    except (tarfile.TarError, EOFError) as error:
        said = "it is not a tar archive"
        raise ImageError(f"{path} cannot be read as an image: {said}", hint=_HINT) from error
    with archive:
        try:
            yield archive
        except (tarfile.TarError, EOFError) as error:
            raise ImageError(f"the image in {path} is broken: {error}", hint=_HINT) from error


def contents(archive: tarfile.TarFile) -> Contents:
    """Return what an archive has; raises ``ImageError`` where that is no image, or several."""
    try:
        names = archive.getnames()
        if "manifest.json" in names:
            return _docker(archive)
        if "index.json" in names:
            return _oci(archive)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ImageError(f"the image in {archive.name!r} is broken: {error}") from error
    raise ImageError(f"there is no image in {archive.name!r}", hint=_HINT)


def unpack(archive: tarfile.TarFile, found: Contents, root: str) -> None:
    """Put the layers of an image into a folder, one over the other."""
    for name in found.layers:
        source = archive.extractfile(name)
        if source is None:
            raise ImageError(f"the layer {name} is not in {archive.name!r}")
        with source, tarfile.open(fileobj=source) as layer:
            roots.unpack(layer, root)


def described(name: str, config: bytes, path: str) -> Image:
    """Return the image of a configuration (OCI image specification, "image configuration")."""
    said = json.loads(config).get("config") or {}
    env = dict(one.partition("=")[::2] for one in said.get("Env") or ())
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    return Image(
        name=name,
        id=digest,
        digest=digest,
        entrypoint=tuple(said.get("Entrypoint") or ()),
        command=tuple(said.get("Cmd") or ()),
        env=env,
        workdir=said.get("WorkingDir") or "",
        path=path,
    )


def write(path: str, name: str, config: Mapping[str, Any], root: str) -> None:
    """Write a root file system as ``docker save`` would: one layer, a configuration of its own."""
    layer = f"{path}.layer"
    try:
        with tarfile.open(layer, "w") as tar:
            for one in sorted(os.listdir(root)):
                tar.add(os.path.join(root, one), one, filter=_anonymous)
        with open(layer, "rb") as file:
            diff = hashlib.file_digest(file, "sha256").hexdigest()
        whole = {"architecture": "amd64", "os": "linux", **config}
        whole = {key: value for key, value in whole.items() if key != "history"}
        whole["rootfs"] = {"type": "layers", "diff_ids": [f"sha256:{diff}"]}
        text = json.dumps(whole).encode()
        config_name = f"{hashlib.sha256(text).hexdigest()}.json"
        manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{diff}/layer.tar"]}]
        with tarfile.open(path, "w") as tar:
            _add(tar, "manifest.json", json.dumps(manifest).encode())
            _add(tar, config_name, text)
            tar.add(layer, f"{diff}/layer.tar")
    finally:
        roots.remove(layer)


def _docker(archive: tarfile.TarFile) -> Contents:
    [manifest] = _json(archive, "manifest.json")
    tags = manifest.get("RepoTags") or [""]
    return Contents(tags[0], _read(archive, manifest["Config"]), tuple(manifest["Layers"]))


def _oci(archive: tarfile.TarFile) -> Contents:
    [first] = _json(archive, "index.json")["manifests"]
    notes = first.get("annotations") or {}
    name = notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name")
    manifest = _json(archive, _blob(first))
    layers = tuple(_blob(one) for one in manifest["layers"])
    return Contents(name or "", _read(archive, _blob(manifest["config"])), layers)


def _blob(descriptor: Mapping[str, Any]) -> str:
    algorithm, _, digest = descriptor["digest"].partition(":")
    return f"blobs/{algorithm}/{digest}"


def _json(archive: tarfile.TarFile, name: str) -> Any:
    return json.loads(_read(archive, name))


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    with file:
        return file.read()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), int(time.time())
    tar.addfile(info, io.BytesIO(data))
