"""Facts of an event as inputs of a process.

Owns parameter references, ``$(event.properties.datetime)``, in values. Must not know events.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from localproc.errors import InvalidInputs, Problem
from localproc.near import near

_REFERENCE: Final = re.compile(
    r"\$\((event(?:\.[A-Za-z_][\w:-]*|\[\d+\]|\[\"[^\"]*\"\]|\['[^']*'\])*)\)"
)
_PART: Final = re.compile(r"\.([A-Za-z_][\w:-]*)|\[(\d+)\]|\[\"([^\"]*)\"\]|\['([^']*)'\]")


def with_facts(value: Any, event: Mapping[str, Any]) -> Any:
    """Return a value with the facts that it names in the place of their references.

    A text that is nothing but a reference becomes the fact itself, whatever it is. Raises
    ``InvalidInputs`` for a fact that there is not.
    """
    if isinstance(value, Mapping):
        return {name: with_facts(item, event) for name, item in value.items()}
    if isinstance(value, list):
        return [with_facts(item, event) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None:
        return _fact(whole[1], event)
    return _REFERENCE.sub(lambda found: str(_fact(found[1], event)), value)


def unknown_facts(value: Any, known: Collection[str], where: str) -> Iterator[Problem]:
    """Yield the references in a value to what no event of the kind has; ``where`` is its place."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from unknown_facts(item, known, f"{where}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from unknown_facts(item, known, f"{where}[{number}]")
    elif isinstance(value, str):
        for reference in _REFERENCE.findall(value):
            for name, number, quoted, other in _PART.findall(reference)[:1]:
                first = name or number or quoted or other
                if first not in known:
                    hint = near(first, known, f"event has {', '.join(known)}")
                    yield Problem(f"there is no $({reference})", where, hint=hint)


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
