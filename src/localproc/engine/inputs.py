"""Reading what users hand over as inputs.

Owns inputs files (YAML or JSON) and what relative paths in them are relative to. Must not know any
process.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from localproc.cwl.files import path_uri
from localproc.errors import InvalidInputs, Problem


def read_inputs(
    inputs: Mapping[str, Any] | str | os.PathLike[str] | None, base: str | None = None
) -> tuple[dict[str, Any], str]:
    """Give the inputs and the URI of the folder that their relative paths hang from.

    Raises ``InvalidInputs`` for a file that is not there or does not parse, with line and column.
    """
    if inputs is None:
        return {}, _folder(base or os.getcwd())
    if isinstance(inputs, Mapping):
        return dict(inputs), base if base == "" else _folder(base or os.getcwd())
    path = os.path.abspath(os.path.expanduser(os.fspath(inputs)))
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputs(
            f"cannot read the inputs {path}: {reason}", hint="check the path"
        ) from None
    return parse_inputs(text, path), _folder(base or os.path.dirname(path))


def parse_inputs(text: str, name: str) -> dict[str, Any]:
    """Read inputs from YAML or JSON; raises ``InvalidInputs``."""
    value = _parse(text, name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInputs(
            f"{name} does not hold inputs",
            [Problem("expected a mapping of input names to values", name, 1, 1)],
        )
    return _expanded(dict(value))


def parse_value(text: str) -> Any:
    """Read one value as on a command line: JSON or YAML where it is one, else the text itself."""
    try:
        return _parse(text, "value")
    except InvalidInputs:
        return text


def _parse(text: str, name: str) -> Any:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text, parse_float=_float)
        except ValueError:
            pass  # YAML's flow style begins alike
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    yaml = YAML(typ="safe", pure=True)
    for first, resolvers in list(yaml.resolver.versioned_resolver.items()):
        # Dates stay texts, as CWL has no such type.
        yaml.resolver.versioned_resolver[first] = [
            one for one in resolvers if not one[0].endswith("timestamp")
        ]
    yaml.constructor.add_constructor(
        "tag:yaml.org,2002:float", lambda _, node: _float(str(node.value))
    )
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        said = ", ".join(filter(None, (error.context, error.problem)))
        raise InvalidInputs(
            f"{name} is not valid YAML", [Problem(said, name, line, column)]
        ) from None


def _float(text: str) -> float | int:
    """Read a float; one with an exponent but no fraction is an int (see ``plain_float``)."""
    plain = text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan").lower()
    value = float(plain)
    return int(value) if "e" in plain and value.is_integer() else value


def _expanded(inputs: dict[str, Any]) -> dict[str, Any]:
    """Expand the prefixes of a job file's ``$namespaces`` in the formats of its files."""
    spaces = inputs.pop("$namespaces", None)
    inputs.pop("$schemas", None)
    return _expand(inputs, spaces) if spaces else inputs


def _expand(value: Any, spaces: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_expand(item, spaces) for item in value]
    if isinstance(value, Mapping):
        plain = {key: _expand(item, spaces) for key, item in value.items()}
        kind = plain.get("format")
        if plain.get("class") == "File" and isinstance(kind, str):
            prefix, _, rest = kind.partition(":")
            plain["format"] = spaces[prefix] + rest if prefix in spaces else kind
        return plain
    return value


def _folder(path: str) -> str:
    return path if path.startswith("file:") else path_uri(os.path.abspath(path))
