"""How many bytes may come for a job, from everywhere and from each host.

Owns counting them while they come. Must not know how they come.
"""

import threading
from collections import defaultdict
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.storage.addresses import redacted


class Budget:
    """The bytes of one job; transfers at the same time count together."""

    def __init__(self, policy: InputPolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._files: dict[str, int] = {}
        self._hosts: defaultdict[str, int] = defaultdict(int)
        self._all = 0

    def count(self, uri: str, path: str, size: int) -> None:
        """Note that ``size`` bytes of an object have come to a path, by now.

        Raises ``StagingError`` once they are more than may come.
        """
        host = urlsplit(uri).netloc.rpartition("@")[2]
        with self._lock:
            more = size - self._files.get(path, 0)
            self._files[path] = size
            self._hosts[host] += more
            self._all += more
            have, here = self._all, self._hosts[host]
        _check(have, self._policy.most_of_job, "all inputs of the job", uri)
        _check(here, self._policy.most_of_host, f"inputs from {host}", uri)

    def unpacked(self, uri: str, more: int) -> None:
        """Note that so many bytes more were in an archive; raises ``StagingError`` as well."""
        with self._lock:
            self._all += more
            have = self._all
        _check(have, self._policy.most_of_job, "all inputs of the job", uri)


def _check(have: int, most: int | None, what: str, uri: str) -> None:
    if most is not None and have > most:
        raise StagingError(
            f"{what} have more than {most} bytes",
            uri=redacted(uri),
            hint="ask for less, or have whoever runs the engine raise the limit",
        )
