"""The names of a job's step instances.

Owns counting them, and that no two share a name or a folder, on any disk. Must not know what steps
do.
"""

import os
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

#: How the folder of a later attempt ends; that of a step's inputs ends with ``.in`` after it.
_ATTEMPT: Final = re.compile(r"\.\d+$")
#: How a name ends that is not the first of its step.
_NUMBERED: Final = re.compile(r"(.+)_([2-9]|[1-9]\d{1,8})", re.ASCII | re.DOTALL)


def work_folders(job: str) -> tuple[str, str]:
    """Return the folders of a job that go once nobody has a use for them."""
    return os.path.join(job, "work"), os.path.join(job, "inputs")


def folder_name(name: str, attempt: int) -> str:
    """Return what the folder of an attempt of a step is called."""
    return name if attempt == 1 else f"{name}.{attempt}"


def folded(name: str) -> str:
    """Return what is the same for names that some disk takes for one.

    Those of macOS and Windows do not tell upper from lower case, nor ways to write an accent. A
    home may be moved to one.
    """
    alike = name.lower() if name.isascii() else unicodedata.normalize("NFD", name).casefold()
    return name if alike == name else alike  # one text is enough for the names of a wide scatter


class StepNames:
    """Names for step instances: the step, then ``_2``, ``_3``, ... in the order of starting.

    ``names`` counts the instances of each step so far. Those of a wide scatter are known by their
    highest number.
    """

    def __init__(self, names: Mapping[str, int]) -> None:
        self._counts: dict[str, int] = {}  #: by steps; for those that are alike the highest
        for step, count in names.items():
            alike = folded(step)
            self._counts[alike] = max(count, self._counts.get(alike, 0))
        self._alike = {owner for name in self._counts if "." in name for owner in _owners(name)}

    def take(self, step: str) -> str:
        """Name the next instance of a step."""
        alike = folded(step)
        count = self._counts.get(alike, 0) + 1
        while (count == 1 and self._is_taken(alike)) or not self._is_free(_numbered(alike, count)):
            count += 1
        self._counts[alike] = count
        if count == 1 and "." in alike:  # one with a number is like no other's folders
            self._alike.update(_owners(alike))
        return _numbered(step, count)

    def _is_free(self, name: str) -> bool:
        """Whether neither a folded name nor a folder that comes with it is another step's."""
        if name in self._counts or name in self._alike:
            return False
        return "." not in name or not any(map(self._is_taken, _owners(name)))

    def _is_taken(self, name: str) -> bool:
        if name in self._counts:
            return True
        found = _NUMBERED.fullmatch(name)
        return found is not None and int(found[2]) <= self._counts.get(found[1], 0)


def _numbered(step: str, count: int) -> str:
    return step if count == 1 else f"{step}_{count}"


def _owners(name: str) -> set[str]:
    """Return the names of steps one of whose folders would be called like this step."""
    plain = name.removesuffix(".in")
    return {plain, _ATTEMPT.sub("", plain), _ATTEMPT.sub("", name)} - {name}
