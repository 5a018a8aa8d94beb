"""An inputs file to fill in.

Owns its text: what each input is, blanks where a value has to be given, and the others as comments
with what they are by default. Must not know how inputs are read, but that blanks are refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localproc.cwl.base.reading import read_data
from localproc.cwl.base.trees import UnreadableText
from localproc.cwl.base.types import CwlType, describe, is_optional, kind, members, without_null
from localproc.views.written import in_yaml


def inputs_template(title: str, ports: Sequence[Mapping[str, Any]]) -> str:
    """Return the YAML text; ``ports`` are the inputs of a process, as CWL has them.

    An input that must be given is there with blanks, which no process takes; every other one is
    commented out, with its default.
    """
    lines = [f"# Inputs of {title}"]
    lines += ["# Fill in the blanks; take the # away to change what is so by default."]
    for port in ports:
        lines += ["", *(f"# {line}".rstrip() for line in about(port)), *_written(port)]
    return "\n".join(lines) + "\n"


def about(port: Mapping[str, Any]) -> list[str]:
    """Return what there is to say of an input, in lines: label and doc, and last its type."""
    doc = port.get("doc") or ""
    text = doc if isinstance(doc, str) else "\n".join(doc)
    said = [line.rstrip() for line in f"{port.get('label') or ''}\n{text}".splitlines()]
    notes = [describe(port["type"]), _need(port)]
    if isinstance(port.get("format"), str):
        notes.append(f"format {port['format']}")
    patterns = [one["pattern"] for one in port.get("secondaryFiles") or []]
    if patterns:
        notes.append(f"with {', '.join(patterns)} beside it")
    return [*(line for line in said if line), "; ".join(filter(None, notes))]


def must_be_given(port: Mapping[str, Any]) -> bool:
    """Return whether an input must be given."""
    return port.get("default") is None and not is_optional(port["type"])


def _need(port: Mapping[str, Any]) -> str:
    return "required" if must_be_given(port) else "" if "default" in port else "may be left out"


def _written(port: Mapping[str, Any]) -> list[str]:
    key = _scalar(port["id"])
    if must_be_given(port):
        return [f"{key}:{_blank(port['type'], '')}"]
    if port.get("default") is None:
        return [
            f"# {line}" for line in f"{key}:{_blank(without_null(port['type']), '')}".split("\n")
        ]
    return [f"# {key}: {_scalar(port['default'])}"]


def _blank(cwl_type: CwlType, indent: str) -> str:
    """Return the blanks for a value of a type, as they follow its key."""
    inner = indent + "  "
    match kind(cwl_type):
        case "array" if isinstance(cwl_type, Mapping):
            item = _blank(cwl_type["items"], inner)
            return f"\n{inner}- {item.lstrip()}".rstrip()
        case "record" if isinstance(cwl_type, Mapping):
            return "".join(f"\n{line}" for line in _fields(cwl_type, inner))
        case "File" | "Directory" as name:
            return f"\n{inner}class: {name}\n{inner}path:"
        case "enum" | "union" | "boolean":
            return f"  # {_choices(cwl_type)}"
    return ""


def _fields(record: Mapping[str, Any], indent: str) -> Iterator[str]:
    for field in record["fields"]:
        text = f"{_scalar(field['name'])}:{_blank(without_null(field['type']), indent)}"
        if not is_optional(field["type"]):
            yield f"{indent}{text}"
            continue
        for number, line in enumerate(text.split("\n")):
            yield f"{indent}# {line if not number else line.removeprefix(indent)}"


def _choices(cwl_type: CwlType) -> str:
    named = [describe(one) for one in members(cwl_type)]
    return "true or false" if named == ["boolean"] else " or ".join(named)


def _scalar(value: Any) -> str:
    """Return a value as YAML in one line: texts plain where they are read as what they are."""
    if isinstance(value, str):
        try:
            if "\n" not in value and read_data(f"- {value}") == [value]:
                return value
        except UnreadableText:
            pass
    return in_yaml(value)
