"""Whether what is to be put is there already, from a try that was cut short later on.

Owns what an ETag says of an object that came in parts: nobody knows its SHA-256 before they have
been sent, so that cannot stand beside it. Must not know who puts.
"""

import hashlib

from localproc.errors import NoSuchObject
from localproc.plugins.storage import Info, Put, Watch
from localproc_s3.connection import Connection
from localproc_s3.object_body import Contents
from localproc_s3.object_names import Place
from localproc_s3.uploads import parts_of
from localproc_s3.window import PART


def unchanged(
    connection: Connection, contents: Contents, place: Place, what: Put, watch: Watch
) -> Info | None:
    """Return what is there if it is the same, ``None`` if it is not or cannot be told.

    A small object costs no more to be sent. An ETag that is not made of the MD5 of parts, as with
    some encryption, tells nothing. Raises ``StagingError``, and what ``watch`` raises.
    """
    if contents.size <= PART or what.if_absent:
        return None
    try:
        there = connection.call("head_object", place.uri, **place.named)
    except NoSuchObject:
        return None
    etag = str(there.get("ETag", ""))
    if (there["ContentLength"], there.get("ContentType")) != (contents.size, what.media_type):
        return None
    length, count = parts_of(contents.size)
    if etag.strip('"').partition("-")[2] != str(count):
        return None
    digest, parts = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    while data := contents.read(length):
        watch(0)
        digest.update(data)
        parts.update(hashlib.md5(data, usedforsecurity=False).digest())
    if etag != f'"{parts.hexdigest()}-{count}"':
        contents.rewind()
        return None
    what.verify(digest.hexdigest())
    watch(contents.size)
    return Info(place.uri, contents.size, etag, digest.hexdigest())
