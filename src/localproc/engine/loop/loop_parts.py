"""What a loop is given of an engine.

Owns nothing: these are the parts that live longer than the loop, by their names.
"""

from collections.abc import Callable, Sequence

from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.container_runtimes import Containers
from localproc.engine.home.home import Home
from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.home.settings import Settings
from localproc.engine.job import replay
from localproc.engine.loop.executor_pool import OpenExecutor
from localproc.engine.notify.completions import Completions
from localproc.engine.notify.observers import Observers
from localproc.executors.scripts import Scripts
from localproc.frozen import frozen
from localproc.model import JobRecord, SoftwarePackage
from localproc.plugins.store import Store
from localproc.software.resolution import Provided
from localproc.storage.open_storages import Storages
from localproc.storage.remnants import Remnants

#: Gives the process that a job runs; raises ``LocalprocError``.
Compiled = Callable[[JobRecord, replay.History], Tool | Workflow]


@frozen
class LoopParts:
    """The parts. ``callbacks_posted`` is called when there are callbacks to be sent."""

    home: Home
    store: Store
    settings: Settings
    storages: Storages
    containers: Containers
    open_executor: OpenExecutor
    compiled: Compiled
    observers: Observers
    completions: Completions
    callbacks_posted: Callable[[], None]
    secrets: SecretKeeper
    remnants: Remnants
    scripts: Scripts
    software: Callable[[Sequence[SoftwarePackage]], Provided] | None = None
