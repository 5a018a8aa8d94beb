"""Loading what a command needs.

Owns that nobody looks for garbage in it: what is loaded stays to the end, and going through all of
it again and again, and once more at the end, would take a quarter of the time. Must not know what
is loaded.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading(*, leaves_garbage: bool = False) -> Iterator[None]:
    """Leave garbage alone until all is loaded, and what is there then for good.

    ``leaves_garbage``: there may be much of that, which goes when all is looked through some day.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            if leaves_garbage:
                gc.unfreeze()  # all of it is old now, and old things are looked at last
            gc.enable()
