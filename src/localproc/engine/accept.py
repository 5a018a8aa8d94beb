"""From what a user asks for to a request that can be recorded.

Owns checking inputs, outputs and options before a job is accepted. Must not record anything.
"""

import getpass
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.files import uri_path
from localproc.cwl.request import Request
from localproc.engine.inputs import read_inputs
from localproc.engine.permits import RootedDisk, check_policy
from localproc.engine.settings import Settings
from localproc.errors import EnvironmentProblem, InvalidInputs, Problem
from localproc.machine.letters import SUBSCRIBER_MEMBERS
from localproc.model import InputPolicy, JobRequest, ProcessRecord
from localproc.plugins.box import PluginBox
from localproc.storage.addresses import redacted
from localproc.storage.disk import Disk
from localproc.storage.publish import results_uri


class Acceptance:
    """Makes requests for the processes of an engine."""

    def __init__(self, settings: Settings, plugins: PluginBox, results: str) -> None:
        self._settings = settings
        self.results = settings.results or results
        self._plugins = plugins
        self._takes: dict[str, Request] = {}
        self._fit: set[str] = set()  # places where results can be published

    def request(self, record: ProcessRecord, inputs: Any, options: Mapping[str, Any]) -> JobRequest:
        """Give the request; raises ``InvalidInputs`` with every problem."""
        rest = dict(options)
        policy = rest.setdefault("policy", InputPolicy())
        values, base = read_inputs(inputs, rest.pop("base", None))
        bases = rest.pop("bases", None)
        references = bool(rest.pop("references", True)) and policy.roots is None
        files = Disk() if policy.roots is None else RootedDisk(policy)
        takes = self._request(record)
        job_object = takes.job_object(values, base, files, references=references, bases=bases)
        check_policy(job_object, policy)
        self._plugins.hook.localproc_check_inputs(process=record, inputs=job_object)
        rest["results"] = self._results_uri(os.fspath(rest.get("results") or self.results))
        _check_subscriber(rest.get("subscriber") or {})
        if rest.get("outputs") is not None:
            _check_outputs(record, rest["outputs"])
        rest["tags"] = tuple(rest.get("tags", ()))
        rest.setdefault("executor", self._settings.executor)
        rest["run_as"] = rest.get("run_as") or _user()
        unknown = set(rest) - set(JobRequest.__slots__)
        if unknown:
            raise InvalidInputs(f"unknown options: {', '.join(sorted(unknown))}")
        return JobRequest(inputs=job_object, **rest)

    def _results_uri(self, root: str) -> str:
        """Give where results go; raises before anything is run for it in vain."""
        uri = results_uri(root)
        if uri in self._fit:
            return uri
        scheme = urlsplit(uri).scheme
        if not self._plugins.storage(scheme).writable:
            raise InvalidInputs(
                f"results cannot go to {redacted(uri)}: it can only be read",
                hint="give a folder, or a URI of a storage that can be written to",
            )
        if scheme == "file":
            path = uri_path(uri)
            try:
                os.makedirs(path, exist_ok=True)
            except OSError as error:
                raise EnvironmentProblem(
                    f"results cannot be published in {path}: {error.strerror}",
                    hint="choose another folder with --results (results=...)",
                ) from None
        self._fit.add(uri)
        return uri

    def _request(self, record: ProcessRecord) -> Request:
        found = self._takes.get(record.revision)
        if found is None:
            main = record.resolved["processes"][record.resolved["main"]]
            spaces = record.resolved.get("namespaces")
            found = self._takes[record.revision] = Request(
                main["inputs"], spaces, record.description["inputs"]
            )
        return found


def _check_outputs(record: ProcessRecord, wanted: Mapping[str, Any]) -> None:
    known = record.description["outputs"]
    hint = f"there is: {', '.join(known)}"
    problems = [
        Problem(f"there is no output {name!r}", f"outputs.{name}", hint=hint)
        for name in wanted
        if name not in known
    ]
    if problems:
        raise InvalidInputs("some outputs do not exist", problems)


def _check_subscriber(subscriber: Mapping[str, Any]) -> None:
    problems = []
    for name, uri in subscriber.items():
        where = f"subscriber.{name}"
        if name not in SUBSCRIBER_MEMBERS:
            hint = f"there is: {', '.join(SUBSCRIBER_MEMBERS)}"
            problems.append(Problem("there is no such member", where, hint=hint))
        elif not _is_web_address(uri):
            problems.append(Problem("is not a web address", where))
    if problems:
        raise InvalidInputs("the subscriber cannot be told", problems)


def _is_web_address(uri: Any) -> bool:
    try:
        parts = urlsplit(uri)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except (AttributeError, TypeError, ValueError):
        return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
