"""Asking what may hang, and waiting for an answer for so long only.

Owns that: a question that is still open is not asked again meanwhile. Must not know what is asked.
"""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from localproc.errors import ExecutorUnavailable
from localproc.shortages import started

_T = TypeVar("_T")

#: Seconds. Who answers at all does so in a fraction of one, but on a machine with much to do.
SOON: Final = 5.0


class Prompt:
    """Questions by whom they are asked of. Several threads may ask at once."""

    def __init__(self, seconds: float = SOON) -> None:
        self._seconds = seconds
        self._open: dict[str, threading.Thread] = {}

    def ask(self, whom: str, question: Callable[[], _T]) -> _T:
        """Return the answer, or raise what it raises; ``ExecutorUnavailable`` if none comes."""
        before = self._open.get(whom)
        if before is not None and before.is_alive():
            raise self._silent(whom)
        answers: list[_T] = []
        wrong: list[Exception] = []

        def do() -> None:
            try:
                answers.append(question())
            except Exception as error:
                wrong.append(error)

        thread = threading.Thread(target=do, name=f"localproc-{whom}", daemon=True)
        if started(thread):
            thread.join(self._seconds)
        else:
            do()
        if wrong:
            raise wrong[0]
        if not answers:
            self._open[whom] = thread
            raise self._silent(whom)
        return answers[0]

    def _silent(self, whom: str) -> ExecutorUnavailable:
        return ExecutorUnavailable(f"{whom} does not answer within {self._seconds:g} s")
