"""JavaScript, for a moment.

Owns how long the loop waits for an expression before it has to leave it to a worker. Must not know
what for.
"""

from collections import OrderedDict
from time import monotonic
from typing import Final

from localproc.executors.script_process import TakesLong
from localproc.executors.scripts import NoneFree, Scripts
from localproc.storage.disk import TooBig

_EACH: Final = 0.002  #: seconds for one expression
_TURN: Final = 0.004  #: seconds for all of one turn
_LARGE: Final = 16 * 1024  #: characters of what goes in and comes out
_FIRST: Final = 10  #: times that an expression is left to workers once it was too slow
_MORE: Final = 10  #: and then so many times as often
_KNOWN: Final = 1_000  #: slow expressions that are remembered


class QuickScripts:
    """The loop's evaluator: raises ``TooBig`` for what takes longer than a moment.

    An expression runs in a process of its own and can be left there, so that this needs no more
    than a look at the clock. One that was too slow is left to workers for a while, without trying,
    each time for longer, until it is quick.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._left = _TURN
        self._slow: OrderedDict[int, tuple[int, int]] = OrderedDict()  #: times to go, of how many

    def next_turn(self) -> None:
        """There is time again."""
        self._left = _TURN

    def __call__(self, source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        """Evaluate as ``localproc.cwl.expr.javascript.Evaluator`` says."""
        size = len(source) + sum(map(len, arguments))
        if self._left <= 0 or size > _LARGE or self._is_slow(source):
            raise TooBig(source)
        began = monotonic()
        try:
            text = self._scripts.run_briefly(source, arguments, min(_EACH, self._left))
        except NoneFree:
            raise TooBig(source) from None
        except TakesLong:
            self._note(source)
            raise TooBig(source) from None
        finally:
            self._left -= monotonic() - began
        if len(text) > _LARGE:
            self._note(source)
            raise TooBig(source)
        self._slow.pop(hash(source), None)
        return text

    def _is_slow(self, source: str) -> bool:
        """Whether it is to be left to workers this time."""
        left, times = self._slow.get(hash(source), (0, 0))
        if left:
            self._slow[hash(source)] = left - 1, times
        return left > 0

    def _note(self, source: str) -> None:
        _, times = self._slow.pop(hash(source), (0, _FIRST // _MORE))
        self._slow[hash(source)] = times * _MORE, times * _MORE
        if len(self._slow) > _KNOWN:
            self._slow.popitem(last=False)
