"""HTML in a notebook that is kept up to date.

Owns the widget and the thread that writes to it; both are only there where ipywidgets is installed.
Must not know what is shown.
"""

import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

from localproc.shortages import started

_PAUSE: Final = 1.0  #: seconds from one look to the next
_VIEW: Final = "application/vnd.jupyter.widget-view+json"


def live_view(html: Callable[[], str], goes_on: Callable[[float], bool]) -> dict[str, Any]:
    """Return the member of a MIME bundle for a widget that shows ``html``, if there are any.

    ``goes_on`` waits for so many seconds and tells whether there is going to be more. Where the
    system has no thread left it stays as it is now.
    """
    if find_spec("ipywidgets") is None:
        return {}
    from ipywidgets import HTML

    widget = HTML(value=html())

    def follow() -> None:
        while goes_on(_PAUSE):
            widget.value = html()
        widget.value = html()

    started(threading.Thread(target=follow, name="localproc-notebook", daemon=True))
    return {_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}
