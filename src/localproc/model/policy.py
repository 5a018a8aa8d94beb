"""What may be read for a job.

Owns the bounds, as they are given. Must not know who keeps to them.
"""

from dataclasses import fields
from typing import Any, Final

from localproc.frozen import frozen
from localproc.spelling import public


@public
@frozen
class InputPolicy:
    """What may be read for a job.

    ``roots``: the folders that ``file:`` URIs and paths may lie in, ``None`` for any (a caller who
    could read them anyway). ``guarded``: web addresses must be public. Where either bounds a job,
    objects of all other storages, which are read with the keys of whoever runs the engine, must lie
    below one of the ``prefixes`` (``s3://bucket/open``). ``most``: bytes that one file may have;
    ``most_of_job`` and ``most_of_host`` those that may be brought for one job, from everywhere and
    from one host.
    """

    roots: tuple[str, ...] | None = None
    guarded: bool = False
    most: int | None = None
    prefixes: tuple[str, ...] = ()
    most_of_job: int | None = None
    most_of_host: int | None = None

    @property
    def trusting(self) -> bool:
        """Whether the job may read whatever its engine can."""
        return self.roots is None and not self.guarded

    def to_data(self) -> dict[str, Any]:
        """Return its members by name, as JSON has them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


#: That of whoever could read everything anyway.
TRUSTING: Final = InputPolicy()
