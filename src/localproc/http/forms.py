"""Execute requests from the form on a process's page.

Owns reading the form's fields. Must not know how the form looks.
"""

from typing import Any

from localproc.engine.handles import Process
from localproc.http.exchange import Exchange


def form_request(exchange: Exchange, process: Process) -> dict[str, Any]:
    """Give the execute request that a form holds."""
    raise NotImplementedError
