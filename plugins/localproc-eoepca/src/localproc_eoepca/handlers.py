"""What a service has its own way with: the methods that a site's handler overrides.

Owns their names and arguments, which are those of zoo-calrissian-runner and zoo-runner-common. Must
not know who calls them.
"""

from abc import ABC, abstractmethod
from typing import Any


class ExecutionHandler(ABC):
    """The base of a site's handler. All of its methods may block."""

    def __init__(self, **members: Any) -> None:
        self.__dict__.update(members)
        self.job_id: str | None = members.get("job_id")

    def set_job_id(self, job_id: str) -> None:
        """Be told what the execution is called."""
        self.job_id = job_id

    @abstractmethod
    def pre_execution_hook(self, **kwargs: Any) -> None:
        """Do what comes before anything else; what it raises ends the service."""

    @abstractmethod
    def get_additional_parameters(self) -> Any:
        """Return parameters that come over the inputs, a mapping."""

    @abstractmethod
    def get_secrets(self) -> Any:
        """Return with which keys images are pulled, as Docker's ``config.json`` has them."""

    @abstractmethod
    def get_pod_env_vars(self) -> Any:
        """Return variables of tools, a mapping."""

    @abstractmethod
    def get_pod_node_selector(self) -> Any:
        """Return the labels of nodes that tools run on, a mapping."""

    @abstractmethod
    def handle_outputs(self, log: Any, output: Any, usage_report: Any, tool_logs: Any) -> None:
        """Do something with what there is when the tools have ended."""

    @abstractmethod
    def post_execution_hook(self, **kwargs: Any) -> None:
        """Do what comes last: ``log``, ``output``, ``usage_report`` and ``tool_logs`` are given."""
