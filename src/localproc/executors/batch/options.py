"""Options of an executor, for all steps and for some.

Owns which hold for a step, and refusing those that do not exist. Must not know what they mean.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from localproc.errors import EnvironmentProblem

#: Options that every scheduler has, with what they mean.
SHARED: Final[Mapping[str, str]] = {
    "mode": "`single` jobs, an `array`, or `bundle`: many tasks in a job; otherwise an array of "
    "tasks that come together and ask for the same",
    "bundle": "the most tasks of a bundle (32)",
    "bundle_cores": "the cores of a bundle, which it gives to as many tasks as fit (4)",
    "jobs": "how many tasks are handed in at a time, those that wait included (1000)",
    "timeout": "seconds that a command of the scheduler may take (30)",
    "keep": "variables of the node that tasks get, a list",
    "setup": "shell lines that are run before a task, such as `module load gdal`; it gets their "
    "environment",
    "tmp": "where temporary folders are made on the node (`${TMPDIR:-/tmp}`)",
    "python": "the Python of the node that runs bundles; otherwise the one that runs localproc, "
    "if it is there, or `python3`",
    "shared": "the folders that nodes see, a list; a step that would use another one is refused",
    "steps": "options for steps, by a pattern of their names or places",
}


class Options:
    """Options as they were given; raises ``EnvironmentProblem`` for one that is none of ``known``.

    ``steps`` in them has options by patterns; of several that fit, the later one counts more.
    """

    def __init__(self, name: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
        self._plain = {key: value for key, value in given.items() if key != "steps"}
        self._steps = given.get("steps") or {}
        self._known = {**SHARED, **known}
        self._name = name
        if not isinstance(self._steps, Mapping):
            raise EnvironmentProblem(f"the option {name}.steps is not a mapping of patterns")
        self._check(self._plain)
        for pattern, options in self._steps.items():
            if not isinstance(options, Mapping):
                raise EnvironmentProblem(f"the options {name}.steps.{pattern} are not a mapping")
            self._check(options)

    def get(self, name: str, default: Any) -> Any:
        """Return an option that holds for all steps."""
        return self._plain.get(name, default)

    def of(self, step: str) -> Mapping[str, Any]:
        """Return the options that hold for a step by its place."""
        name = step.rpartition("/")[2]
        found = dict(self._plain)
        for pattern, options in self._steps.items():
            if fnmatchcase(name, pattern) or fnmatchcase(step, pattern):
                found.update(options)
        return found

    def _check(self, options: Mapping[str, Any]) -> None:
        mode = options.get("mode", "array")
        if mode not in ("single", "array", "bundle"):
            raise EnvironmentProblem(
                f"the option {self._name}.mode cannot be {mode!r}",
                hint="it is single, array or bundle",
            )
        for name in options:
            if name not in self._known:
                raise EnvironmentProblem(
                    f"the executor {self._name} has no option {name!r}",
                    hint=f"it has {', '.join(sorted(self._known))}",
                )
