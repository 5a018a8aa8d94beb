"""What a handler is told of an execution.

Owns the forms of its log, output, usage report and tool logs. Must not know handlers.
"""

import os
from typing import Any

from localproc import Job


class Execution:
    """A job, in the words of the runners of ZOO-Project."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def is_complete(self) -> bool:
        """Return whether it has ended."""
        return self._job.status.final

    def is_succeeded(self) -> bool:
        """Return whether it has ended well."""
        return self._job.status == "successful"

    def get_log(self) -> str:
        """Return what all tools have written, and how it ended."""
        parts = [f"{os.path.basename(path)}\n{_text(path)}" for path in self.get_tool_logs()]
        return "\n".join([*parts, self._job.message])

    def get_tool_logs(self) -> list[str]:
        """Return the paths of the logs of steps."""
        folder = self._job.logs_folder
        return sorted(os.path.join(folder, name) for name in os.listdir(folder))

    def get_output(self) -> dict[str, Any]:
        """Return the outputs by name; ``StacCatalogUri`` is where the catalog of results lies."""
        if not self.is_succeeded():
            return {}
        outcome = self._job.outcome()
        output = dict(outcome.outputs)
        if outcome.features:
            output["StacCatalogUri"] = f"{self._job.location}/catalog.json"
        return output

    def get_usage_report(self) -> dict[str, Any]:
        """Return what each step has used."""
        return {"elapsed_seconds": self._job.duration, "children": self._job.step_details()}


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
