"""What may be read for a job."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputPolicy:
    """What may be read for a job.

    ``roots``: the folders that ``file:`` URIs and paths may lie in, ``None`` for any (a caller who
    could read them anyway). ``guarded``: web addresses must be public. ``most``: bytes that one
    file may have.
    """

    roots: tuple[str, ...] | None = None
    guarded: bool = False
    most: int | None = None
