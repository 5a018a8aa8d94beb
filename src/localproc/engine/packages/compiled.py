"""Processes made ready to be run, remembered for the next job.

Owns that memory. Must not know how packages are deployed.
"""

import threading
from collections import OrderedDict
from typing import Final, TypeAlias

from localproc.cwl.run.process import Tool, Workflow, compile_package
from localproc.engine.job.replay import History
from localproc.errors import NoSuchProcess
from localproc.model import JobRecord, ProcessRecord
from localproc.plugins.store import Store

_Key: TypeAlias = tuple[str, str, str]
_KEPT: Final = 64


class CompiledProcesses:
    """The compiled processes of a store, by revision."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Tool | Workflow] = OrderedDict()

    def of(self, record: ProcessRecord) -> Tool | Workflow:
        """Return a process as the interpreter runs it."""
        key = (record.namespace, record.id, record.revision)
        return self._remembered(key) or self._remember(key, compile_package(record.resolved))

    def of_job(self, job: JobRecord, past: History) -> Tool | Workflow:
        """Return the process that a job runs, of the revision it was accepted with.

        Requirements that came with the inputs (``cwl:requirements``) are its own. Raises
        ``NoSuchProcess``.
        """
        extra = past.request.inputs.get("cwl:requirements")
        known = self._remembered((job.namespace, job.process_id, job.revision))
        if known is not None and not extra:
            return known
        record = self._store.process(job.namespace, job.process_id, job.revision)
        if record is None:
            raise NoSuchProcess(job.process_id)
        return compile_package(record.resolved, extra) if extra else self.of(record)

    def _remembered(self, key: _Key) -> Tool | Workflow | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _remember(self, key: _Key, process: Tool | Workflow) -> Tool | Workflow:
        with self._lock:
            self._known[key] = process
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return process
