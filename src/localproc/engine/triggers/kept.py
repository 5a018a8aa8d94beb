"""What schedules and subscriptions have in common, as programs and people hold them.

Owns finding, removing and looking back at the triggers of one kind in a namespace. Must not know
what they are.
"""

from typing import Any, ClassVar

from localproc.engine.namespace import Namespace
from localproc.errors import InvalidInputs, NotFound, Problem
from localproc.model.trigger import Firing, TriggerRecord
from localproc.spelling import public


@public
class KeptTriggers:
    """The triggers of one ``kind``; ``missing`` is the error for a name that none has."""

    kind: ClassVar[str]
    missing: ClassVar[type[NotFound]]

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._store = namespace.runtime.store

    def enable(self, name: str, *, enabled: bool = True) -> Any:
        """Have one set something off, from now on, or no more; raises as ``remove`` does."""
        raise NotImplementedError

    def disable(self, name: str) -> Any:
        """Have one set nothing off any more; raises as ``remove`` does."""
        return self.enable(name, enabled=False)

    def remove(self, name: str) -> None:
        """Forget one; its jobs stay. Raises ``NotFound`` if there is none of that name."""
        if not self._store.remove_trigger(self._namespace.name, self.kind, name):
            raise self._missing(name)

    def history(self, name: str, limit: int = 20) -> list[Firing]:
        """Return what has set one off, the last ``limit`` times, with the jobs, the last one first.

        Raises as ``remove`` does.
        """
        return self._store.firings(self._trigger(name), limit)

    def _records(self) -> list[TriggerRecord]:
        return self._store.triggers(self._namespace.name, self.kind)

    def _find(self, name: str) -> TriggerRecord | None:
        found = self._store.triggers(self._namespace.name, self.kind, name)
        return found[0] if found else None

    def _trigger(self, name: str) -> TriggerRecord:
        found = self._find(name)
        if found is None:
            raise self._missing(name)
        return found

    def _check_new(self, name: str) -> None:
        """Raise ``InvalidInputs`` for a name that is taken."""
        if self._find(name) is not None:
            said = f"there is a {self.kind} {name!r} already"
            problem = Problem(said, "name", hint="replace it, or remove it")
            raise InvalidInputs(f"the {self.kind} cannot be kept", [problem])

    def _missing(self, name: str) -> NotFound:
        return self.missing(name)
