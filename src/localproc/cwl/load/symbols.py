"""The symbols of enums, kept out of reach of cwl-utils, which takes them for parts of URIs.

Owns how a symbol is written meanwhile, so that ``EPSG:4326``, ``a#b`` and ``%3A`` come back as they
are. Must not know where types are used.
"""

from typing import Any, Final

_MARK: Final = "symbol-"


class _Veiled(str):
    """A symbol that has been seen to."""


def veil_symbols(raw: Any) -> None:
    """Write all symbols of a document, or of a part of one, as names that no URI is made of."""
    processes = raw.get("$graph", [raw]) if isinstance(raw, dict) else []
    ids = [one.get("id") for one in processes if isinstance(one, dict)]
    _veil(raw, packed=any(isinstance(one, str) and one.startswith("#") for one in ids))


def unveiled(uri: str) -> str:
    """Return a symbol as it was written, of what cwl-utils made of it."""
    return bytes.fromhex(uri.rpartition(_MARK)[2]).decode("utf-8", "surrogatepass")


def _veil(value: Any, *, packed: bool) -> None:
    if isinstance(value, list):
        for item in value:
            _veil(item, packed=packed)
    elif isinstance(value, dict):
        symbols = value.get("symbols")
        if value.get("type") == "enum" and isinstance(symbols, list):
            for index, symbol in enumerate(_written(symbols, packed=packed)):
                symbols[index] = _veiled(symbol)
        for inner in value.values():
            _veil(inner, packed=packed)


def _veiled(symbol: Any) -> Any:
    if not isinstance(symbol, str) or isinstance(symbol, _Veiled):
        return symbol
    return _Veiled(_MARK + symbol.encode("utf-8", "surrogatepass").hex())


def _written(symbols: list[Any], *, packed: bool) -> list[Any]:
    """Return symbols as their author wrote them; packing a document puts the enum's name before."""
    starts = {str(one).rpartition("/")[0] for one in symbols}
    start = starts.pop() if len(starts) == 1 else ""
    if (packed and start.startswith("#")) or (start.startswith("file://") and "#" in start):
        return [str(one).rpartition("/")[2] for one in symbols]
    return symbols
