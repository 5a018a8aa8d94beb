"""The names of a job's step instances.

Owns counting them, and that no two share a name or a folder, on any disk. Must not know what steps
do.
"""

import os
import re
import unicodedata
from typing import Final

#: How the folder of a later attempt ends; that of a step's inputs ends with ``.in`` after it.
_ATTEMPT: Final = re.compile(r"\.\d+$")


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

    ``names`` counts the instances of each step so far.
    """

    def __init__(self, names: dict[str, int]) -> None:
        self._names = names
        self._taken = set(map(folded, names))
        self._alike = {owner for name in self._taken if "." in name for owner in _owners(name)}

    def take(self, step: str) -> str:
        """Name the next instance of a step."""
        known = self._names.get(step, 0)
        count = known + 1
        name = step if count == 1 else f"{step}_{count}"
        while not self._is_free(alike := folded(name)):
            count += 1
            name = f"{step}_{count}"
        self._names[step] = count
        if count > 1 and not known:  # else it was taken before
            self._taken.add(folded(step))
        self._taken.add(alike)
        if "." in alike:
            self._alike.update(_owners(alike))
        return name

    def _is_free(self, name: str) -> bool:
        """Whether neither a folded name nor a folder that comes with it is another step's."""
        if name in self._taken or name in self._alike:
            return False
        return "." not in name or _owners(name).isdisjoint(self._taken)


def _owners(name: str) -> set[str]:
    """Return the names of steps one of whose folders would be called like this step."""
    plain = name.removesuffix(".in")
    return {plain, _ATTEMPT.sub("", plain), _ATTEMPT.sub("", name)} - {name}
