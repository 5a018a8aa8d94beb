"""A subscription: what is waited for, and what is done when it comes.

Owns its members and what they may be. Must not know how events are found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.engine.triggers.cron import read_cron
from localproc.errors import InvalidInputs, Problem

#: What can be waited for, with the members that say what of; those with a ``?`` may be left out.
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "succeeded": ("process",),
    "failed": ("process",),
    "late": ("process", "cron", "timezone?", "tolerance?"),
    "missing": ("process", "cron", "timezone?"),
    "file": ("folder", "pattern?", "settled?", "existing?"),
    "stac": ("url", "collections?", "existing?"),
    "webhook": ("secret",),
}
TARGETS: Final = ("process", "webhook", "mail", "command")
_NUMBERS: Final = ("tolerance", "settled")


@dataclass(frozen=True)
class Subscription:
    """An event, and what is done when it comes.

    ``when`` has ``event``, one of ``EVENTS``, and its members; ``target`` one of ``TARGETS``: a
    process with ``inputs``, the address of a webhook or of a mail, or a command. ``every`` is how
    many seconds lie between two looks for files and items.
    """

    name: str
    when: Mapping[str, Any]
    target: Mapping[str, Any]
    every: float = 10
    enabled: bool = True
    run_as: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = [*_wrong_event(self.when), *_wrong_target(self.target)]
        if isinstance(self.every, bool) or not isinstance(self.every, (int, float)):
            problems.append(Problem("is no number", "every"))
        elif not 0.1 <= self.every <= 1e7:
            problems.append(Problem("is not between 0.1 and 1e7 seconds", "every"))
        if problems:
            raise InvalidInputs("the subscription cannot be kept", problems)
        if "cron" in self.when:
            read_cron(self.when["cron"], str(self.when.get("timezone", "UTC")))

    @property
    def event(self) -> str:
        """What it waits for."""
        return str(self.when["event"])

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Subscription":
        """Return the subscription that ``to_data`` has given; raises ``InvalidInputs``."""
        known = {one.name for one in fields(cls)}
        problems = [Problem("there is no such member", one) for one in data if one not in known]
        problems += [
            Problem("is missing, or no mapping", one)
            for one in ("when", "target")
            if not isinstance(data.get(one), Mapping)
        ]
        if problems:
            raise InvalidInputs("the subscription cannot be kept", problems)
        return cls(**{"name": "", **data})

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _wrong_event(when: Mapping[str, Any]) -> list[Problem]:
    event = when.get("event")
    if event not in EVENTS:
        return [Problem(f"is none of {', '.join(EVENTS)}", "when.event")]
    members = EVENTS[str(event)]
    known = {one.rstrip("?") for one in members} | {"event"}
    problems = [
        Problem("there is no such member", f"when.{one}") for one in when if one not in known
    ]
    problems += [
        Problem("is missing, or no text", f"when.{one}")
        for one in members
        if not one.endswith("?") and not (isinstance(when.get(one), str) and when[one])
    ]
    return problems + [
        Problem("is no number of seconds", f"when.{one}")
        for one in _NUMBERS
        if one in when and (isinstance(when[one], bool) or not isinstance(when[one], (int, float)))
    ]


def _wrong_target(target: Mapping[str, Any]) -> list[Problem]:
    named = [one for one in TARGETS if one in target]
    if len(named) != 1:
        return [Problem(f"has not one of {', '.join(TARGETS)}", "target")]
    kind = named[0]
    extra = set(target) - {kind, *(("inputs",) if kind == "process" else ())}
    problems = [Problem("there is no such member", f"target.{one}") for one in sorted(extra)]
    value = target[kind]
    if kind == "command":
        is_right = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    else:
        is_right = isinstance(value, str) and bool(value)
    if kind == "webhook" and is_right:
        is_right = urlsplit(value).scheme in ("http", "https")
    if kind == "mail" and is_right:
        is_right = value.count("@") == 1 and not any(one.isspace() for one in value)
    if not is_right:
        problems.append(Problem(f"is no {kind}", f"target.{kind}"))
    if not isinstance(target.get("inputs", {}), Mapping):
        problems.append(Problem("is no mapping", "target.inputs"))
    return problems
