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
#: Codes of multihashes, as they are registered, and what hashlib calls them.
_MULTIHASH: Final = {
    0x11: "sha1",
    0x12: "sha256",
    0x13: "sha512",
    0x14: "sha3_512",
    0x15: "sha3_384",
    0x16: "sha3_256",
    0x17: "sha3_224",
    0x20: "sha384",
    0xD5: "md5",
}
_BLAKE: Final = {0xB200: ("blake2b", 64), 0xB240: ("blake2s", 32)}  #: ... of 1 byte and more

_CHECKSUM: Final = re.compile(r"sha1\$[0-9a-f]+")


def verify_asset(path: str, size: Any, checksum: Any, shown: str) -> str:
    """Compare a file with what its STAC asset says (``file:size``, ``file:checksum``).

    Checksums are multihashes in hex. Returns why one was not looked at, if it was not: it is of a
    kind that is not known here, or of none. ``shown`` is where the file comes from, without
    secrets. Raises ``StagingError``.
    """
    with telling(path):
        have = os.stat(path).st_size
    if size is not None and have != size:
        raise StagingError(f"{shown} has {have} bytes, its item says {size!r}", uri=shown)
    if checksum in (None, ""):
        return ""
    found = _multihash(checksum)
    if found is None:
        return f"{shown}: the checksum in its item is of no kind that is known here"
    name, digest = found
    if not _digest(path, name).startswith(digest):  # a multihash may be cut short
        raise StagingError(
            f"{shown} does not have the checksum that its item says",
            uri=shown,
            hint="the file is damaged, or was changed after the item was written",
        )
    return ""


def _multihash(said: Any) -> tuple[str, str] | None:
    """Return the name of a hash and the digest in hex, ``None`` for what cannot be looked at.

    A multihash is the code, the bytes of the digest, and the digest
    (https://multiformats.io/multihash); the former two are varints.
    """
    try:
        data = bytes.fromhex(said) if isinstance(said, str) else b""
        code, data = _varint(data)
        length, digest = _varint(data)
    except ValueError:
        return None
    name = _MULTIHASH.get(code, "")
    for first, (blake, most) in _BLAKE.items():
        if first < code <= first + most:
            name = f"{blake}-{code - first}"
    return (name, digest.hex()) if name and digest and length == len(digest) else None


def _varint(data: bytes) -> tuple[int, bytes]:
    """Return the number that bytes begin with, seven bits in each of its bytes, and the rest."""
    count = [byte < 0x80 for byte in data].index(True) + 1
    number = sum((byte & 0x7F) << 7 * at for at, byte in enumerate(data[:count]))
    return number, data[count:]


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
