"""The names of a job's step instances.

Owns counting them, and that no two share a name or a folder. Must not know what steps do.
"""

from typing import Final

#: How the folders of a step's inputs, and of its later attempts, end.
_FOLDERS: Final = (".in", ".2", ".2.in", ".3", ".3.in")


class StepNames:
    """Names for step instances: the step, then ``_2``, ``_3``, ... in the order of starting.

    ``names`` counts the instances of each step so far.
    """

    def __init__(self, names: dict[str, int]) -> None:
        self._names = names

    def take(self, step: str) -> str:
        """Name the next instance of a step."""
        count = self._names.get(step, 0) + 1
        name = step if count == 1 else f"{step}_{count}"
        while not self._is_free(name):
            count += 1
            name = f"{step}_{count}"
        self._names[step] = count
        if count > 1:
            self._names.setdefault(name, 1)
        return name

    def _is_free(self, name: str) -> bool:
        """Whether neither the name nor a folder that comes with it is another step's."""
        names = self._names
        return name not in names and not any(
            name + end in names or (name.endswith(end) and name.removesuffix(end) in names)
            for end in _FOLDERS
        )
