"""Whether a file is the one that a document says it is.

Owns sizes and checksums, in the forms of STAC and of CWL. Must not know where files come from.
"""

import hashlib
import os
from collections.abc import Mapping
from typing import Any, Final

from localproc.errors import StagingError
from localproc.storage.disk import telling
from localproc.uris import path_uri

#: Multihash codes of STAC's ``file:checksum``, in hex, and what hashlib calls them.
_MULTIHASH: Final = {"1220": "sha256", "1340": "sha512", "1114": "sha1", "d50110": "md5"}


def verify_asset(path: str, size: Any, checksum: Any, shown: str) -> None:
    """Compare a file with what its STAC asset says (``file:size``, ``file:checksum``).

    Checksums are multihashes in hex; those of a kind that is not known here are not looked at.
    ``shown`` is where the file comes from, without secrets. Raises ``StagingError``.
    """
    with telling(path):
        have = os.stat(path).st_size
    if size is not None and have != size:
        raise StagingError(f"{shown} has {have} bytes, its item says {size}", uri=shown)
    expected = str(checksum or "").lower()
    code = next((code for code in _MULTIHASH if expected.startswith(code)), "")
    if code and _digest(path, _MULTIHASH[code]) != expected[len(code) :]:
        raise StagingError(
            f"{shown} does not have the checksum that its item says",
            uri=shown,
            hint="the file is damaged, or was changed after the item was written",
        )


def verify_input(one: Mapping[str, Any], path: str) -> None:
    """Raise ``StagingError`` if a file is not what its File object says (CWL v1.2 File)."""
    with telling(path):
        real: dict[str, Any] = {"size": os.stat(path).st_size} if "size" in one else {}
    if "checksum" in one:
        real["checksum"] = f"sha1${_digest(path, 'sha1')}"
    for part, value in real.items():
        if str(one[part]).lower() != str(value):
            raise StagingError(
                f"{path} has the {part} {value}, not {one[part]} as its File object says",
                uri=path_uri(path),
                hint=f"see that it is the right file, or leave its {part} out",
            )


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a file in hex."""
    return _digest(path, "sha256")


def _digest(path: str, name: str) -> str:
    with telling(path), open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(name, usedforsecurity=False)
        ).hexdigest()
