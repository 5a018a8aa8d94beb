"""Whether a file is the one that a document says it is.

Owns sizes and checksums, in the forms of STAC and of CWL. Must not know where files come from.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.literals import made_of
from localproc.errors import StagingError
from localproc.storage import contents
from localproc.storage.disk import on, telling
from localproc.uris import path_uri

SHA256: Final = "1220"  #: the multihash code of SHA-256, and that it has 32 bytes
#: Multihash codes of STAC's ``file:checksum``, in hex, and what hashlib calls them.
_MULTIHASH: Final = {SHA256: "sha256", "1340": "sha512", "1114": "sha1", "d50110": "md5"}

_CHECKSUM: Final = re.compile(r"sha1\$[0-9a-f]+")


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


def verify_input(one: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the size and checksum of a file in place of those that its File object says.

    Raises ``StagingError`` if it says another checksum. The text gives that "for validating file
    integrity" (CWL v1.2 File); of a size it does not say so. Official conformance tests give sizes
    that are not those of their files, and texts for checksums that are not of their form.
    """
    real: dict[str, Any] = {}
    if "checksum" in one:
        real["checksum"] = f"sha1${_digest(path, 'sha1')}"
        _compare(one["checksum"], real["checksum"], path, path_uri(path))
    if "size" in one:
        with telling(path):
            real["size"] = os.stat(path).st_size
    return real


def verify_literal(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same for a File object that has its contents in itself."""
    real = made_of(one["contents"])
    if "checksum" in one:
        shown = f"the contents of {one.get('basename', 'a File')}"
        _compare(one["checksum"], real["checksum"], shown)
    return {part: value for part, value in real.items() if part in one}


def _compare(said: Any, real: str, what: str, uri: str = "") -> None:
    """What is no checksum in the form of CWL, ``sha1$`` and a hexadecimal number, says nothing."""
    if _CHECKSUM.fullmatch(str(said).lower()) and str(said).lower() != real:
        raise StagingError(
            f"{what} has the checksum {real}, not {said} as its File object says",
            uri=uri,
            hint="see that it is the right file, or leave its checksum out",
        )


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a file in hex."""
    return _digest(path, "sha256")


def _digest(path: str, name: str) -> str:
    with telling(path), open(path, "rb", buffering=0) as file:
        return contents.digest(file.fileno(), name, on)
