"""The dictionaries that the ZOO kernel hands to a service, and what they say.

Owns ``conf`` with its sections, ``inputs`` and ``outputs``. Must not know handlers or jobs.

The kernel hands over texts: of a number as well, with its type beside it.
"""

import configparser
import json
import os
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import yaml

from localproc.errors import InvalidInputs

Conf = dict[str, Any]

_TYPES: Final[Mapping[type, str]] = {bool: "boolean", int: "integer", float: "double"}
_READERS: Final[Mapping[str, Any]] = {
    "float": float,
    "double": float,
    "integer": int,
    "boolean": lambda text: str(text).strip().lower() in ("true", "1"),
}


class _Plain(yaml.SafeLoader):  # type: ignore[misc] # it has no types
    """Reads YAML whose dates stay texts, as JSON has none and the kernel hands over texts."""

    yaml_implicit_resolvers: ClassVar = {
        letter: [one for one in found if one[0] != "tag:yaml.org,2002:timestamp"]
        for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(text: str) -> Any:
    """Read YAML or JSON as data that JSON has; raises ``yaml.YAMLError``."""
    return yaml.load(text, Loader=_Plain)  # noqa: S506 - it is a safe one


def read_conf(path: str) -> Conf:
    """Read the sections of a ``main.cfg``, or of a YAML or JSON file; raises ``InvalidInputs``."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if path.endswith((".yml", ".yaml", ".json")):
            found = read_yaml(text)
        else:
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            parser.optionxform = str  # type: ignore[assignment]
            parser.read_string(text)
            found = {name: dict(parser[name]) for name in parser.sections()}
    except (OSError, ValueError, yaml.YAMLError, configparser.Error) as error:
        raise InvalidInputs(f"{path} cannot be read as a configuration: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise InvalidInputs(
            f"{path} is no configuration",
            hint="it has sections: [main], [lenv], [eoepca], or mappings with these names",
        )
    return found


def configured(
    given: Mapping[str, Any], inputs: Mapping[str, Any], identifier: str, usid: str, folder: str
) -> Conf:
    """Return a configuration with the sections that every service finds.

    ``folder`` is where it may write (``main.tmpPath``); ``request.jrequest`` is what a client would
    have sent. What is given comes over what is usual.
    """
    usual: Conf = {
        "main": {"tmpPath": folder, "tmpUrl": "http://localhost/temp/", "lang": "en"},
        "lenv": {"Identifier": identifier, "usid": usid, "message": "", "status": "0"},
        "auth_env": {"user": "anonymous"},
        "request": {"jrequest": json.dumps({"inputs": inputs}, default=str)},
        "additional_parameters": {},
        "pod_env_vars": {},
        "pod_node_selector": {},
    }
    for name, section in given.items():
        usual[name] = {**usual.get(name, {}), **section}
    return usual


def as_kernel(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return inputs as the kernel hands them over; those that are ``None`` are left out."""
    return {name: _said(value) for name, value in inputs.items() if value is not None}


def parameters(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of a service's inputs."""
    return {name: _value(name, said) for name, said in inputs.items()}


def _said(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        kinds = {type(one) for one in value}
        kind = _TYPES.get(kinds.pop(), "string") if len(kinds) == 1 else "string"
        texts = [one if isinstance(one, dict) else _text(one) for one in value]
        return {"value": texts, "dataType": kind, "maxOccurs": str(max(2, len(value)))}
    if isinstance(value, dict):
        return {"value": value}
    return {"value": _text(value), "dataType": _TYPES.get(type(value), "string")}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(name: str, said: Mapping[str, Any]) -> Any:
    if "cache_file" in said:  # the kernel has fetched it
        return {
            "class": "File",
            "path": said["cache_file"],
            "basename": os.path.basename(str(said["cache_file"])),
        }
    value = said.get("value")
    if _may_be_several(said) and not isinstance(value, list):
        value = [value]  # the kernel makes one of an array of one
    read = _READERS.get(str(said.get("dataType")), lambda text: text)
    try:
        return (
            [_read(one, read) for one in value] if isinstance(value, list) else _read(value, read)
        )
    except ValueError:
        raise InvalidInputs(f"{name} is {value!r}, which is no {said['dataType']}") from None


def _read(value: Any, read: Any) -> Any:
    return read(value) if isinstance(value, str) else value


def _may_be_several(said: Mapping[str, Any]) -> bool:
    most = str(said.get("maxOccurs", "1"))
    return most == "unbounded" or (most.isdigit() and int(most) > 1)
