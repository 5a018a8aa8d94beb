"""Environment modules (Lmod, Tcl modules): packages that ``module load`` makes available.

Owns the names of modules and the shell that loads them. Must not know other resolvers.

A module is there if it can be loaded: ``module avail`` has as many forms as there are programs.
What is said of one that cannot be is told, unless that is that nobody knows it.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.errors import EnvironmentProblem
from localproc.model import SoftwarePackage
from localproc.plugins.software import Found
from localproc.software.shells import changed

#: What is said of a module that is not there, by Tcl modules and Lmod, and where there is neither.
_UNKNOWN: Final = """(locate a modulefile for|unknown:) *['"]{name}['"]|command not found"""


class Modules:
    """Resolver of the type ``modules``.

    ``init`` is the shell that defines ``module``, where the profile of a login shell does not;
    ``use`` are folders with more modules.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        use = options.get("use") or []
        folders = [use] if isinstance(use, str) else use
        self._begin = [
            str(options.get("init") or ":"),
            *(f"module use {shlex.quote(str(one))}" for one in folders),
        ]

    def find(self, package: SoftwarePackage) -> Found | None:
        """Return the first of the versions whose module can be loaded."""
        broken = None
        for version in package.versions or ("",):
            name = f"{package.name}/{version}" if version else package.name
            try:
                loaded = self._loaded(name)
            except EnvironmentProblem as error:
                broken = error
                continue
            if loaded:
                return Found(package.name, loaded.partition("/")[2] or version, loaded)
        if broken is not None:
            raise broken
        return None

    def load(self, found: Sequence[Found], env: Mapping[str, str]) -> Mapping[str, str]:
        """Load the modules together, in their order."""
        return self._with(env, [one.place for one in found])

    def _loaded(self, name: str) -> str:
        """Return the module's whole name, empty if there is no such module.

        Raises ``EnvironmentProblem`` for one that fails to load.
        """
        try:
            there = self._with({}, [name]).get("LOADEDMODULES", "").split(":")
        except EnvironmentProblem as error:
            if re.search(_UNKNOWN.format(name=re.escape(name)), error.message):
                return ""
            raise
        return next((one for one in there if one == name or one.startswith(f"{name}/")), "")

    def _with(self, env: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
        loads = (f"module load {shlex.quote(one)} || exit 1" for one in names)
        return changed(env, "\n".join([*self._begin, *loads]), login=True)
