"""Reading what users hand over as inputs.

Owns inputs files (YAML or JSON), what relative paths in them are relative to, and what a text from
a command line or a form means for an input of a type. Must not know any process, nor storages: what
reads a URI is handed in.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from localproc.cwl.base.reading import read_data
from localproc.cwl.base.trees import UnreadableText
from localproc.cwl.base.types import PLAIN, CwlType, item_type, kind, matches, members, without_null
from localproc.engine.home.cwd import current_folder
from localproc.errors import InvalidInputs, Problem
from localproc.storage.access import Document
from localproc.storage.addresses import redacted
from localproc.uris import is_absolute, joined_uri, path_uri

#: Gives a document by its URI; raises ``LocalprocError``.
ReadUri = Callable[[str], Document]

#: The member of an inputs file that names the tool which they are for.
TOOL: Final = "cwl:tool"


def known_inputs(ports: Iterable[str], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job file says of a process: what else it has is passed over, as by cwltool."""
    known = {*ports}
    return {
        name: value
        for name, value in inputs.items()
        if name in known or (str(name).startswith("cwl:") and name != TOOL)
    }


def read_inputs(
    inputs: Mapping[str, Any] | str | os.PathLike[str] | None,
    base: str | os.PathLike[str] | None = None,
    read: ReadUri | None = None,
) -> tuple[dict[str, Any], str]:
    """Return the inputs and the URI of the folder that their relative paths hang from.

    A file may lie elsewhere if ``read`` is given. Raises ``InvalidInputs`` for one that is not
    there or does not parse, with line and column, and what ``read`` raises.
    """
    if inputs is None:
        return {}, _folder(base)
    if isinstance(inputs, Mapping):
        values = {
            name: value if type(value) in PLAIN else _plain(value) for name, value in inputs.items()
        }
        return values, base if base == "" else _folder(base)
    if not isinstance(inputs, str | os.PathLike):
        raise InvalidInputs(
            f"{inputs!r:.80} holds no inputs",
            hint="give a mapping of input names to values, or the path of a file that has them",
        )
    typed = os.fspath(inputs)
    if read is not None and is_absolute(typed) and not os.path.exists(typed):
        return _read_elsewhere(typed, read, base)
    path = os.path.abspath(os.path.expanduser(typed))
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise InvalidInputs(
            f"cannot read the inputs {typed}: {_why(error)}",
            hint="inputs are a YAML or JSON file, or written as name=value",
        ) from None
    return parse_inputs(text, typed), _folder(base or os.path.dirname(path))


def _read_elsewhere(
    uri: str, read: ReadUri, base: str | os.PathLike[str] | None
) -> tuple[dict[str, Any], str]:
    """Read an inputs file by its URI; what is relative in it hangs from where it was found."""
    found = read(uri)
    try:
        text = found.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputs(f"cannot read the inputs {redacted(uri)}: {_why(error)}") from None
    folder = joined_uri(found.uri.partition("?")[0], ".").rstrip("/")
    return parse_inputs(text, redacted(uri)), _folder(base) if base else folder


def _plain(value: Any) -> Any:
    """Return a value that a job can keep: paths as texts, STAC objects as where they lie."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "get_self_href") and hasattr(value, "to_dict"):  # pystac's objects
        href = value.get_self_href()
        if href:
            return {"class": "Directory", "location": href}
    return value.to_dict() if hasattr(value, "to_dict") else value


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start + 1})"
    return str(error)


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


def typed_value(text: str, cwl_type: CwlType) -> Any:
    """Return what a text means for an input of a type.

    It is JSON or YAML where that fits the type, so ``3`` is a number and ``[a, b]`` an array; else
    the text itself, for an input that takes texts or files. For an array it may also be a single
    item. What fits in no way is given all the same: checking the inputs tells why.
    """
    value = parse_value(text)
    item = cwl_type
    while kind(without_null(item)) == "array":
        item = item_type(item)
    if text and matches(value, cwl_type):
        return value
    if item is not cwl_type and isinstance(value, list):
        return value
    is_path = value is not None and not isinstance(value, Mapping) and _takes_files(item)
    return text if is_path or matches(text, item) else value


def typed_values(
    ports: Iterable[Mapping[str, Any]], texts: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """Return inputs written as pairs of name and text; a name that comes again makes an array.

    ``ports`` are those of ``Process.ports()``. Names that are not among them are kept, for the
    check of the inputs to tell.
    """
    types = {port["id"]: port["type"] for port in ports}
    found: dict[str, Any] = {}
    for name, text in texts:
        value = typed_value(text, types.get(name, "Any"))
        found[name] = [*_listed(found[name]), *_listed(value)] if name in found else value
    return found


def _takes_files(cwl_type: CwlType) -> bool:
    return any(kind(one) in ("File", "Directory") for one in members(without_null(cwl_type)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parse(text: str, name: str) -> Any:
    try:
        return read_data(text)
    except UnreadableText as error:
        problem = Problem(error.message, name, error.line, error.column)
        raise InvalidInputs(f"{name} is not valid YAML", [problem]) from None


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


def _folder(base: str | os.PathLike[str] | None) -> str:
    """Return the URI of a folder that is named by a path or a URI, without one the current one."""
    if not base:
        return _current_uri(current_folder())
    path = os.fspath(base)
    return path if is_absolute(path) else path_uri(os.path.abspath(path))


_current_uri: Final = lru_cache(maxsize=8)(path_uri)  # the current folder seldom changes


def check_texts(*texts: Any) -> None:
    """Raise ``InvalidInputs`` for what is no text, and for a lone surrogate in one."""
    for text in texts:
        if text is not None and not isinstance(text, str):
            raise InvalidInputs(f"expected a text, got {text!r:.80}")
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise InvalidInputs(f"{text!r} is not a text in UTF-8") from None
