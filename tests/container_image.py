"""Container images that are made of what this machine has: nothing is asked of a registry.

Owns root file systems (busybox; this interpreter with its library and some packages) and writing
them as ``docker save`` would, for any runtime to load.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGES = "/opt/packages"
_UNNEEDED = ("test", "tests", "idlelib", "ensurepip", "turtledemo", "tkinter", "site-packages")
_LIBRARY = re.compile(r"(/\S+) \(0x")


def busybox(root: Path) -> Path:
    """Make a root of busybox (Debian: busybox-static) under all its names."""
    program = shutil.which("busybox")
    assert program is not None, "install Debian's busybox-static"
    for folder in ("bin", "usr/bin", "usr/local/bin", "etc", "proc", "sys", "dev", "var/tmp"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").mkdir(mode=0o1777, exist_ok=True)
    shutil.copy2(program, root / "bin/busybox")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    for name in set(listed.stdout.split()) - {"busybox"}:
        (root / "bin" / name).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    return root


def python(root: Path, packages: Iterable[str] = ()) -> Path:
    """Make a root of busybox and of this interpreter, at the places that it has here."""
    busybox(root)
    library = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    ours = Path(os.path.realpath(sys.executable))
    _copy(ours, root)
    unneeded = shutil.ignore_patterns(*_UNNEEDED, "config-*")
    shutil.copytree(library, _within(root, library), symlinks=True, ignore=unneeded)
    for package in packages:
        _copy_package(package, root)
    names = {"python3", "python", ours.name}
    for name in names:
        (root / "usr/local/bin" / name).symlink_to(ours)
    binaries = [ours, *library.rglob("*.so"), *(root / _PACKAGES[1:]).rglob("*.so*")]
    for one in _libraries(binaries):
        if not Path(one).is_relative_to(root) and not _within(root, Path(one)).exists():
            _copy(Path(one), root)
    return root


def archive(root: Path, path: Path, name: str, config: Mapping[str, Any] | None = None) -> Path:
    """Write a root as ``docker save`` writes an image of that name."""
    env = [f"PATH={PATH}"]
    if (root / _PACKAGES[1:]).is_dir():
        env.append(f"PYTHONPATH={_PACKAGES}")
    layer = path.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        tar.add(root, ".", filter=_of_root)
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    whole = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": env, **(config or {})},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    described = json.dumps(whole).encode()
    place = f"{hashlib.sha256(described).hexdigest()}.json"
    manifest = [{"Config": place, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
    with tarfile.open(path, "w") as tar:
        for member, data in (("manifest.json", json.dumps(manifest).encode()), (place, described)):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        tar.add(layer, f"{digest}/layer.tar")
    layer.unlink()
    return path


def _copy_package(name: str, root: Path) -> None:
    """Copy a package, or a module, with the libraries that its wheel brought along."""
    found = find_spec(name)
    assert found is not None, f"{name} is not installed"
    assert found.origin is not None
    origin = Path(found.origin)
    target = root / _PACKAGES[1:]
    target.mkdir(parents=True, exist_ok=True)
    if origin.name != "__init__.py":
        shutil.copy2(origin, target)
        return
    unneeded = shutil.ignore_patterns("tests", "test")
    for folder in (origin.parent, *origin.parent.parent.glob(f"{name}.libs")):
        if folder.is_dir() and not (target / folder.name).exists():
            shutil.copytree(folder, target / folder.name, ignore=unneeded)


def _libraries(binaries: Iterable[Path]) -> set[str]:
    """Return the shared libraries that binaries need, the loader among them."""
    listed = subprocess.run(
        ["ldd", *(str(one) for one in binaries if one.is_file())],
        capture_output=True,
        text=True,
        check=False,
    )
    return set(_LIBRARY.findall(listed.stdout))


def _within(root: Path, path: Path) -> Path:
    return root / str(path).lstrip("/")


def _copy(path: Path, root: Path) -> None:
    """Copy a file to the place that it has here."""
    target = _within(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member as everybody may read it."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode |= 0o555 if member.isdir() else 0o444
    return member
