"""What is asked for beside inputs and results.

Owns reading and checking the options of a job. Must not know what follows from them, nor what an
engine says where nothing is asked for.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.engine.admission.inputs import check_texts
from localproc.engine.admission.run_options import read_run_options
from localproc.engine.options import read_trigger
from localproc.errors import InvalidInputs, Problem
from localproc.machine.callbacks import SUBSCRIBER_MEMBERS
from localproc.model import InputPolicy, JobRequest, ProcessRecord, Trigger
from localproc.storage.addresses import is_elsewhere
from localproc.storage.asset_choice import AssetChoice
from localproc.uris import canonical

_OPTIONS: Final = frozenset(one.name for one in fields(JobRequest))
#: What an address is made of (RFC 3986, 2): no spaces, line breaks or other controls.
_PLAIN: Final = re.compile(r"[^\x00-\x20\x7f-\xa0<>\"\\^`{|}]+")


def read_options(record: ProcessRecord, rest: dict[str, Any], usual_retries: Any) -> None:
    """Read in place what was asked for beside inputs and results; raises ``InvalidInputs``."""
    _check_subscriber(rest.get("subscriber") or {}, rest["policy"])
    if rest.get("outputs") is not None:
        _check_outputs(record, rest["outputs"])
    if rest.get("assets"):
        AssetChoice.read(rest["assets"])
    rest["tags"] = tuple(rest.get("tags", ()))
    rest["trigger"] = read_trigger(rest.get("trigger", Trigger.MANUAL))
    rest |= read_run_options(rest, usual_retries)
    check_texts(
        rest.get("title"), rest.get("reason"), rest.get("run_as"), *rest["tags"], rest["once"]
    )
    if unknown := rest.keys() - _OPTIONS:
        raise InvalidInputs(f"unknown options: {', '.join(sorted(unknown))}")


def _check_outputs(record: ProcessRecord, wanted: Any) -> None:
    if not isinstance(wanted, Mapping):
        hint = "outputs={'NAME': {}} asks for one"
        raise InvalidInputs("outputs are given by name, each with its options", hint=hint)
    known = record.description["outputs"]
    hint = f"there is: {', '.join(known)}"
    problems = [
        Problem(f"there is no output {name!r}", f"outputs.{name}", hint=hint)
        for name in wanted
        if name not in known
    ]
    if problems:
        raise InvalidInputs("some outputs do not exist", problems)


def _check_subscriber(subscriber: Mapping[str, Any], policy: InputPolicy) -> None:
    """Raise ``InvalidInputs`` for addresses that could not be told: they are guarded as inputs."""
    problems = []
    for name, uri in subscriber.items():
        where = f"subscriber.{name}"
        if name not in SUBSCRIBER_MEMBERS:
            hint = f"there is: {', '.join(SUBSCRIBER_MEMBERS)}"
            problems.append(Problem("there is no such member", where, hint=hint))
        elif wrong := _wrong_address(uri, guarded=policy.guarded):
            problems.append(Problem(wrong, where))
    if problems:
        raise InvalidInputs("the subscriber cannot be told", problems)


def _wrong_address(uri: Any, *, guarded: bool) -> str:
    """Say why an address cannot be told, nothing if it can."""
    if not isinstance(uri, str) or not _PLAIN.fullmatch(uri):
        return "is not a web address"
    try:
        parts = urlsplit(canonical(uri))
        host = parts.hostname or ""
    except ValueError as error:
        return f"is not a web address: {error}"
    if parts.scheme not in ("http", "https"):
        return "is not a web address"
    return "" if not guarded or is_elsewhere(host) else f"{host} is not a public address"
