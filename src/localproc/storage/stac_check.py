"""What is done about results that are no valid STAC.

Owns telling it, or refusing them. Must not know what is valid.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from localproc.errors import StagingError

if TYPE_CHECKING:  # what it needs is large, and few results are STAC
    from localproc.storage.stac_schemas import StacSchemas


class Validation(StrEnum):
    """What is done about results that are no valid STAC."""

    OFF = "off"  #: nothing is looked at
    WARN = "warn"  #: it is told in the log
    FAIL = "fail"  #: nothing is published


class StacCheck:
    """Checks the documents of one job. ``log`` is told of what is wrong or could not be checked."""

    def __init__(
        self, how: Validation, schemas: "Callable[[], StacSchemas]", log: Callable[[str], None]
    ) -> None:
        self._how = how
        self._schemas = schemas
        self._log = log
        self._told: set[str] = set()

    def see(self, name: str, document: Mapping[str, Any]) -> None:
        """Look at a document; raises ``StagingError`` if it has to be valid and is not."""
        if self._how is Validation.OFF:
            return
        verdict = self._schemas().verdict(document)
        for uri in verdict.unchecked:
            if uri not in self._told:
                self._told.add(uri)
                command = f"localproc mirror add {uri}"
                self._log(f"not checked: there is no schema here of {uri} ({command})")
        if verdict.wrong and self._how is Validation.FAIL:
            raise StagingError(
                f"{name} is no valid STAC: {'; '.join(verdict.wrong)}",
                hint="mend what the package writes, or run with --validate-results warn",
            )
        for wrong in verdict.wrong:
            self._log(f"{name} is no valid STAC: {wrong}")
