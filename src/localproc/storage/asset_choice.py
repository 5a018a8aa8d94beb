"""Which assets of an item are brought, and which stay where they are.

Owns the form in which that is asked for. Must not know how anything is brought.

``key=B0*,B11;role=data`` are those whose key fits one of two patterns and that have a role;
``remote=image/tiff*`` are left where they are, whatever else is said. What fits nothing is left out
of the item. ``items=20`` takes the first twenty items of a document. ``alternate=s3`` takes assets
from that place where they have it, and not from their own (see ``asset_places``).
"""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, Final

from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen


class Fate(StrEnum):
    """What becomes of an asset."""

    BROUGHT = "brought"
    REMOTE = "remote"  #: it stays where it is, named by its whole address
    LEFT_OUT = "left out"


def _key(name: str, _: Mapping[str, Any]) -> Sequence[str]:
    return [name]


def _role(_: str, asset: Mapping[str, Any]) -> Sequence[str]:
    roles = asset.get("roles")
    return [one for one in roles if isinstance(one, str)] if isinstance(roles, list) else []


def _type(_: str, asset: Mapping[str, Any]) -> Sequence[str]:
    found = asset.get("type")
    return [found] if isinstance(found, str) else []


def _href(_: str, asset: Mapping[str, Any]) -> Sequence[str]:
    return [str(asset.get("href", ""))]


_OF: Final[Mapping[str, Callable[[str, Mapping[str, Any]], Sequence[str]]]] = {
    "key": _key,
    "role": _role,
    "type": _type,
    "href": _href,
}
_REMOTE, _ITEMS, _ALTERNATE = "remote", "items", "alternate"
_NAMES: Final = (*_OF, _REMOTE, _ITEMS, _ALTERNATE)


@frozen
class AssetChoice:
    """Patterns (``fnmatch``) by what they are for; an asset has to fit one of each.

    ``items``: of so many items at the most. ``alternates``: the places that are preferred.
    """

    wanted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remote: Sequence[str] = ()
    items: int | None = None
    alternates: Sequence[str] = ()

    @classmethod
    def read(cls, text: str) -> "AssetChoice":
        """Read what was asked for; raises ``InvalidInputs``."""
        wanted: dict[str, list[str]] = {}
        for part in filter(None, (one.strip() for one in text.split(";"))):
            name, separator, patterns = part.partition("=")
            if not separator or name.strip() not in _NAMES:
                hint = f"such as key=B0*,B11;role=data; there is: {', '.join(_NAMES)}"
                raise InvalidInputs(
                    "assets cannot be chosen so", [Problem(f"{part!r}", "assets", hint=hint)]
                )
            wanted.setdefault(name.strip(), []).extend(
                one.strip() for one in patterns.split(",") if one.strip()
            )
        items = _number(wanted.pop(_ITEMS)) if _ITEMS in wanted else None
        alternates = wanted.pop(_ALTERNATE, ())
        return cls(wanted, wanted.pop(_REMOTE, ()), items, alternates)

    def fate(self, key: str, asset: Mapping[str, Any]) -> Fate:
        """Say what becomes of an asset."""
        if _fits([*_key(key, asset), *_type(key, asset), *_role(key, asset)], self.remote):
            return Fate.REMOTE
        fits = all(_fits(_OF[name](key, asset), some) for name, some in self.wanted.items())
        return Fate.BROUGHT if fits else Fate.LEFT_OUT


def _number(said: Sequence[str]) -> int:
    """Return how many items were asked for."""
    text = ",".join(said)
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        problem = Problem(f"{text!r} is no number of items", "assets", hint="such as items=20")
        raise InvalidInputs("items cannot be chosen so", [problem])
    return int(text)


def _fits(texts: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, one) for text in texts for one in patterns)
