"""What inputs may name on this machine.

Owns holding inputs to an ``InputPolicy`` before a job is accepted. Must not read anything.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.files import Stat, is_literal, is_reference, walk
from localproc.cwl.base.types import is_filelike
from localproc.errors import InvalidInputs, Problem, StagingError
from localproc.model import InputPolicy
from localproc.storage.access import Access
from localproc.storage.disk import Disk
from localproc.storage.filesystem import FilesystemStorage
from localproc.uris import uri_path

#: How a path begins that is absolute, or that a shell makes so: ``~/``, ``~somebody``.
_PATH: Final = re.compile(r"/|~[\w.-]*(/|$)")


class RootedDisk(Disk):
    """A disk that shows nothing outside the roots of a policy, not even whether it is there."""

    def __init__(self, policy: InputPolicy) -> None:
        super().__init__()
        self._access = Access(lambda *_: FilesystemStorage(), policy)

    def stat(self, path: str) -> Stat | None:
        """Return what is there; of anything outside nothing is told, and it is refused later."""
        try:
            self._access.check_path(path)
        except StagingError:
            return Stat(is_dir=False, size=0, is_hidden=True)
        return super().stat(path)


def check_policy(inputs: Mapping[str, Any], policy: InputPolicy) -> None:
    """Raise ``InvalidInputs`` with every input that names what the policy does not allow.

    That is a file outside its roots, or an object of a storage outside its prefixes. Texts count as
    well as files: a tool may take the path of a scene as a string. What changes the process itself
    (``cwl:requirements``) may name any file in ways that cannot be told beforehand.
    """
    if policy.trusting:
        return
    access = Access(lambda *_: FilesystemStorage(), policy)
    problems = [
        Problem("is no input of the process, and may not change it here", f"inputs.{name}")
        for name in inputs
        if name.startswith("cwl:") and policy.roots is not None
    ]
    for name, value in inputs.items():
        texts = () if policy.roots is None else _texts(value)
        for check, named in [
            *((access.check, uri) for uri in _locations(value)),
            *((access.check_path, path) for path in texts),
        ]:
            try:
                check(named)
            except StagingError as error:
                problems.append(Problem(error.message, f"inputs.{name}", hint=error.hint))
    if problems:
        raise InvalidInputs("some inputs may not be read", problems)


def _locations(value: Any) -> Iterator[str]:
    for one in [value] if is_reference(value) else walk([value]):
        if not is_literal(one):
            yield str(one["location"])


def _texts(value: Any) -> Iterator[str]:
    """Yield the paths among texts: ``file:`` URIs, absolute paths, and those that lead upwards."""
    if isinstance(value, Mapping):
        for item in () if is_filelike(value) or is_reference(value) else value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str) and "\n" not in value and "\0" not in value:
        if value.lower().startswith("file:"):
            yield uri_path("file:" + value[5:])
        elif _PATH.match(value) or posixpath.normpath(value).split("/")[0] == "..":
            yield value if value.startswith("/") else "/" + value
