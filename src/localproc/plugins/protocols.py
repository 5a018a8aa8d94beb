"""Whether an object keeps a protocol of plugins.

Owns how a plugin of an earlier version is told what has changed. Must not know any protocol.
"""

import inspect
from collections.abc import Callable
from typing import Any, Final

#: To whoever has such a plugin installed.
OUTDATED: Final = "upgrade the plugin; its author finds what has changed in plugins/README.md"


def lacks(one: object, protocol: type) -> list[str]:
    """Return what an object lacks of a protocol: verbs, and how they are called."""
    missing = []
    for name, wanted in vars(protocol).items():
        if name.startswith("_"):
            continue
        found = getattr(one, name, None)
        if isinstance(wanted, property):
            missing += [] if hasattr(one, name) else [name]
        elif not callable(found):
            missing.append(f"{name}()")
        else:
            missing += [f"{name}({words})" for words in _not_taken(wanted, found)]
    return missing


def _not_taken(wanted: Callable[..., Any], found: Callable[..., Any]) -> list[str]:
    """Return the arguments that a verb cannot be given: by name, or all those that have to be."""
    try:
        theirs = inspect.signature(found)
    except (TypeError, ValueError):
        return []  # nothing is known of it: it is written in another language
    _, *ours = inspect.signature(wanted).parameters.values()
    due = [one.name for one in ours if one.default is one.empty]
    by_name = {one.name: None for one in ours if one.default is not one.empty}
    takes_any = any(one.kind is one.VAR_KEYWORD for one in theirs.parameters.values())
    unknown = [] if takes_any else [name for name in by_name if name not in theirs.parameters]
    if unknown:
        return [f"{name}=..." for name in unknown]
    try:
        theirs.bind(*due, **by_name)
    except TypeError:
        return [", ".join(due)]
    return []
