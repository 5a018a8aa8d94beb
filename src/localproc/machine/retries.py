"""When a step that ended badly runs again.

Owns the rules (attempts, delay, backoff, kinds of ending, by patterns of steps), reading them from
what people write, and what follows from them for one ending. Must not know clocks: how long to
wait is a number of seconds.

What people write is a number of retries, a mapping with ``attempts``, ``delay``, ``backoff`` and
``on``, a mapping of patterns of steps to either, or a list of mappings that also have ``steps``.
"""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from localproc.errors import InvalidInputs
from localproc.frozen import frozen
from localproc.model import Report, TaskState
from localproc.near import closest

#: An exit code that the tool names in ``temporaryFailCodes``, and any that it does not name.
TEMPORARY: Final = "temporary"
FAILED: Final = "failed"
_STATES: Final = (
    TaskState.TIMED_OUT,
    TaskState.OUT_OF_MEMORY,
    TaskState.LOST,
    TaskState.NODE_LOST,
    TaskState.CANCELLED,
)
KINDS: Final = (TEMPORARY, FAILED, *(state.value for state in _STATES))
_USUAL: Final = (TEMPORARY, FAILED, "timed-out", "out-of-memory", "lost", "node-lost")
_LONGEST: Final = 24 * 3600.0  #: seconds that are waited at the most
_LONGEST_SAID: Final = 1e9
_MOST_DIGITS: Final = 9  #: of an exit code
_MEMBERS: Final = ("attempts", "delay", "backoff", "on")
_ALIKE: Final = 0.8  #: how much a pattern is to be like a member, to be that misspelt
_HINT: Final = "write a number of retries, or attempts, delay, backoff and on, for each pattern"


@frozen
class RetryRule:
    """One rule. ``steps`` is a pattern of a step's name or place, with ``*`` and ``?``.

    There are ``attempts`` in all; the second one begins ``delay`` seconds after the first has
    ended, each later one after ``backoff`` times as long as the one before. ``on`` are the kinds of
    ending that count: ``KINDS``, exit codes (``75``) and ranges of them (``100-110``).
    """

    steps: str = "*"
    attempts: int = 1
    delay: float = 1.0
    backoff: float = 2.0
    on: tuple[str, ...] = _USUAL

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "steps": self.steps,
            "attempts": self.attempts,
            "delay": self.delay,
            "backoff": self.backoff,
            "on": list(self.on),
        }

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after so many attempts have ended badly."""
        try:
            return min(_LONGEST, self.delay * self.backoff ** (failures - 1))
        except OverflowError:
            return _LONGEST

    def covers(
        self, report: Report, temporary: Collection[int], permanent: Collection[int]
    ) -> bool:
        """Whether an ending is one after which another attempt may help.

        An exit code that the tool calls permanent has to be named.
        """
        if report.state is not TaskState.ENDED:
            return report.state.value in self.on
        code = report.exit_code
        if code is None:
            return False
        if any(_is_within(code, one) for one in self.on):
            return True
        if code in permanent:
            return False
        return FAILED in self.on or (TEMPORARY in self.on and code in temporary)


#: What holds where no rule fits: who wrote the tool has said that trying again may help.
OF_TOOLS: Final = RetryRule(attempts=3, on=(TEMPORARY,))


def read_rules(value: Any) -> tuple[RetryRule, ...]:
    """Return the rules that somebody has written; raises ``InvalidInputs``."""
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(_written(one) for one in value)
    if not isinstance(value, Mapping) or set(value) <= set(_MEMBERS):
        return (_rule("*", value),)
    for name in value:
        if name not in _MEMBERS and (meant := closest(str(name), _MEMBERS, _ALIKE)):
            raise InvalidInputs(
                f"retries have {name!r}: did you mean {meant!r}?",
                hint=f"if it is a step, write [{{steps: {name}, attempts: 3}}]",
            )
    rules = [_rule(str(steps), one) for steps, one in value.items()]
    return tuple(sorted(rules, key=lambda rule: rule.steps == "*"))  # for all: after the others


def from_data(rules: Iterable[Mapping[str, Any]]) -> tuple[RetryRule, ...]:
    """Return rules that were kept as JSON."""
    return tuple(RetryRule(**{**one, "on": tuple(one["on"])}) for one in rules)


def rule_for(rules: Iterable[RetryRule], step: str, place: str) -> RetryRule:
    """Return the rule for a step, by its name and its place in the workflow."""
    for rule in rules:
        if fnmatchcase(step, rule.steps) or fnmatchcase(place, rule.steps):
            return rule
    return OF_TOOLS


def _written(value: Any) -> RetryRule:
    """Return one rule of a list, which names its steps itself."""
    rest = dict(value) if isinstance(value, Mapping) else {"": value}
    return _rule(str(rest.pop("steps", "*")), rest)


def _rule(steps: str, value: Any) -> RetryRule:
    if isinstance(value, int) and not isinstance(value, bool):
        value = {"attempts": value + 1}
    if not isinstance(value, Mapping) or not set(value) <= set(_MEMBERS):
        raise _wrong(f"{value!r} is no rule for retries")
    attempts = value.get("attempts", 2)
    if not isinstance(attempts, int) or isinstance(attempts, bool) or not 1 <= attempts <= 1000:
        raise _wrong(f"there cannot be {attempts!r} attempts of a step")
    numbers = {name: value.get(name, usual) for name, usual in (("delay", 1.0), ("backoff", 2.0))}
    for name, number in numbers.items():
        is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
        if not is_number or not 0 <= number <= _LONGEST_SAID:
            raise _wrong(f"the {name} of retries cannot be {number!r}")
    given = value.get("on", _USUAL)
    listed = given if isinstance(given, (list, tuple)) else [given]
    kinds = tuple(_kind(one) for one in listed)
    return RetryRule(steps, attempts, float(numbers["delay"]), float(numbers["backoff"]), kinds)


def _kind(value: Any) -> str:
    """Return a kind of ending in the form that rules have; ``NODE_LOST`` is ``node-lost``."""
    text = str(value).strip().lower().replace("_", "-")
    if text in KINDS or _range(text) is not None:
        return text
    raise _wrong(f"{value!r} is no way in which a step can end")


def _wrong(message: str) -> InvalidInputs:
    return InvalidInputs(message, hint=f"{_HINT}; on: exit codes, {', '.join(KINDS)}")


def _range(text: str) -> tuple[int, int] | None:
    first, _, last = text.partition("-")
    bounds = first, last or first
    if all(one.isdecimal() and len(one) <= _MOST_DIGITS for one in bounds):
        return int(bounds[0]), int(bounds[1])
    return None


def _is_within(code: int, kind: str) -> bool:
    bounds = _range(kind)
    return bounds is not None and bounds[0] <= code <= bounds[1]
