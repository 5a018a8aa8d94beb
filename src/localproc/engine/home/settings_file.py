"""Settings that a home keeps in a file of its own.

Owns reading ``settings.yml``: options of executors, container runtimes and storages, by name and by
namespace, which containers are used, where software is found, variables of tools and sources of
secrets. Must not know what they mean, nor any other setting.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.engine.home.secrets import check_sources
from localproc.engine.home.settings import Settings, check_options
from localproc.engine.home.variables import read_variables, to_data
from localproc.errors import InvalidInputs
from localproc.software.configuration import check as check_software
from localproc.software.configuration import read_file as read_software

_OPTIONS: Final = ("executor_options", "container_options", "storage_options")
_NAMESPACES: Final = "namespace_storage_options"
_TEXTS: Final = ("containers", "images", "pull")
_MAP: Final = "container_map"
_SOFTWARE: Final = "software"
_GIVEN: Final = ("variables", "secrets", "mail")
_MEMBERS: Final = (*_OPTIONS, _NAMESPACES, *_TEXTS, _MAP, _SOFTWARE, *_GIVEN)

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
    options: dict[str, Any] = {
        name: _merged(found.get(name, {}), getattr(settings, name)) for name in _OPTIONS
    }
    options[_NAMESPACES] = _of_namespaces(found, settings)
    texts: dict[str, Any] = {
        name: getattr(settings, name) or found.get(name, getattr(settings, name)) for name in _TEXTS
    }
    images: dict[str, Any] = {_MAP: {**found.get(_MAP, {}), **settings.container_map}}
    given: dict[str, Any] = {
        "variables": [
            *to_data(read_variables(found.get("variables", ()))),
            *to_data(read_variables(settings.variables)),
        ],
        "secrets": {**found.get("secrets", {}), **settings.secrets},
        "mail": {**found.get("mail", {}), **settings.mail},
    }
    software = settings.software or check_software(found.get(_SOFTWARE, []), path)
    return replace(settings, software=software, **options, **texts, **images, **given)


def _of_namespaces(found: Mapping[str, Any], settings: Settings) -> Mapping[str, _Options]:
    one, over = found.get(_NAMESPACES, {}), settings.namespace_storage_options
    return {name: _merged(one.get(name, {}), over.get(name, {})) for name in {**one, **over}}


def _read(text: str, path: str) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(text) or {}
    except YAMLError as error:
        raise InvalidInputs(f"{path} is not YAML: {error}") from error
    hint = f"it may have {', '.join(_MEMBERS)}"
    if not isinstance(found, dict):
        raise InvalidInputs(f"{path} is not a mapping", hint=hint)
    for name, options in found.items():
        if name not in _MEMBERS:
            raise InvalidInputs(f"{path} has {name!r}, which is not known there", hint=hint)
        if name in (*_OPTIONS, _NAMESPACES):
            check_options(name, options)
        for namespace in options if name == _NAMESPACES else ():
            check_options(f"{name}.{namespace}", options[namespace])
        if name == "secrets":
            check_sources(options)
        if name in (_MAP, "mail") and not isinstance(options, dict):
            raise InvalidInputs(f"{path} has {name!r}, which is no mapping")
        if name in _TEXTS and not isinstance(options, str):
            raise InvalidInputs(f"{path} has {name!r}, which is no text")
    return found


def _merged(one: _Options, over: _Options) -> _Options:
    return {name: {**one.get(name, {}), **over.get(name, {})} for name in {**one, **over}}
