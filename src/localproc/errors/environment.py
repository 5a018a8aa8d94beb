"""The machine, or a server, is not fit for what is asked; the package may be.

Owns errors of homes, plugins, images and services.
"""

from collections.abc import Mapping
from typing import Any

from localproc.errors.root import LocalprocError

#: How to install an extra: to be changed when localproc is on a package index (README, Install).
INSTALL = "in a clone of localproc: pip install '.[{extra}]'"


class EnvironmentProblem(LocalprocError):
    """The machine is not fit for what is asked."""

    type = "https://localproc.dev/problems/environment"


class HomeUnusable(EnvironmentProblem):
    """The home folder cannot be written, or lies where a store is not safe."""


class StoreLocked(HomeUnusable):
    """Somebody has held the home's store for so long that nobody else could use it."""

    status = 503


class StoreCorrupted(EnvironmentProblem):
    """The home's store cannot be read."""


class JobPutAside(EnvironmentProblem):
    """A job that this engine cannot or must not go on with; ``reason`` says why."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(
            f"job {job_id} is put aside: {reason}",
            hint="'localproc resume' tries again, after an upgrade if a newer localproc wrote it; "
            "'localproc dismiss' ends it",
        )
        self.reason = reason


class ImageError(EnvironmentProblem):
    """A container image is not here, cannot be brought, or is none."""

    status = 422  # the process is known and cannot be run here, as with UnsupportedPackage


class NoSpace(EnvironmentProblem):
    """The disk is full."""

    status = 507


class SecretUnavailable(EnvironmentProblem):
    """A secret cannot be had; neither message nor hint has anything of its value."""


class PluginMissing(EnvironmentProblem):
    """An executor, a storage or an extra was asked for that is not installed."""

    @classmethod
    def for_extra(cls, name: str, what: str) -> "PluginMissing":
        """Return the error that says what needs an extra of localproc, and how to install it."""
        return cls(what, hint=INSTALL.format(extra=name))


class ServerUnreachable(EnvironmentProblem):
    """A server of OGC API - Processes elsewhere does not answer, or not now."""

    status = 502


class ServerRefused(LocalprocError):
    """A server of OGC API - Processes elsewhere does not do what it is asked.

    ``answered`` is its HTTP status, ``problem`` the RFC 9457 problem that it gave, if it did.
    """

    type = "https://localproc.dev/problems/server-refused"
    status = 502

    def __init__(
        self,
        message: str,
        *,
        answered: int = 0,
        problem: Mapping[str, Any] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.answered = answered
        self.problem = dict(problem or {})

    def _members(self) -> dict[str, Any]:
        return {"answered": self.answered}


class ExecutorUnavailable(LocalprocError):
    """No news from the executor; its tasks are as they were."""
