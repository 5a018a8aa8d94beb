"""Variables that tools are given.

Owns the rules that say which step of which process gets which variables: plain ones, those of the
engine's own environment, and secrets by reference. Must not know a secret's value.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from localproc.engine.home.secrets import secret_name
from localproc.errors import InvalidInputs, Problem, StepError
from localproc.frozen import frozen

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN: Final = frozenset({"HOME", "TMPDIR"})  #: CWL says what they are
_MEMBERS: Final = frozenset({"process", "step", "set", "preserve"})
_HINT: Final = "variables: [{step: node_crop, set: {TOKEN: 'secret:NAME'}, preserve: [GDAL_*]}]"


@frozen
class VariableRule:
    """Variables for the steps that two patterns fit; ``*`` and ``?`` are wild in them.

    ``values`` are texts, references to secrets, or ``None`` for what the engine's own environment
    has; ``preserve`` are patterns of variables that are passed on if they are there.
    """

    process: str = "*"
    step: str = "*"
    values: Mapping[str, str | None] = field(default_factory=dict)
    preserve: tuple[str, ...] = ()

    def fits(self, process_id: str, place: str) -> bool:
        """Return whether it is for a step, by its name or its place in nested workflows."""
        name = place.rpartition("/")[2]
        return fnmatchcase(process_id, self.process) and (
            fnmatchcase(name, self.step) or fnmatchcase(place, self.step)
        )

    @property
    def secrets(self) -> dict[str, str]:
        """The variables that are secrets, with the secrets' names."""
        named = {variable: secret_name(value) for variable, value in self.values.items()}
        return {variable: name for variable, name in named.items() if name}

    def without_secrets(self) -> "VariableRule":
        """Return the same rule for the variables that are none."""
        return replace(self, values={k: v for k, v in self.values.items() if not secret_name(v)})

    def plain(self) -> dict[str, str]:
        """Return those that are no secrets; raises ``StepError`` for one that is not set."""
        found = {
            name: value
            for name, value in os.environ.items()
            if name not in _TAKEN and any(fnmatchcase(name, one) for one in self.preserve)
        }
        for name, value in self.values.items():
            if value is None:
                value = os.environ.get(name)
                if value is None:
                    raise StepError(
                        f"the variable {name} is not set where the job is run",
                        hint=f"set it there, or give its value: {name}=VALUE",
                    )
            if not secret_name(value):
                found[name] = value
        return found


def read_variables(given: Any, where: str = "variables") -> tuple[VariableRule, ...]:
    """Return the rules that settings or a request have; raises ``InvalidInputs``.

    They are a list of rules, or a mapping of variables that all steps are given. Secrets are given
    to steps that are named alone; ``step: '*'`` names all of them.
    """
    if isinstance(given, Mapping):
        given = [{"set": given}]
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InvalidInputs(f"{where} are no rules", hint=_HINT)
    problems: list[Problem] = []
    rules = [_read(one, f"{where}[{number}]", problems) for number, one in enumerate(given)]
    if problems:
        raise InvalidInputs("some variables cannot be given to tools", problems, hint=_HINT)
    return tuple(rules)


def to_data(rules: Iterable[VariableRule]) -> list[dict[str, Any]]:
    """Return rules as JSON, which ``read_variables`` takes."""
    return [
        {
            "process": one.process,
            "step": one.step,
            "set": dict(one.values),
            "preserve": list(one.preserve),
        }
        for one in rules
    ]


def read_words(words: Iterable[str], preserve: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rules of ``[STEP:]NAME[=VALUE]`` and of patterns of names."""
    rules: list[dict[str, Any]] = []
    for word in words:
        name, is_given, value = word.partition("=")
        step, is_named, variable = name.rpartition(":")
        rule: dict[str, Any] = {"set": {variable: value if is_given else None}}
        rules.append({**rule, "step": step} if is_named else rule)
    patterns = list(preserve)
    return [*rules, {"preserve": patterns}] if patterns else rules


def _read(given: Any, where: str, problems: list[Problem]) -> VariableRule:
    if not isinstance(given, Mapping) or set(given) - _MEMBERS:
        problems.append(Problem(f"is no mapping of {', '.join(sorted(_MEMBERS))}", where))
        return VariableRule()
    values, preserve = given.get("set", {}), given.get("preserve", ())
    if not isinstance(values, Mapping):
        problems.append(Problem("is no mapping of variables", f"{where}.set"))
        values = {}
    if isinstance(preserve, str):
        preserve = [preserve]
    for name, value in values.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _TAKEN:
            problems.append(Problem("is no variable that can be set", f"{where}.set.{name}"))
        elif value is not None and (isinstance(value, (Mapping, list)) or "\0" in str(value)):
            problems.append(Problem("is no text", f"{where}.set.{name}"))
        elif secret_name(value) and "step" not in given:
            said = "is a secret, and is given to steps that are named alone"
            hint = f"STEP:{name}={value}, or '*:{name}={value}' for all"
            problems.append(Problem(said, f"{where}.set.{name}", hint=hint))
    return VariableRule(
        process=str(given.get("process", "*")),
        step=str(given.get("step", "*")),
        values={str(k): v if v is None else _text(v) for k, v in values.items()},
        preserve=tuple(map(str, preserve)),
    )


def _text(value: Any) -> str:
    """Return a value of a settings file as a variable has it: ``true`` is no ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)
