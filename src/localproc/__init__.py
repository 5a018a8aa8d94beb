"""localproc: run CWL application packages here, with the OGC API - Processes job model.

    import localproc

    with localproc.Engine("./.localproc") as engine:
        job = engine.deploy("water-bodies.cwl").execute("inputs.yml")
        for step in job.watch():
            print(step.name, step.status)
        print(job.results())

The public names are those below; everything else may change.
"""

TYPE_CHECKING = False  # as type checkers take it; to import ``typing`` is what takes a while

if TYPE_CHECKING:
    from typing import Any

    from localproc.api import Engine
    from localproc.engine.handles import Job, Process
    from localproc.engine.home.settings import Settings
    from localproc.engine.results import StacResults
    from localproc.errors import InvalidInputs, InvalidPackage, JobFailed, LocalprocError
    from localproc.model import JobStatus, Step
    from localproc.plugins import hookimpl
    from localproc.quick import run

_WHERE = {
    "Engine": "localproc.api",
    "InvalidInputs": "localproc.errors",
    "InvalidPackage": "localproc.errors",
    "Job": "localproc.engine.handles",
    "JobFailed": "localproc.errors",
    "JobStatus": "localproc.model",
    "LocalprocError": "localproc.errors",
    "Process": "localproc.engine.handles",
    "Settings": "localproc.engine.home.settings",
    "StacResults": "localproc.engine.results",
    "Step": "localproc.model",
    "hookimpl": "localproc.plugins",
    "run": "localproc.quick",
}

__all__ = [
    "Engine",
    "InvalidInputs",
    "InvalidPackage",
    "Job",
    "JobFailed",
    "JobStatus",
    "LocalprocError",
    "Process",
    "Settings",
    "StacResults",
    "Step",
    "hookimpl",
    "run",
]


def __getattr__(name: str) -> "Any":
    """Import public names when they are first used: importing localproc itself costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("localproc")
    if name not in _WHERE:
        raise AttributeError(f"module 'localproc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
