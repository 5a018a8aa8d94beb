"""From packages to an environment that has them.

Owns asking the resolvers in their order, and working out each set of packages once. Must not know
how any resolver finds anything. Any thread may use it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from localproc.errors import EnvironmentProblem, InvalidInputs
from localproc.frozen import frozen
from localproc.model import SoftwarePackage
from localproc.plugins.software import Found, SoftwarePlugin, SoftwareResolver

_OURS: Final = ("type", "names")  #: members of a resolver's configuration that are not its own


@frozen
class Provided:
    """What can be had: the environment, and what each package is; ``missing`` cannot be had.

    ``changes`` are the variables that differ from the environment that it was made from.
    """

    env: Mapping[str, str]
    packages: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)


@frozen
class SoftwareSource:
    """A resolver, with the names and versions that it knows packages by."""

    name: str
    resolver: SoftwareResolver
    names: Sequence[Mapping[str, Any]] = ()

    def find(self, package: SoftwarePackage) -> Found | None:
        """Return a package, by whatever name it has there."""
        return self.resolver.find(self._translated(package))

    def _translated(self, package: SoftwarePackage) -> SoftwarePackage:
        for one in self.names:
            known, wanted = _pair(one, "from"), _pair(one, "to")
            is_version = known[1] is None or known[1] in package.versions
            if known[0] == package.name and is_version:
                versions = package.versions if wanted[1] is None else (wanted[1],)
                return SoftwarePackage(wanted[0] or package.name, versions, package.specs)
        return package


def open_sources(
    resolvers: Iterable[Mapping[str, Any]], kind: Callable[[str], SoftwarePlugin]
) -> list[SoftwareSource]:
    """Open the resolvers that a configuration names, in their order; ``kind`` finds one's type."""
    found = []
    for entry in resolvers:
        options = {name: value for name, value in entry.items() if name not in _OURS}
        plugin = kind(str(entry["type"]))
        found.append(SoftwareSource(plugin.name, plugin.open(options), entry.get("names") or ()))
    return found


class Software:
    """The software of an engine; ``env`` is what tools start with."""

    def __init__(self, sources: Sequence[SoftwareSource], env: Mapping[str, str]) -> None:
        self._sources = sources
        self._env = env
        self._known: dict[tuple[SoftwarePackage, ...], Provided] = {}
        self._lock = threading.Lock()

    def provide(self, packages: Sequence[SoftwarePackage]) -> Provided:
        """Return the environment for packages; raises ``EnvironmentProblem``."""
        asked = tuple(packages)
        if not asked:
            return Provided(self._env)
        with self._lock:
            if asked not in self._known:
                self._known[asked] = self._provide(asked)
            return self._known[asked]

    def _provide(self, packages: Sequence[SoftwarePackage]) -> Provided:
        had: dict[int, list[Found]] = {}
        said, missing = [], []
        for package in packages:
            sources = self._sources if _is_named(package) else ()
            broken = ""
            for number, source in enumerate(sources):
                try:
                    found = source.find(package)
                except EnvironmentProblem as error:
                    broken = broken or f" ({source.name}: {error.message})"
                    continue
                if found is not None:
                    had.setdefault(number, []).append(found)
                    version = f" {found.version}" if found.version else ""
                    said.append(f"{package.name}{version} ({source.name}: {found.place})")
                    break
            else:
                missing.append(f"{package}{broken}")
        env = self._env
        for number in sorted(had):
            env = self._sources[number].resolver.load(had[number], env)
        changes = {name: value for name, value in env.items() if self._env.get(name) != value}
        return Provided(env, tuple(said), tuple(missing), changes)


def _is_named(package: SoftwarePackage) -> bool:
    """Whether a package and its versions have names, and no paths nor options in their places.

    Resolvers run what they find by a name on this machine, outside of any container: a package must
    not lead them to a file that somebody has put there.
    """
    return all(
        "\0" not in name and not name.startswith("-") and not {"", ".", ".."} & {*name.split("/")}
        for name in (package.name, *package.versions)
    )


def _pair(entry: Mapping[str, Any], side: str) -> tuple[str, str | None]:
    """Return the name and the version of one side of a translation."""
    named = entry.get(side)
    if isinstance(named, Mapping):
        version = named.get("version")
        return str(named.get("name") or ""), None if version is None else str(version)
    if not isinstance(named, str):
        raise InvalidInputs(f"{entry!r} has no {side!r} with a name of a package")
    return named, None
