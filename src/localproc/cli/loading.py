"""Loading what a command needs.

Owns that nobody looks for garbage meanwhile: what is loaded stays, and going through all of it
again and again would take a tenth of the time. Must not know what is loaded.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Leave garbage alone until all is loaded."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
