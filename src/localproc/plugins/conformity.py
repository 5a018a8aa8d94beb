"""Seeing that what a plugin opened keeps the protocol that is asked of it.

Owns saying which verbs and arguments it lacks. Must not know any protocol.
"""

import inspect
from typing import Final

#: What to do about a plugin that was written for another version.
UPGRADE: Final = "upgrade the plugin; its author finds what has changed in plugins/README.md"


def lacks(one: object, protocol: type) -> list[str]:
    """Return what an object, or a class, lacks of a protocol: verbs and their arguments."""
    missing = []
    for name, wanted in vars(protocol).items():
        if name.startswith("_"):
            continue
        found = getattr(one, name, None)
        if isinstance(wanted, property):
            if not hasattr(one, name):
                missing.append(name)
        elif not callable(found):
            missing.append(f"{name}()")
        elif callable(wanted):
            missing += _arguments(name, wanted, found)
    return missing


def _arguments(name: str, wanted: object, found: object) -> list[str]:
    """Return what a verb cannot be called with, as far as it tells."""
    try:
        asked = inspect.signature(wanted).parameters.values()  # type: ignore[arg-type]
        takes = inspect.signature(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []
    places = [one.name for one in asked if one.kind is one.POSITIONAL_OR_KEYWORD][1:]  # no self
    words = [one.name for one in asked if one.kind is one.KEYWORD_ONLY]
    try:
        takes.bind_partial(*places)
    except TypeError:
        return [f"{name}({', '.join(places)})"]
    kinds = takes.parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in kinds):
        return []
    known = {one.name for one in kinds if one.kind is one.KEYWORD_ONLY}
    return [f"{name}({word}=...)" for word in words if word not in known]
