"""Packages that lie in folders: conda prefixes, and Galaxy's ``base/NAME/VERSION``.

Owns finding them there, and the shell that makes each available. Must not know other resolvers.
"""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from glob import escape, glob
from typing import Any

from localproc.errors import InvalidInputs
from localproc.model import SoftwarePackage
from localproc.plugins.software import Found
from localproc.software.shells import changed

_ACTIVATE = """
export CONDA_PREFIX={0} CONDA_DEFAULT_ENV={0} PATH={0}/bin:"$PATH"
for each in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
  if [ -e "$each" ]; then . "$each"; fi
done
"""


class Conda:
    """Resolver of the type ``conda``: environments below ``prefix`` and in the folders ``envs``.

    An environment has what its ``conda-meta`` lists. Nothing is installed.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        prefix, more = options.get("prefix"), options.get("envs") or []
        if not prefix and not more:
            raise InvalidInputs("a conda resolver has neither a prefix nor envs")
        self._roots = [str(prefix)] if prefix else []
        self._folders = [more] if isinstance(more, str) else list(map(str, more))
        self._folders += [os.path.join(one, "envs") for one in self._roots]

    def find(self, package: SoftwarePackage) -> Found | None:
        """Return the first environment that has one of the versions."""
        for version in package.versions or ("",):
            for prefix in self._prefixes():
                there = _versions(prefix, package.name)
                if (version or next(iter(there), None)) in there:
                    return Found(package.name, version or there[0], prefix)
        return None

    def load(self, found: Sequence[Found], env: Mapping[str, str]) -> Mapping[str, str]:
        """Activate the environments, each once."""
        prefixes = dict.fromkeys(one.place for one in found)
        return changed(env, "".join(_ACTIVATE.format(shlex.quote(one)) for one in prefixes))

    def _prefixes(self) -> Iterator[str]:
        for folder in self._folders:
            yield from sorted(glob(os.path.join(escape(folder), "*")))
        yield from self._roots


def _versions(prefix: str, name: str) -> list[str]:
    """Return the versions of a package that ``conda-meta/NAME-VERSION-BUILD.json`` tell of."""
    pattern = os.path.join(escape(prefix), "conda-meta", f"{escape(name)}-*-*.json")
    parts = (os.path.basename(path).rsplit("-", 2) for path in sorted(glob(pattern)))
    return [version for there, version, _ in parts if there == name]


class GalaxyFolders:
    """Resolver of the type ``galaxy_packages``: ``base_path/NAME/VERSION``.

    There is an ``env.sh`` or a ``bin``; ``default`` leads to the version for who asks for none.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        if not options.get("base_path"):
            raise InvalidInputs("a galaxy_packages resolver has no base_path")
        self._base = os.path.abspath(str(options["base_path"]))

    def find(self, package: SoftwarePackage) -> Found | None:
        """Return the first of the versions that has a folder."""
        for version in package.versions or ("default",):
            place = os.path.join(self._base, package.name, version)
            if os.path.isfile(f"{place}/env.sh") or os.path.isdir(f"{place}/bin"):
                real = os.path.realpath(place)
                return Found(package.name, os.path.basename(real), real)
        return None

    def load(self, found: Sequence[Found], env: Mapping[str, str]) -> Mapping[str, str]:
        """Source the files, or add to the ``PATH``."""
        lines = []
        for one in found:
            script, programs = f"{one.place}/env.sh", f"{one.place}/bin"
            if os.path.isfile(script):
                lines.append(f". {shlex.quote(script)} || exit 1")
            else:
                lines.append(f'export PATH={shlex.quote(programs)}:"$PATH"')
        return changed(env, "\n".join(lines))
