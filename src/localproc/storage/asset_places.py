"""Where an asset may be had, and what its item says of that.

Owns the extensions alternate-assets, storage and authentication of STAC. Must not know storages.

What an item says is told and never done: it may come from anybody, and whoever has keys decides
which server gets to see what is signed with them, and who pays.
"""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

_LONGEST: Final = 200  #: characters of what an item says


def places(asset: Mapping[str, Any], preferred: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return an asset as it is at each of its places, the best one first.

    These are the alternates whose keys or names fit one of the ``preferred`` patterns, its own
    place, and the other alternates. What an alternate leaves out is as the asset has it.
    """
    others = dict(_alternates(asset))
    chosen = [
        key
        for pattern in preferred
        for key, one in others.items()
        if any(fnmatch.fnmatchcase(name, pattern) for name in (key, one.get("alternate:name", "")))
    ]
    first = [others[key] for key in dict.fromkeys(chosen)]
    return [*first, asset, *(one for key, one in others.items() if key not in chosen)]


def _alternates(asset: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = asset.get("alternate")
    for key, one in found.items() if isinstance(found, Mapping) else ():
        if isinstance(one, Mapping) and isinstance(one.get("href"), str) and one["href"]:
            name = one.get("alternate:name")
            named = {"alternate:name": name} if isinstance(name, str) else {"alternate:name": ""}
            rest = {name: value for name, value in asset.items() if name != "alternate"}
            yield key, {**rest, **one, **named}


def advice(asset: Mapping[str, Any], item: Mapping[str, Any], uri: str) -> str:
    """Return what helps when an asset cannot be had, as far as its item says anything of it."""
    properties = item.get("properties")
    said = properties if isinstance(properties, Mapping) else {}
    parts = []
    if options := _options({**said, **asset}):
        where = "://".join(urlsplit(uri)[:2])
        shown = ", ".join(f"{name}: {value}" for name, value in options.items())
        parts.append(f"its item says: storage_options: {{{where}: {{{shown}}}}}")
    if logins := _logins(asset.get("auth:refs"), said.get("auth:schemes")):
        parts.append(f"its item says that it needs a login: {logins}")
    if names := ", ".join(key for key, _ in _alternates(asset)):
        parts.append(f"it has other places: {names} (--assets alternate=NAME)")
    return "; ".join(parts)


def _options(said: Mapping[str, Any]) -> dict[str, str]:
    """Return what the item says of a storage, as options of one."""
    refs, schemes = said.get("storage:refs"), _object(said.get("storage:schemes"))
    named = [_object(schemes.get(ref)) for ref in _texts(refs)]
    v1 = {name: said.get(f"storage:{name}") for name in ("region", "requester_pays", "endpoint")}
    found = {**v1, **next(filter(None, named), {})}
    platform = found.get("platform")
    if found.get("type") == "custom-s3" and isinstance(platform, str):
        found["endpoint"] = platform.replace("{bucket}.", "").replace("/{bucket}", "")
    texts = {name: found[name] for name in ("endpoint", "region") if _is_plain(found.get(name))}
    return texts | ({"requester_pays": "true"} if found.get("requester_pays") is True else {})


def _logins(refs: Any, schemes: Any) -> str:
    """Return the kinds of authentication that an asset asks for."""
    known = _object(schemes)
    return ", ".join(_texts([_object(known.get(ref)).get("type", ref) for ref in _texts(refs)]))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(values: Any) -> list[str]:
    return [one for one in values if _is_plain(one)] if isinstance(values, list) else []


def _is_plain(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST and text.isprintable()
