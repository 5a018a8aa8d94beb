"""Settings that a home keeps in a file of its own, and what the environment says of them.

Owns reading ``settings.yml``: options of executors, container runtimes and storages, by name and by
namespace, which containers are used, where software is found, what is pruned, whether steps are
reused and when they are retried, variables of tools and sources of secrets. Must not know what they
mean, nor any other setting.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.engine.home.retention import Retention
from localproc.engine.home.secrets import check_sources
from localproc.engine.home.settings import Settings, check_by_name
from localproc.engine.home.variables import read_variables, to_data
from localproc.errors import InvalidInputs
from localproc.near import near
from localproc.software.configuration import check as check_software
from localproc.software.configuration import read_file as read_software

_OPTIONS: Final = ("executor_options", "container_options", "storage_options")
_NAMESPACES: Final = "namespace_storage_options"
_TEXTS: Final = ("containers", "images", "pull")
_MAPS: Final = ("container_map", "prune")
_SOFTWARE: Final = "software"
_GIVEN: Final = ("variables", "secrets", "mail")
_MEMBERS: Final = (
    *_OPTIONS,
    _NAMESPACES,
    *_TEXTS,
    *_MAPS,
    _SOFTWARE,
    *_GIVEN,
    "reuse",
    "retries",
)
_REUSE: Final = "LOCALPROC_REUSE"
_WORDS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

_Options = Mapping[str, Mapping[str, Any]]


def with_file(settings: Settings, path: str) -> Settings:
    """Return settings with what a file and the environment add; of what is in both, theirs counts.

    The resolvers of software are read, too.

    Raises ``InvalidInputs`` for a file that is no mapping of settings, and for a variable that says
    neither yes nor no.
    """
    if settings.software:
        named = settings.software
        read = read_software(named) if isinstance(named, str) else check_software(named, "")
        settings = replace(settings, software=read)
    text = _text(path)
    found = _read(text, path) if text else {}
    options: dict[str, Any] = {
        name: _merged(found.get(name, {}), getattr(settings, name)) for name in _OPTIONS
    }
    options[_NAMESPACES] = _of_namespaces(found, settings)
    texts: dict[str, Any] = {
        name: getattr(settings, name) or found.get(name, getattr(settings, name)) for name in _TEXTS
    }
    maps: dict[str, Any] = {
        name: {**found.get(name, {}), **getattr(settings, name)} for name in _MAPS
    }
    given: dict[str, Any] = {
        "variables": [
            *to_data(read_variables(found.get("variables", ()))),
            *to_data(read_variables(settings.variables)),
        ],
        "secrets": {**found.get("secrets", {}), **settings.secrets},
        "mail": {**found.get("mail", {}), **settings.mail},
    }
    return replace(
        settings,
        software=settings.software or check_software(found.get(_SOFTWARE, []), path),
        **options,
        **texts,
        **maps,
        **given,
        reuse=_first(settings.reuse, _from_environment(), found.get("reuse"), False),
        retries=_first(settings.retries, found.get("retries")),
    )


def _of_namespaces(found: Mapping[str, Any], settings: Settings) -> Mapping[str, _Options]:
    one, over = found.get(_NAMESPACES, {}), settings.namespace_storage_options
    return {name: _merged(one.get(name, {}), over.get(name, {})) for name in {**one, **over}}


def _first(*values: Any) -> Any:
    """Return the first value that is one."""
    return next((one for one in values if one is not None), None)


def _from_environment() -> bool | None:
    said = os.environ.get(_REUSE, "").strip().lower()
    if said and said not in _WORDS:
        hint = f"it is one of {', '.join(_WORDS)}"
        raise InvalidInputs(f"{_REUSE} is {said!r}, which is neither yes nor no", hint=hint)
    return _WORDS.get(said)


def _text(path: str) -> str:
    """Return what is in the file, nothing if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        raise InvalidInputs(f"{path} cannot be read: {error}") from error


def _read(text: str, path: str) -> Mapping[str, Any]:
    from ruamel.yaml import YAML

    try:
        found = YAML(typ="safe").load(text) or {}
    except Exception as error:  # readers of tags raise what they like, and all quote the file
        mark = getattr(error, "problem_mark", None)  # no more: there may be keys in it
        where = f", as line {mark.line + 1} tells" if mark else ""
        raise InvalidInputs(f"{path} is not YAML{where}") from None
    hint = f"it may have: {', '.join(_MEMBERS)}"
    if not isinstance(found, dict):
        raise InvalidInputs(f"{path} is not a mapping", hint=hint)
    for name, options in found.items():
        if name not in _MEMBERS:
            raise InvalidInputs(
                f"{path} has {name!r}, which is not known there",
                hint=near(str(name), _MEMBERS, hint),
            )
        if name in (*_OPTIONS, _NAMESPACES):
            check_by_name(name, options)
        for namespace in options if name == _NAMESPACES else ():
            check_by_name(f"{name}.{namespace}", options[namespace])
        if name == "secrets":
            check_sources(options)
        if name in (*_MAPS, "mail") and not isinstance(options, dict):
            raise InvalidInputs(f"{path} has {name!r}, which is no mapping")
        if name in _TEXTS and not isinstance(options, str):
            raise InvalidInputs(f"{path} has {name!r}, which is no text")
    _check_prune(found.get("prune", {}), path)
    if not isinstance(found.get("reuse", False), bool):
        raise InvalidInputs(f"{path} has reuse: {found['reuse']!r}, neither true nor false")
    return found


def _check_prune(options: Mapping[str, Any], path: str) -> None:
    try:
        Retention.of(options)
    except InvalidInputs as error:
        error.message = f"{path}, prune: {error.message}"
        raise


def _merged(one: _Options, over: _Options) -> _Options:
    return {name: {**one.get(name, {}), **over.get(name, {})} for name in {**one, **over}}
