"""A fact in a job's history. The history is append-only, and the job is what it adds up to.

Owns what all events share, and how the members of one become JSON and are read back. Must not know
the kinds: those are in ``events``.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple, Self

from localproc.frozen import frozen


class Kind(StrEnum):
    """What can happen to a job; each has a class in ``localproc.model.events``."""

    ACCEPTED = "accepted"
    STARTED = "started"
    TAKEN_OVER = "taken-over"
    STEP_SUBMITTED = "step-submitted"
    STEP_QUEUED = "step-queued"
    STEP_RUNNING = "step-running"
    STEP_PROGRESS = "step-progress"
    STEP_RETRYING = "step-retrying"
    STEP_FINISHED = "step-finished"
    DISMISS_REQUESTED = "dismiss-requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DISMISSED = "dismissed"
    UNREADABLE = "unreadable"


@frozen
class Event:
    """One fact.

    ``at`` is in UTC; ``progress`` (percent) and ``message`` are what the job's status shows from
    here on, ``None`` where the event leaves them as they are. What else is known are the members of
    each class. ``version`` rises when the members of a class change their meaning or their form, so
    that what an older localproc wrote can be told from what this one writes.
    """

    kind: ClassVar[Kind]
    version: ClassVar[int] = 1

    at: datetime
    progress: int | None = field(default=None, kw_only=True)
    message: str | None = field(default=None, kw_only=True)

    def to_data(self) -> dict[str, Any]:
        """Return the members as JSON, without those that are as they are by default."""
        write = _WRITERS.get(self.kind)
        if write is None:
            write = _WRITERS[self.kind] = _made_writer(type(self))
        return write(self)

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        at: datetime,
        *,
        version: int | None = None,
        progress: int | None = None,
        message: str | None = None,
    ) -> Self:
        """Return the event that ``data`` holds, also as an older version wrote it.

        Members that are not known are left out. Raises ``ValueError`` for a member that is missing
        or is not what it should be, and for a version that is not known yet.
        """
        written = cls.version if version is None else version
        if written > cls.version:
            raise ValueError(f"'{cls.kind}' has version {written}, known is {cls.version}")
        if written < cls.version:
            data = cls.upgraded(data, written)
        form = _form(cls)
        for name in form.required:
            if name not in data:
                raise ValueError(f"'{cls.kind}' has no {name!r}")
        known = form.members
        values = {name: known[name].value(data[name]) for name in data if name in known}
        return cls(at, progress=progress, message=message, **values)

    @classmethod
    def upgraded(cls, data: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Return what an older version wrote in the form of this one."""
        del version
        return data


@frozen
class Member:
    """A member of a class of events: what it means, and how it is read and written."""

    name: str
    meaning: str
    default: Any
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None  #: ``None`` where the value is JSON

    @property
    def required(self) -> bool:
        """Whether every event of the class has it."""
        return self.default is MISSING

    def value(self, written: Any) -> Any:
        """Return what was written; raises ``ValueError`` if it cannot be that."""
        if written is None and self.default is None:
            return None
        try:
            return self.read(written)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise ValueError(f"{self.name!r} cannot be {written!r:.100}: {error}") from error


def says(
    meaning: str, read: Callable[[Any], Any], write: Callable[[Any], Any] | None = None
) -> dict[str, Any]:
    """Say what a member means, in one line, how it is read from JSON and how it is written."""
    return {"meaning": meaning, "read": read, "write": write}


def says_when(meaning: str) -> dict[str, Any]:
    """Say what a member means that is a time."""
    return says(meaning, moment, datetime.isoformat)


def members(cls: type[Event]) -> tuple[Member, ...]:
    """Return the members of a class of events, in its order."""
    return tuple(_form(cls).members.values())


class _Form(NamedTuple):
    """The members of a class, and which of them every event has."""

    members: Mapping[str, Member]
    required: tuple[str, ...]


_FORMS: Final[dict[Kind, _Form]] = {}


def _form(cls: type[Event]) -> _Form:
    found = _FORMS.get(cls.kind)
    if found is None:
        found = _FORMS[cls.kind] = _made_form(cls)
    return found


def _made_form(cls: type[Event]) -> _Form:
    own = [
        Member(one.name, default=one.default, **one.metadata) for one in fields(cls) if one.metadata
    ]
    return _Form({one.name: one for one in own}, tuple(one.name for one in own if one.required))


_WRITERS: Final[dict[Kind, Callable[[Event], dict[str, Any]]]] = {}


def _made_writer(cls: type[Event]) -> Callable[[Event], dict[str, Any]]:
    """Return what writes the members of an event of a class.

    It is compiled: every event is written, and of its up to thirty members most are as they are by
    default, which a loop over all of them takes twice as long to see.
    """
    known: dict[str, Any] = {}
    lines = []
    for one in members(cls):
        name = one.name
        known |= {f"usual_{name}": one.default, f"write_{name}": one.write}
        written = "value" if one.write is None else f"write_{name}(value)"
        lines.append(f" value = event.{name}")
        if not one.required:
            lines.append(f" if value is not usual_{name} and value != usual_{name}:")
        lines.append(f"  data[{name!r}] = {written}".removeprefix(" " if one.required else ""))
    exec("\n".join(["def write(event):", " data = {}", *lines, " return data"]), known)  # noqa: S102
    write: Callable[[Event], dict[str, Any]] = known["write"]
    return write


# How members are read


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return value


def integer(value: Any) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("it is no whole number")
    return value


def number(value: Any) -> float:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("it is no number")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, (list, tuple)):
        raise TypeError("it is no list")
    return tuple(map(text, value))


def mapping(value: Any) -> Mapping[str, Any]:
    """Read an object."""
    if not isinstance(value, Mapping):
        raise TypeError("it is no object")
    return value


def moment(value: Any) -> datetime:
    """Read a time; one without an offset is in no zone, so it is refused."""
    at = datetime.fromisoformat(text(value))
    if at.tzinfo is None:
        raise ValueError("it has no offset from UTC")
    return at
