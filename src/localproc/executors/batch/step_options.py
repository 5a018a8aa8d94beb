"""Options of an executor, for all steps and for some.

Owns which hold for a step of a process, and refusing those that do not exist. Must not know what
they mean.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from localproc.errors import EnvironmentProblem
from localproc.frozen import frozen

#: Options that every scheduler has, with what they mean.
SHARED: Final[Mapping[str, str]] = {
    "mode": "`single` jobs, an `array`, or `bundle`: many tasks in a job; otherwise an array of "
    "tasks that come together and ask for the same",
    "bundle": "the most tasks of a bundle (32); 250 where they take a second or less",
    "bundle_cores": "the cores of a bundle, which it gives to as many tasks as fit (4)",
    "jobs": "how many tasks are handed in at a time, those that wait included (1000)",
    "timeout": "seconds that a command of the scheduler may take (30)",
    "keep": "variables of the node that tasks get, a list",
    "setup": "shell lines that are run before a task, such as `module load gdal`; it gets their "
    "environment",
    "tmp": "where temporary folders are made on the node (`${TMPDIR:-/tmp}`)",
    "python": "the Python of the node that runs bundles; otherwise the one that runs localproc, "
    "if it is there, or `python3`",
    "mpirun": "the command that starts the processes of an MPIRequirement, before `-n` and their "
    "number; `{cores}` are those of each",
    "silence": "seconds after which a bundle whose runner gives no sign of life is taken back, so "
    "that its tasks run elsewhere; 0: never (120)",
    "shared": "the folders that nodes see, a list; a step that would use another one is refused",
    "steps": "options for steps, by a pattern of their names or places",
    "processes": "options for processes, by a pattern of their ids; they may have `steps` as well",
}


#: Options that are numbers, and the least that they can be.
_LEAST: Final = {"bundle": 1, "bundle_cores": 1, "jobs": 1, "timeout": 1, "silence": 0}


class Options:
    """Options as they were given; raises ``EnvironmentProblem`` for one that is none of ``known``.

    ``steps`` in them has options by patterns, and so has ``processes``, which may have ``steps`` of
    their own. Of several that fit, the later one counts more, and what is for a process most.
    """

    def __init__(self, name: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
        self._known = {**SHARED, **known}
        self._name = name
        self._all = self._read(given, "")
        self._processes = [
            (pattern, self._read(options, f".processes.{pattern}"))
            for pattern, options in self._patterns(given, "processes", "").items()
        ]

    def get(self, name: str, default: Any) -> Any:
        """Return an option that holds for all steps."""
        return self._all.plain.get(name, default)

    def of(self, step: str, process: str = "") -> Mapping[str, Any]:
        """Return the options that hold for a step by its place, in a process by its id."""
        found = self._all.of(step)
        for pattern, options in self._processes:
            if fnmatchcase(process, pattern):
                found.update(options.of(step))
        return found

    def _read(self, given: Mapping[str, Any], where: str) -> "_Level":
        plain = {key: one for key, one in given.items() if key not in ("steps", "processes")}
        self._check(plain)
        steps = self._patterns(given, "steps", where)
        for options in steps.values():
            self._check(options)
        return _Level(plain, steps)

    def _patterns(
        self, given: Mapping[str, Any], member: str, where: str
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return options by patterns."""
        found = given.get(member) or {}
        said = f"{self._name}{where}.{member}"
        if not isinstance(found, Mapping):
            raise EnvironmentProblem(f"the option {said} is not a mapping of patterns")
        for pattern, options in found.items():
            if not isinstance(options, Mapping):
                raise EnvironmentProblem(f"the options {said}.{pattern} are not a mapping")
            for inner in {"steps", "processes"} & options.keys():
                if (member, inner) != ("processes", "steps"):
                    raise EnvironmentProblem(
                        f"the options {said}.{pattern} cannot have {inner}",
                        hint="processes may have steps, and nothing else has either",
                    )
        return found

    def _check(self, options: Mapping[str, Any]) -> None:
        mode = options.get("mode", "array")
        if mode not in ("single", "array", "bundle"):
            raise EnvironmentProblem(
                f"the option {self._name}.mode cannot be {mode!r}",
                hint="it is single, array or bundle",
            )
        for name, least in _LEAST.items():
            if not _is_number(given := options.get(name, least), least):
                raise EnvironmentProblem(
                    f"the option {self._name}.{name} cannot be {given!r}",
                    hint=f"it is a number, {least} at least",
                )
        for name in options:
            if name not in self._known:
                raise EnvironmentProblem(
                    f"the executor {self._name} has no option {name!r}",
                    hint=f"it has {', '.join(sorted(self._known))}",
                )


@frozen
class _Level:
    """Options for all steps, and by patterns for some."""

    plain: Mapping[str, Any]
    steps: Mapping[str, Mapping[str, Any]]

    def of(self, step: str) -> dict[str, Any]:
        name = step.rpartition("/")[2]
        found = dict(self.plain)
        for pattern, options in self.steps.items():
            if fnmatchcase(name, pattern) or fnmatchcase(step, pattern):
                found.update(options)
        return found


def _is_number(given: Any, least: int) -> bool:
    """Whether something is, or says, a whole number; seconds have no parts that matter."""
    try:
        return int(given) >= least
    except (TypeError, ValueError, OverflowError):
        return False
