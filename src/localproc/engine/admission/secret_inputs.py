"""Inputs that are secrets (the ``cwltool:Secrets`` hint).

Owns finding them, and putting what may be kept in the place of their values. Must not know where
values come from.
"""

from collections.abc import Mapping
from typing import Any

from localproc.engine.home.secrets import GIVEN, SecretKeeper, secret_name
from localproc.errors import InvalidInputs, Problem, SecretUnavailable
from localproc.model.secret import mark


def secret_inputs(resolved: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of a process's inputs that are secrets.

    They are those of its own hint, and those that it hands on, as they are, to a step whose process
    has the hint.
    """
    return frozenset(_of(resolved, resolved["main"]))


def check_form(values: Mapping[str, Any], names: frozenset[str]) -> None:
    """Raise ``InvalidInputs`` for secrets that are no texts, without showing any."""
    problems = [
        Problem("is a secret, and has to be a text", f"inputs.{name}")
        for name in names
        if not isinstance(_plain(values.get(name)), (str, type(None)))
    ]
    if problems:
        raise InvalidInputs("some inputs are wrong", problems)


def hide(
    values: Mapping[str, Any],
    names: frozenset[str],
    keeper: SecretKeeper,
    *,
    local: bool,
    kept: bool,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the inputs with marks in place of secrets, and the names that the marks have.

    A reference stays one. Any other text is kept in memory by this engine alone: ``kept`` says
    whether it is the one that will run the job. ``local``: whoever asks may use secrets by name.
    Raises ``InvalidInputs``.
    """
    hidden, named, problems = dict(values), [], []
    for name in sorted(names):
        value = values.get(name)
        if value is None:
            continue
        found = secret_name(value)
        try:
            if found.startswith(GIVEN) and not (local and not keeper.missing(found)):
                hint = f"give it again, or by reference: {name}=secret:NAME"
                said = "was given as a text, which nobody has kept"
                problems.append(Problem(said, f"inputs.{name}", hint=hint))
            elif found and not local:
                problems.append(Problem("names a secret of this machine", f"inputs.{name}"))
            elif found:
                if why := keeper.missing(found):
                    problems.append(Problem(why, f"inputs.{name}"))
            elif not kept:
                hint = f"give it by reference: {name}=secret:NAME"
                said = "would have to be kept for the engine that will run the job"
                problems.append(Problem(said, f"inputs.{name}", hint=hint))
            else:
                found = keeper.take(str(value))
        except SecretUnavailable as error:
            problems.append(Problem(error.message, f"inputs.{name}", hint=error.hint))
        hidden[name] = mark(found)
        named.append(found)
    if problems:
        raise InvalidInputs("some secrets cannot be used", problems)
    return hidden, tuple(named)


def _plain(value: Any) -> Any:
    """Return what a qualified value has (OGC API - Processes Part 1)."""
    return value.get("value") if isinstance(value, Mapping) and "value" in value else value


def _of(resolved: Mapping[str, Any], name: str) -> set[str]:
    process = resolved["processes"][name]
    found = set()
    for one in (*process["requirements"], *process["hints"]):
        if one["class"] == "Secrets" and isinstance(one.get("secrets"), list):
            found |= {
                str(secret).rpartition("#")[2].rpartition("/")[2] for secret in one["secrets"]
            }
    for step in process.get("steps", ()):
        if step["run"] is None:
            continue
        inner = _of(resolved, step["run"])
        for link in step["in"]:
            if link["id"] in inner:
                found |= {source for source in link["source"] if "/" not in source}
    return found & {port["id"] for port in process["inputs"]}
