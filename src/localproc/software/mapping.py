"""A mapping that somebody has written: what to do for each package and version.

Owns its form, ``NAME: {VERSION: {path, env, module}}``. Must not know who wrote it.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.errors import InvalidInputs
from localproc.model import SoftwarePackage
from localproc.plugins.software import Found
from localproc.software.modules import Modules

_MEMBERS: Final = ("path", "env", "module")
_ANY: Final = "*"


class Mapped:
    """Resolver of the type ``mapping``.

    ``packages`` has the mapping; the version ``*`` is for all that are not there, and may be left
    out. ``path`` is put before the ``PATH``, ``env`` is set, ``module`` is loaded.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        packages = options.get("packages")
        if not isinstance(packages, Mapping):
            raise InvalidInputs("a mapping of software has no packages by name")
        self._packages = {str(name): _by_version(name, one) for name, one in packages.items()}
        self._modules = Modules(options)

    def find(self, package: SoftwarePackage) -> Found | None:
        """Return the first of the versions that is mapped."""
        known = self._packages.get(package.name, {})
        for version in package.versions:
            if version in known:
                return Found(package.name, version, version)
        if _ANY in known:
            return Found(package.name, next(iter(package.versions), ""), _ANY)
        if known and not package.versions:
            newest = next(iter(known))
            return Found(package.name, newest, newest)
        return None

    def load(self, found: Sequence[Found], env: Mapping[str, str]) -> Mapping[str, str]:
        """Do what is written for each."""
        result = dict(env)
        for one in found:
            asked = self._packages[one.name][one.place]
            if asked.get("module"):
                module = Found(one.name, one.version, str(asked["module"]))
                result = dict(self._modules.load([module], result))
            if asked.get("path"):
                path = asked["path"]
                paths = [path] if isinstance(path, str) else list(map(str, path))
                result["PATH"] = os.pathsep.join([*paths, result.get("PATH", os.defpath)])
            result.update((str(name), str(value)) for name, value in asked.get("env", {}).items())
        return result


def _by_version(name: Any, asked: Any) -> dict[str, Mapping[str, Any]]:
    """Return what to do by version; raises ``InvalidInputs`` for what is not of the form."""
    if not isinstance(asked, Mapping) or not asked:
        raise InvalidInputs(f"software {name!r} is {asked!r}, not a mapping by version")
    by_version = {_ANY: asked} if set(asked) <= set(_MEMBERS) else asked
    for version, one in by_version.items():
        wrong = not isinstance(one, Mapping) or not set(one) <= set(_MEMBERS) or not one
        if wrong or not isinstance(one.get("env", {}), Mapping):
            raise InvalidInputs(
                f"software {name!r}, version {version!r}: {one!r} is not understood",
                hint=f"it may have {', '.join(_MEMBERS)}; versions are texts: quote them",
            )
    return {str(version): one for version, one in by_version.items()}
