"""Refusing options that a plugin does not have.

Owns the one text for that. Must not know any plugin.
"""

from collections.abc import Collection, Iterable

from localproc.errors import EnvironmentProblem
from localproc.near import near


def check_options(who: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise ``EnvironmentProblem`` for an option that ``who`` does not have."""
    for name in given:
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            raise EnvironmentProblem(f"{who} has no option {name!r}", hint=near(name, known, there))
