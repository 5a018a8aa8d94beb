"""What there is on a disk, as File and Directory objects.

Owns listings of directories, and sizes and checksums of whole values. Must not know processes.
"""

import hashlib
import posixpath
from collections.abc import Mapping
from typing import Any

from localproc.cwl.base.files import Files, is_local, local_path, map_files
from localproc.uris import path_uri


def list_directory(files: Files, path: str, *, deep: bool) -> list[dict[str, Any]]:
    """Return the listing of a directory."""
    found: list[dict[str, Any]] = []
    for name in files.listdir(path):
        inner = posixpath.join(path, name)
        stat = files.stat(inner)
        if stat is None or stat.is_special:
            continue  # a link that leads nowhere, or a pipe
        one: dict[str, Any] = {"location": path_uri(inner), "basename": name}
        if stat.is_dir:
            one["class"] = "Directory"
            if deep:
                one["listing"] = list_directory(files, inner, deep=True)
        else:
            one |= {"class": "File", "size": stat.size}
        found.append(one)
    return found


def with_checksums(value: Any, files: Files) -> Any:
    """Return a value with size and checksum on every File, and the listing of every Directory."""

    def complete(one: Mapping[str, Any]) -> dict[str, Any]:
        known = dict(one)
        if not is_local(known):
            if known["class"] == "File" and isinstance(known.get("contents"), str):
                data = known["contents"].encode()
                digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
                known |= {"size": len(data), "checksum": f"sha1${digest}"}
            for part in ("secondaryFiles", "listing"):
                if known.get(part):
                    known[part] = [complete(inner) for inner in known[part]]
            return known
        path = local_path(known)
        stat = files.stat(path)
        if stat is None:
            return known
        if known["class"] == "File":
            known.setdefault("size", stat.size)
            if "checksum" not in known:
                known["checksum"] = files.checksum(path)
            if known.get("secondaryFiles"):
                known["secondaryFiles"] = [complete(beside) for beside in known["secondaryFiles"]]
        else:
            listing = known.get("listing") or list_directory(files, path, deep=True)
            known["listing"] = [complete(child) for child in listing]
        return known

    return map_files(value, complete)
