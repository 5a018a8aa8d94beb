"""Requirements that are not CWL's own, and that the interpreter understands all the same.

Owns taking them out of a document before cwl-utils reads it, which refuses what it does not know,
and finding them again at the typed object. Must not know what they mean.

Source: cwltool's extensions, http://commonwl.org/cwltool#CUDARequirement, #MPIRequirement
and #ShmSize; localproc's own is https://localproc.dev/ns#Progress.
"""

from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.requirements import EXTENSIONS
from localproc.cwl.load.raw import plain_json

#: Fields of processes and steps that stand for those that the extensions were taken out of.
_ASIDE: Final = "https://localproc.dev/ns#%s"
_LISTS: Final = ("requirements", "hints")


def put_aside(raw: Any) -> None:
    """Move the extensions in a document to fields of their own."""
    spaces = raw.get("$namespaces")
    _walk(raw, spaces if isinstance(spaces, dict) else {})


def extensions(typed: Any, part: str) -> list[dict[str, Any]]:
    """Return the extensions among the requirements or hints of a process or a step."""
    found = (typed.extension_fields or {}).get(_ASIDE % part, ())
    return [dict(plain_json(one)) for one in found]


def without(fields: Any) -> Any:
    """Return the extension fields of a process without those that are made here."""
    ours = [_ASIDE % part for part in _LISTS]
    return {name: value for name, value in (fields or {}).items() if name not in ours}


def _walk(value: Any, spaces: Mapping[str, Any]) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, spaces)
    elif isinstance(value, dict):
        for part in _LISTS:
            found = _taken_out(value.get(part), spaces)
            if found:
                value[_ASIDE % part] = found
        for item in list(value.values()):
            _walk(item, spaces)


def _taken_out(listed: Any, spaces: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Take the extensions out of a list, or a mapping by class."""
    found = []
    if isinstance(listed, dict):
        for name in [one for one in listed if _known(one, spaces)]:
            entry = listed.pop(name)
            found.append({**(entry if isinstance(entry, dict) else {}), "class": name})
    elif isinstance(listed, list):
        found = [
            one for one in listed if isinstance(one, dict) and _known(one.get("class"), spaces)
        ]
        listed[:] = [one for one in listed if not any(one is other for other in found)]
    return [{**one, "class": _known(one["class"], spaces)} for one in found]


def _known(name: Any, spaces: Mapping[str, Any]) -> str:
    """Return the class that a name stands for, if it is an extension."""
    prefix, colon, rest = str(name).partition(":")
    return EXTENSIONS.get(f"{spaces.get(prefix, prefix + colon)}{rest}", "")
