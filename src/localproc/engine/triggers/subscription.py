"""A subscription: what is waited for, and what is done when it comes.

Owns its members and what they may be. Must not know how events are found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.engine.triggers.cron import read_cron
from localproc.engine.triggers.members import unknown_names, wrong_names, wrong_type, wrong_types
from localproc.errors import InvalidInputs, Problem
from localproc.near import near
from localproc.spelling import public

#: What can be waited for, with the members that say what of; those with a ``?`` may be left out.
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "succeeded": ("process",),
    "failed": ("process",),
    "late": ("process", "cron", "timezone?", "tolerance?"),
    "missing": ("process", "cron", "timezone?"),
    "file": ("folder", "pattern?", "settled?", "existing?"),
    "stac": ("url", "collections?", "existing?", "changes?"),
    "webhook": ("secret",),
}
_OF_A_JOB: Final = (
    "event",
    "process",
    "job",
    "status",
    "message",
    "trigger",
    "created",
    "finished",
)
#: The facts of each of them, that inputs may name.
FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "succeeded": _OF_A_JOB,
    "failed": _OF_A_JOB,
    "late": ("event", "process", "due"),
    "missing": ("event", "process", "due"),
    "file": ("event", "path", "uri", "name", "size", "modified"),
    "stac": ("event", "id", "collection", "datetime", "href", "properties", "assets", "bbox"),
    "webhook": ("event", "id", "body"),
}
_MEMBERS: Final = sorted({"event", *(one.rstrip("?") for of in EVENTS.values() for one in of)})
TARGETS: Final = ("process", "webhook", "mail", "command")
#: The types of members of an event; all others are texts.
_KINDS: Final[Mapping[str, Any]] = {
    "tolerance": float,
    "settled": float,
    "existing": bool,
    "changes": bool,
    "collections": Sequence[str],
}


@public
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
        problems = wrong_types(self)
        if not problems:
            problems = [*_wrong_event(self.when), *_wrong_target(self.target)]
            if not 0.1 <= self.every <= 1e7:
                problems.append(Problem("is not between 0.1 and 1e7 seconds", "every"))
        if problems:
            raise InvalidInputs("the subscription cannot be kept", problems)
        if "cron" in self.when:
            read_cron(self.when["cron"], self.when.get("timezone", "UTC"))

    @property
    def event(self) -> str:
        """What it waits for."""
        return str(self.when["event"])

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Subscription":
        """Return the subscription that ``to_data`` has given; raises ``InvalidInputs``."""
        if problems := wrong_names(cls, data):
            raise InvalidInputs("the subscription cannot be kept", problems)
        return cls(**data)

    def to_data(self) -> dict[str, Any]:
        """Return its members by name, as JSON has them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _wrong_event(when: Mapping[str, Any]) -> list[Problem]:
    event = when.get("event")
    if not isinstance(event, str) or event not in EVENTS:
        hint = near(event, EVENTS) if isinstance(event, str) else ""
        none = Problem(f"is none of {', '.join(EVENTS)}", "when.event", hint=hint)
        return [*unknown_names(when, _MEMBERS, "when."), none]
    needed = {one.rstrip("?"): not one.endswith("?") for one in EVENTS[event]}
    problems = unknown_names(when, {*needed, "event"}, "when.")
    for one, is_needed in needed.items():
        if one in when:
            kind = _KINDS.get(one, str)
            wrong = [*wrong_type(when[one], kind, f"when.{one}", needed=is_needed)]
            if not wrong and kind is float and not 0 <= when[one] < 1e9:
                wrong = [Problem("cannot be negative, or so large", f"when.{one}")]
            problems += wrong
        elif is_needed:
            problems.append(Problem("is missing", f"when.{one}"))
    return problems


def _wrong_target(target: Mapping[str, Any]) -> list[Problem]:
    named = [one for one in TARGETS if one in target]
    if len(named) != 1:
        unknown = unknown_names(target, {*TARGETS, "inputs"}, "target.")
        return [*unknown, Problem(f"has not one of {', '.join(TARGETS)}", "target")]
    kind = named[0]
    members = {kind, *(("inputs",) if kind == "process" else ())}
    problems = unknown_names(sorted(target), members, "target.")
    if not _is_target(kind, target[kind]):
        problems.append(Problem(f"is no {kind}", f"target.{kind}"))
    if not isinstance(target.get("inputs", {}), Mapping):
        problems.append(Problem("is no mapping", "target.inputs"))
    return problems


def _is_target(kind: str, value: Any) -> bool:
    texts = value if kind == "command" else [value]
    if not isinstance(texts, list) or not texts or not texts[0]:
        return False
    if any(list(wrong_type(text, str, kind)) for text in texts):
        return False
    if kind == "webhook":
        try:
            return urlsplit(value).scheme in ("http", "https")
        except ValueError:  # an address of IPv6 that does not end
            return False
    return kind != "mail" or (value.count("@") == 1 and not any(one.isspace() for one in value))
