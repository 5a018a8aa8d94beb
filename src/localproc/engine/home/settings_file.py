"""Settings that a home keeps in a file of its own.

Owns reading ``settings.yml``: options of executors and storages, by name, and by namespace. Must
not know what they mean, nor any other setting.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.engine.home.settings import Settings, check_options
from localproc.errors import InvalidInputs

_NAMESPACES: Final = "namespace_storage_options"
_MEMBERS: Final = ("executor_options", "storage_options", _NAMESPACES)

_Options = Mapping[str, Mapping[str, Any]]


def with_file(settings: Settings, path: str) -> Settings:
    """Return settings with the options that a file has; of an option in both, theirs counts.

    Raises ``InvalidInputs`` for a file that is no mapping of options.
    """
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
        executor_options=_merged(found.get(_MEMBERS[0], {}), settings.executor_options),
        storage_options=_merged(found.get(_MEMBERS[1], {}), settings.storage_options),
        namespace_storage_options=_of_namespaces(found, settings),
    )


def _of_namespaces(
    found: Mapping[str, Mapping[str, Any]], settings: Settings
) -> Mapping[str, _Options]:
    one, over = found.get(_NAMESPACES, {}), settings.namespace_storage_options
    return {name: _merged(one.get(name, {}), over.get(name, {})) for name in {**one, **over}}


def _read(text: str, path: str) -> Mapping[str, _Options]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(text) or {}
    except YAMLError as error:
        raise InvalidInputs(f"{path} is not YAML: {error}") from error
    hint = f"it may have {' and '.join(_MEMBERS)}"
    if not isinstance(found, dict):
        raise InvalidInputs(f"{path} is not a mapping", hint=hint)
    for name, options in found.items():
        if name not in _MEMBERS:
            raise InvalidInputs(f"{path} has {name!r}, which is not known there", hint=hint)
        check_options(name, options)
        for namespace in options if name == _NAMESPACES else ():
            check_options(f"{name}.{namespace}", options[namespace])
    return found


def _merged(one: _Options, over: _Options) -> _Options:
    return {name: {**one.get(name, {}), **over.get(name, {})} for name in {**one, **over}}
