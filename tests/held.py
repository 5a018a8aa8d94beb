"""What programs hold: the classes that public calls give, and those that users make."""

import inspect
from collections.abc import Callable, Iterator
from typing import Final

import localproc
from localproc.engine.admission.foresight import JobPlan
from localproc.engine.home.tokens import Tokens
from localproc.engine.job.steplog import StepLog
from localproc.engine.mirror import Mirror
from localproc.engine.step_shell import StepShell
from localproc.engine.triggers.schedule import Schedule
from localproc.engine.triggers.schedules import Scheduled, Schedules
from localproc.engine.triggers.subscription import Subscription
from localproc.engine.triggers.subscriptions import Subscriptions
from localproc.http.http_settings import HttpSettings
from localproc.model import InputPolicy
from localproc.plugins.containers import ContainerPlugin
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.software import SoftwarePlugin
from localproc.plugins.storage import StoragePlugin
from localproc.remote import Server
from localproc.storage.published import Published
from localproc.views.found_lines import FoundLogs

HELD: Final[list[type]] = [
    *(localproc.Engine, localproc.Process, localproc.Job, localproc.StacResults),
    *(Schedules, Scheduled, Subscriptions, Mirror, Tokens, Published, StepLog, StepShell),
    *(JobPlan, FoundLogs, Server),
]
#: Those that users make themselves.
MADE: Final[list[type]] = [
    *(localproc.Engine, localproc.Settings, HttpSettings, InputPolicy, Schedule, Subscription),
    *(Server, ContainerPlugin, ExecutorPlugin, SoftwarePlugin, StoragePlugin),
]


def public_calls(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield the public methods of a class by their names."""
    for name in dir(kind):
        call = inspect.getattr_static(kind, name)
        is_ours = str(getattr(call, "__module__", "")).startswith("localproc.")
        if inspect.isfunction(call) and is_ours and not name.startswith("_"):
            yield name, call
