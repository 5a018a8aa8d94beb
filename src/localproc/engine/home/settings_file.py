"""Settings that a home keeps in a file of its own.

Owns reading ``settings.yml``: options of executors and storages by name, variables of tools and
sources of secrets. Must not know what they mean, nor any other setting.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.engine.home.secrets import check_sources
from localproc.engine.home.settings import Settings, check_options
from localproc.engine.home.variables import read_variables, to_data
from localproc.errors import InvalidInputs

_MEMBERS: Final = ("executor_options", "storage_options", "variables", "secrets", "mail")

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
        executor_options=_merged(found.get("executor_options", {}), settings.executor_options),
        storage_options=_merged(found.get("storage_options", {}), settings.storage_options),
        variables=[
            *to_data(read_variables(found.get("variables", ()))),
            *to_data(read_variables(settings.variables)),
        ],
        secrets={**found.get("secrets", {}), **settings.secrets},
        mail={**found.get("mail", {}), **settings.mail},
    )


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
        if name.endswith("options"):
            check_options(name, options)
        elif name == "secrets":
            check_sources(options)
    return found


def _merged(one: _Options, over: _Options) -> _Options:
    return {name: {**one.get(name, {}), **over.get(name, {})} for name in {**one, **over}}
