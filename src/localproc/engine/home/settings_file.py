"""Settings that a home keeps in a file of its own.

Owns reading ``settings.yml``: options of executors and storages by name, resolvers of software.
Must not know what they mean, nor any other setting.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.engine.home.settings import Settings, check_options
from localproc.errors import InvalidInputs
from localproc.software.configuration import check as check_software
from localproc.software.configuration import read_file as read_software

_MEMBERS: Final = ("executor_options", "storage_options")
_SOFTWARE: Final = "software"

_Options = Mapping[str, Mapping[str, Any]]


def with_file(settings: Settings, path: str) -> Settings:
    """Return settings with the options that a file has; of an option in both, theirs counts.

    The resolvers of software are read, too. Raises ``InvalidInputs`` for a file that is no mapping
    of options.
    """
    if settings.software:
        named = settings.software
        read = read_software(named) if isinstance(named, str) else check_software(named, "")
        settings = replace(settings, software=read)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return settings
    except (OSError, ValueError) as error:
        raise InvalidInputs(f"{path} cannot be read: {error}") from error
    found = _read(text, path)
    return replace(
        settings,
        software=settings.software or check_software(found.get(_SOFTWARE, []), path),
        executor_options=_merged(found.get(_MEMBERS[0], {}), settings.executor_options),
        storage_options=_merged(found.get(_MEMBERS[1], {}), settings.storage_options),
    )


def _read(text: str, path: str) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(text) or {}
    except YAMLError as error:
        raise InvalidInputs(f"{path} is not YAML: {error}") from error
    hint = f"it may have {', '.join(_MEMBERS)} and {_SOFTWARE}"
    if not isinstance(found, dict):
        raise InvalidInputs(f"{path} is not a mapping", hint=hint)
    for name, options in found.items():
        if name == _SOFTWARE:
            continue
        if name not in _MEMBERS:
            raise InvalidInputs(f"{path} has {name!r}, which is not known there", hint=hint)
        check_options(name, options)
    return found


def _merged(one: _Options, over: _Options) -> _Options:
    return {name: {**one.get(name, {}), **over.get(name, {})} for name in {**one, **over}}
