"""The runner that a service makes: it has a package run by localproc and calls the handler.

Owns the order of the handler's methods, and what its answers are for a job. Must not know how a
service is loaded.

Handlers block, and are called in the service's own thread: an engine's loop never waits for them.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from localproc import Engine, Job
from localproc.errors import InvalidInputs
from localproc_eoepca.handler_reports import Execution
from localproc_eoepca.places import places
from localproc_eoepca.pod_variables import pod_variables
from localproc_eoepca.zoo_documents import parameters

SUCCEEDED: Final = 3
FAILED: Final = 4
_LONGEST: Final = 63  #: characters that the name of a namespace of Kubernetes may have
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_BEGUN, _ENDED = 20, 90  #: percent, between which the job's own progress lies


def untold(_: int, __: str) -> None:
    """Keep how far a service is to oneself."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a service's jobs run, with the settings of ``localproc.Engine``.

    ``results`` comes over what the handler says. ``base`` is what relative paths hang from.
    ``told`` is given percent and a message.
    """

    home: str
    results: str = ""
    base: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    told: Callable[[int, str], None] = untold


class Runner:
    """Runs one execution of a service's package; ``site`` is set where a service is loaded.

    What else a service says is of the cluster that there is not, such as ``dedicated_namespace``.
    """

    site: ClassVar[Site]

    def __init__(
        self,
        *,
        cwl: Any,
        conf: dict[str, Any],
        inputs: Mapping[str, Mapping[str, Any]],
        outputs: dict[str, Any],
        execution_handler: Any,
        **_: Any,
    ) -> None:
        self.cwl = cwl
        self.conf = conf
        self.inputs = inputs
        self.outputs = outputs
        self.handler = self.execution_handler = execution_handler
        self.execution: Execution | None = None
        self.monitor_interval = 0  # some set it; a job tells of its steps by itself

    def get_workflow_id(self) -> str:
        """Return what is run of the package."""
        return str(self.conf["lenv"]["Identifier"])

    def get_namespace_name(self) -> str:
        """Return what the execution is called."""
        name = f"{self.get_workflow_id()}-{self.conf['lenv']['usid']}".replace("_", "-")
        return name[:_LONGEST].rstrip("-")

    #: What the folder of an execution is called: some runners tell the two apart.
    get_workdir_name = get_namespace_name

    def get_processing_parameters(self) -> dict[str, Any]:
        """Return the values of the inputs."""
        return parameters(self.inputs)

    def update_status(self, progress: int, message: str = "") -> None:
        """Tell how far it is."""
        if message:
            self.conf["lenv"]["message"] = message
        self.site.told(progress, str(self.conf["lenv"].get("message", "")))

    def execute(self) -> int:
        """Run it, and return how it ended; raises what the handler raises."""
        self.update_status(2, "Pre-execution hook")
        self.handler.pre_execution_hook()
        self.handler.set_job_id(job_id=self.get_namespace_name())
        given = {
            "process": self.get_namespace_name(),
            **self.get_processing_parameters(),
            **self._mapping("get_additional_parameters"),
        }
        with pulling(self._mapping("get_secrets")), self._engine(given) as engine:
            job = self._job(engine, given)
            self._watch(job)
            return self._end(job)

    @contextmanager
    def _engine(self, given: Mapping[str, Any]) -> Iterator[Engine]:
        found = places(given, str(self.conf.get("eoepca", {}).get("platform", "EOEPCA")))
        settings = dict(self.site.settings)
        settings["storage_options"] = {**found.options, **settings.get("storage_options", {})}
        results = self.site.results or found.results
        with Engine(self.site.home, results=results or None, **settings) as engine:
            yield engine

    def _job(self, engine: Engine, given: Mapping[str, Any]) -> Job:
        """Have a job accepted, or give the one that this execution had before it was cut short."""
        picked = _picked(self.cwl, self.get_workflow_id())
        process = engine.deploy(self.cwl, fragment=picked, staging="ours")
        known = {port["id"] for port in process.ports()}
        inputs = {name: one for name, one in given.items() if name in known or name in self.inputs}
        keys = {str(one) for name, one in given.items() if one and name.endswith(_KEYS)}
        variables = pod_variables(self._mapping("get_pod_env_vars"), keys)
        if self._mapping("get_pod_node_selector"):
            self.update_status(_BEGUN, "pod_node_selector is left out: there are no nodes here")
        return process.execute(
            inputs,
            variables=variables,
            once=self.get_namespace_name(),
            base=self.site.base or None,
        )

    def _mapping(self, method: str) -> Mapping[str, Any]:
        """Return what a method of the handler gives, where nothing is an empty mapping."""
        given = getattr(self.handler, method)() or {}
        if isinstance(given, Mapping):
            return given
        raise InvalidInputs(
            f"the handler's {method} gives {type(given).__name__}, and not a mapping",
            hint=f"see {type(self.handler).__name__} in the service",
        )

    def _watch(self, job: Job) -> None:
        for step in job.watch():
            share = job.progress * (_ENDED - _BEGUN) // 100
            self.update_status(_BEGUN + share, f"{step.name}: {step.status}")
        job.wait()

    def _end(self, job: Job) -> int:
        execution = self.execution = Execution(job)
        told: dict[str, Any] = {
            "log": execution.get_log(),
            "output": execution.get_output(),
            "usage_report": execution.get_usage_report(),
            "tool_logs": execution.get_tool_logs(),
        }
        self.update_status(_ENDED, "delivering outputs, logs and usage report")
        self.handler.handle_outputs(**told)
        if not execution.is_succeeded():
            self.update_status(100, job.message)
            return FAILED
        self._set_outputs(job)
        self.update_status(97, "Post-execution hook")
        self.handler.post_execution_hook(**told)
        self.update_status(100, "execution successful")
        return SUCCEEDED

    def _set_outputs(self, job: Job) -> None:
        """Give the outputs their values; a service that has one of its own sets it anew."""
        for name, value in job.results_document().items():
            self.outputs.setdefault(name, {})["value"] = value


@contextmanager
def pulling(keys: Mapping[str, Any]) -> Iterator[None]:
    """Have images pulled with the keys that a handler gives, for as long as it takes."""
    several = [one for one in (*keys.values(), keys) if isinstance(one, Mapping)]
    auths = {host: one for said in several for host, one in (said.get("auths") or {}).items()}
    if not auths:
        yield
        return
    before = os.environ.get("DOCKER_CONFIG")
    with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump({**keys, "auths": auths}, file)
        os.environ["DOCKER_CONFIG"] = folder
        try:
            yield
        finally:
            del os.environ["DOCKER_CONFIG"]
            if before is not None:
                os.environ["DOCKER_CONFIG"] = before


def _picked(cwl: Any, workflow: str) -> str:
    """Return the id of what is run of a package: a function's name has ``_`` for each ``-``."""
    graph = cwl.get("$graph", ()) if isinstance(cwl, Mapping) else ()
    names = [str(one.get("id", "")).lstrip("#") for one in graph if isinstance(one, Mapping)]
    alike = [name for name in names if name.replace("-", "_") == workflow.replace("-", "_")]
    return alike[0] if alike else ""
