"""What the steps of one job are given that does not come from the package.

Owns which variables and secrets each step gets, and what of them counts for its reuse. Must not
know how a task is prepared, nor where secrets come from. Any thread may use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from localproc.cwl.run.prepare import Prepared
from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.home.variables import VariableRule
from localproc.frozen import frozen
from localproc.model import Secrets
from localproc.model.secret import marked, with_texts


@frozen
class StepSecrets:
    """The variables and secrets of one job's steps; ``named`` are the secrets in its inputs."""

    rules: Sequence[VariableRule]
    process_id: str
    named: frozenset[str]
    keeper: SecretKeeper

    def is_quick(self, place: str) -> bool:
        """Return whether nothing has to be asked for before a step can be prepared."""
        return not self.named and not any(one.secrets for one in self._rules(place))

    def plain(self, place: str) -> dict[str, str]:
        """Return the variables of a step that are no secrets; raises ``StepError``."""
        found: dict[str, str] = {}
        for one in self._rules(place):
            found |= one.plain()
        return found

    def of(self, place: str, prepared: Prepared) -> Secrets:
        """Return the secrets of a task; raises ``SecretUnavailable``."""
        variables = self._variables(place)
        written = [one.target for one in prepared.stage if any(self._marked(one.contents))]
        contents = [one.contents for one in prepared.stage if one.contents]
        names = self._marked([prepared.argv, dict(prepared.env), contents])
        return Secrets(
            variables={
                variable: (name, self.keeper.get(name))
                for variable, name in variables.items()
                if variable not in prepared.env  # the package sets it itself
            },
            values={name: self.keeper.get(name) for name in sorted(names)},
            files=tuple(written),
        )

    def without_any(self) -> "StepSecrets":
        """Return these without the secrets: with the plain variables alone."""
        rules = [one.without_secrets() for one in self.rules]
        return replace(self, rules=rules, named=frozenset())

    def counted(self, place: str) -> dict[str, Any]:
        """Return what counts for a step's reuse besides its inputs: of secrets their digests."""
        plain, secrets = self.plain(place), self._variables(place)
        digests = {variable: self.keeper.digest(name) for variable, name in secrets.items()}
        return {"variables": plain, "secrets": digests} if plain or digests else {}

    def digested(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return inputs with digests of the secrets in place of their marks."""
        names = self._marked(dict(inputs))
        if not names:
            return inputs
        shown = Secrets(values={name: self.keeper.digest(name) for name in names})
        return {name: with_texts(value, shown.revealed) for name, value in inputs.items()}

    def _variables(self, place: str) -> dict[str, str]:
        """Return the variables that are secrets, by the names of those; the last rule holds."""
        found: dict[str, str] = {}
        for one in self._rules(place):
            found = {k: v for k, v in found.items() if k not in one.values} | one.secrets
        return found

    def _rules(self, place: str) -> list[VariableRule]:
        return [one for one in self.rules if one.fits(self.process_id, place)]

    def _marked(self, value: Any) -> set[str]:
        return set(self.named.intersection(marked(value))) if self.named else set()
