"""Facts of an event as inputs of a process.

Owns parameter references, ``$(event.properties.datetime)``, in values. Must not know events.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from localproc.errors import InvalidInputs, Problem

_REFERENCE: Final = re.compile(
    r"\$\((event(?:\.[A-Za-z_][\w:-]*|\[\d+\]|\[\"[^\"]*\"\]|\['[^']*'\])*)\)"
)
_PART: Final = re.compile(r"\.([A-Za-z_][\w:-]*)|\[(\d+)\]|\[\"([^\"]*)\"\]|\['([^']*)'\]")


def filled(value: Any, event: Mapping[str, Any]) -> Any:
    """Return a value with the facts that it names in the place of their references.

    A text that is nothing but a reference becomes the fact itself, whatever it is. Raises
    ``InvalidInputs`` for a fact that there is not.
    """
    if isinstance(value, Mapping):
        return {name: filled(item, event) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, event) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None:
        return _fact(whole[1], event)
    return _REFERENCE.sub(lambda found: str(_fact(found[1], event)), value)


def _fact(reference: str, event: Mapping[str, Any]) -> Any:
    found: Any = event
    for name, number, quoted, other in _PART.findall(reference):
        try:
            found = found[int(number)] if number else found[name or quoted or other]
        except (KeyError, IndexError, TypeError):
            known = ", ".join(event)
            problem = Problem(f"there is no $({reference})", "inputs", hint=f"event has {known}")
            raise InvalidInputs("the event lacks what is asked of it", [problem]) from None
    return found
