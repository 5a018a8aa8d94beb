"""What a person is told of a daemon, and of the containers that a home has there.

Owns what ``localproc doctor --executor docker`` says. Must not change anything.
"""

import os
from collections.abc import Iterator

from localproc.plugins.executor import ExecutorSettings, Finding
from localproc_docker.boxes import STUCK, Boxes
from localproc_docker.daemon_images import DaemonImages
from localproc_docker.daemons import Daemon
from localproc_docker.opening import reached
from localproc_docker.overdue import overdue
from localproc_docker.task_containers import Owner


def examine(daemon: Daemon, settings: ExecutorSettings) -> Iterator[Finding]:
    """Yield which daemon it is, and the containers of tasks that are over.

    Raises ``EnvironmentProblem`` if nobody answers.
    """
    api = reached(daemon, settings.options)
    owner = Owner(os.path.realpath(settings.folder), os.getuid(), os.getgid())
    boxes = Boxes(api, owner)
    try:
        yield Finding("ok", daemon.name, DaemonImages(api, daemon.name).version())
        found = list(overdue(boxes.all(), owner.folder, settings.is_over))
        listed = ", ".join(f"{one['Id'][:12]} ({one['State']})" for one in found)
        if found:
            said = f"of tasks that are over, {len(found)} are still there: {listed}"
            yield Finding("warning", f"{daemon.name} containers", said, STUCK)
    finally:
        boxes.close()
        api.close()
