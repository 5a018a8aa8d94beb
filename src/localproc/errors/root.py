"""The root of all errors, and what is told of each problem.

Owns how an error becomes an RFC 9457 problem document. Must not know any single error.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from localproc.frozen import frozen

EXCEPTIONS_1 = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


EXCEPTIONS_2 = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"


#: Problems of one error that are written out.
MOST_TOLD: Final = 200

#: Packages whose lines are not those of whoever calls localproc in a notebook.
_BEHIND: Final = frozenset({"localproc", "IPython", "ipykernel"})


class LocalprocError(Exception):
    """The root of the tree.

    ``type`` and ``status`` are the problem type URI and the HTTP status of its problem document.
    """

    type: ClassVar[str] = "about:blank"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Return the traceback that IPython shows, up to the line that called localproc."""
        import traceback

        theirs = [
            (frame, line)
            for frame, line in traceback.walk_tb(self.__traceback__)
            if str(frame.f_globals.get("__name__")).partition(".")[0] not in _BEHIND
        ]
        lines = traceback.StackSummary.extract(theirs).format()
        said = f"{type(self).__name__}: {self}"
        return "".join(["Traceback (most recent call last):\n", *lines, said]).splitlines()

    def to_problem(self) -> dict[str, Any]:
        """Return the members of the RFC 9457 problem: type, title, status, detail, and our own."""
        problem: dict[str, Any] = {
            "type": self.type,
            "title": type(self).__name__,
            "status": self.status,
            "detail": self.message,
        }
        if self.hint:
            problem["hint"] = self.hint
        return problem | self._members()

    def _members(self) -> dict[str, Any]:
        return {}


@frozen
class Problem:
    """One thing that is wrong, and where: a place in a document or a JSON path in the inputs."""

    message: str
    where: str = ""
    line: int | None = None
    column: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        place = self.where
        if self.line is not None:
            place += f":{self.line}:{self.column}" if self.column is not None else f":{self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def to_json(self) -> dict[str, Any]:
        """Return the members that are set."""
        members = {
            "message": self.message,
            "where": self.where,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
        }
        return {name: value for name, value in members.items() if value not in ("", None)}


class ErrorWithProblems(LocalprocError):
    """An error that has all problems at once; ``problems`` are those."""

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [self.message, *(f"  {problem}" for problem in self._told())]
        return "\n".join([*lines, f"  hint: {self.hint}"] if self.hint else lines)

    def _members(self) -> dict[str, Any]:
        return {"problems": [problem.to_json() for problem in self._told()]}

    def _told(self) -> list[Problem]:
        """Return the problems that are written out: an array may have a million of one kind."""
        told, more = self.problems[:MOST_TOLD], len(self.problems) - MOST_TOLD
        return [*told, Problem(f"and {more} more")] if more > 0 else list(told)
