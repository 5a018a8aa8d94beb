"""The CWL tool that stands for a container image.

Owns the translation of an OGC execution unit of type "docker" and the description that goes with it
(OGC API - Processes Part 2, class "docker"). Must not know whether containers can be run.
"""

from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.numbers import is_amount

_MOST_MEMORY: Final = 1e9  #: GB: whatever is more is nowhere either
_TYPES: Final = {"string": "string", "integer": "long", "number": "double", "boolean": "boolean"}


def image_tool(
    unit: Mapping[str, Any],
    inputs: Mapping[str, Mapping[str, Any]],
    outputs: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the CWL tool that runs a container image (class "docker").

    Every input becomes an argument of the image's own entry point, ``--name value`` unless the
    unit's ``bindings`` say otherwise; every output is found by a glob, its name if none is given.
    """
    bindings = unit.get("bindings")
    bindings = bindings if isinstance(bindings, Mapping) else {}
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "main",
        "requirements": {
            "DockerRequirement": {"dockerPull": unit["image"].removeprefix("docker://")},
            "ResourceRequirement": _resources(unit.get("config")),
        },
        "inputs": {
            key: {
                "type": _port_type(port),
                "inputBinding": _input_binding(key, bindings.get("inputBindings")),
            }
            for key, port in inputs.items()
        },
        "outputs": {
            key: {
                "type": _output_type(port),
                "outputBinding": {"glob": _glob(key, bindings.get("outputBindings"))},
            }
            for key, port in outputs.items()
        },
    }


def _resources(config: Any) -> dict[str, Any]:
    """Translate ``config``: its memory is in GB, CWL's in MiB."""
    config = config if isinstance(config, Mapping) else {}
    wanted = {"coresMin": "cpuMin", "coresMax": "cpuMax"}
    found = {ours: config[theirs] for ours, theirs in wanted.items() if theirs in config}
    for ours, theirs in {"ramMin": "memoryMin", "ramMax": "memoryMax"}.items():
        if is_amount(config.get(theirs)):
            found[ours] = round(min(config[theirs], _MOST_MEMORY) * 1e9 / (1 << 20))
    return found


def _input_binding(key: str, bindings: Any) -> dict[str, Any]:
    said = bindings.get(key) if isinstance(bindings, Mapping) else None
    said = said if isinstance(said, Mapping) else {}
    binding: dict[str, Any] = {"prefix": said.get("prefix", f"--{key}")}
    if "inputSeparator" in said:
        binding["itemSeparator"] = said["inputSeparator"]
    return binding


def _glob(key: str, bindings: Any) -> str:
    said = bindings.get(key) if isinstance(bindings, Mapping) else None
    return str(said["glob"]) if isinstance(said, Mapping) and "glob" in said else key


def _port_type(port: Mapping[str, Any]) -> Any:
    """Return the CWL type that a described input asks for."""
    found = _schema_type(port.get("schema"))
    most = port.get("maxOccurs", 1)
    if most != 1 and not isinstance(found, Mapping):
        found = {"type": "array", "items": found}
    return ["null", found] if port.get("minOccurs", 1) == 0 else found


def _schema_type(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return "Any"
    if any(key in schema for key in ("contentEncoding", "contentMediaType")):
        return "File"
    for key in ("oneOf", "anyOf"):
        if isinstance(schema.get(key), list) and schema[key]:
            return _schema_type(schema[key][0])
    kind = schema.get("type")
    if kind == "array":
        return {"type": "array", "items": _schema_type(schema.get("items"))}
    return _TYPES.get(str(kind), "Any")


def _output_type(port: Mapping[str, Any]) -> Any:
    schema = port.get("schema")
    if not isinstance(schema, Mapping) or "contentMediaType" in schema:
        return "File"
    return "Directory" if schema.get("type") == "object" else "File"
