"""Services of ZOO-Project, as EOEPCA's template makes them, run by localproc.

A site's ``service.py`` is used as it is, with its ``ExecutionHandler``. Owns the command, and what
Python programs call. Must not import any of the rest before it is used.
"""

from typing import TYPE_CHECKING

from localproc.plugins import hookimpl

if TYPE_CHECKING:
    import click

    from localproc_eoepca.service_file import Served, run_service

__all__ = ["Served", "run_service"]


@hookimpl
def localproc_commands(group: "click.Group") -> None:
    """Add ``localproc zoo``."""
    from localproc_eoepca.command import zoo

    group.add_command(zoo)


def __getattr__(name: str) -> object:
    """Import what programs call when it is first used."""
    if name in __all__:
        from localproc_eoepca import service_file

        return getattr(service_file, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
