"""Ids of jobs.

Owns their form: UUIDs of version 7 (RFC 9562), which sort by the time they were made. Must not know
jobs.
"""

import os
from datetime import datetime


def new_id(at: datetime) -> str:
    """Return a new id; ids of one process made in one millisecond are in no order."""
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    chance = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 7 << 76 | chance >> 68 << 64 | 2 << 62 | chance & (1 << 62) - 1
    text = f"{value:032x}"  # as ``uuid.UUID`` writes it, which takes twice as long
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
