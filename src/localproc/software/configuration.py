"""Which resolvers are asked, in which order.

Owns reading it from a file: a list of resolvers, as Galaxy and cwltool have them
(``--beta-dependency-resolvers-configuration``), or a mapping of packages. Must not know what the
options of a resolver mean.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from localproc.errors import InvalidInputs


def read_file(path: str) -> list[dict[str, Any]]:
    """Return the resolvers that a file names, each with its options; raises ``InvalidInputs``."""
    found = _yaml(path)
    if isinstance(found, list):
        return check(found, path)
    if isinstance(found, Mapping):
        return [{"type": "mapping", "packages": found}]
    raise InvalidInputs(f"{path} has neither resolvers nor packages")


def check(entries: Any, place: str) -> list[dict[str, Any]]:
    """Return resolvers with their files of names read; raises ``InvalidInputs``.

    Relative paths of those files are relative to the folder of ``place``.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InvalidInputs(f"software in {place} is no list of resolvers")
    for one in entries:
        if not isinstance(one, Mapping) or not isinstance(one.get("type"), str):
            raise InvalidInputs(
                f"software in {place} has {one!r}, which is no resolver",
                hint="each has a type, such as modules, conda, galaxy_packages or mapping",
            )
    return [_with_names(dict(one), os.path.dirname(place)) for one in entries]


def _with_names(entry: dict[str, Any], folder: str) -> dict[str, Any]:
    """Read ``mapping_files``, which tell by what name and version a resolver knows a package."""
    files = entry.pop("mapping_files", None) or []
    names = list(entry.get("names") or [])
    for file in [files] if isinstance(files, str) else files:
        names += _yaml(os.path.join(folder, str(file))) or []
    if "file" in entry:
        entry["packages"] = _yaml(os.path.join(folder, str(entry.pop("file"))))
    if names:
        entry["names"] = names
    return entry


def _yaml(path: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with open(path, encoding="utf-8") as file:
            return YAML(typ="safe").load(file)
    except (OSError, ValueError) as error:
        raise InvalidInputs(f"{path} cannot be read: {error}") from error
    except YAMLError as error:
        raise InvalidInputs(f"{path} is not YAML: {error}") from error
