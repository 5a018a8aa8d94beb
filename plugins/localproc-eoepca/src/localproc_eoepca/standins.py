"""The modules that a service imports, with localproc's runner in the place of theirs.

Owns their names and what is in them, for as long as a service is loaded. Must not know services.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any, Final

from localproc_eoepca.handlers import ExecutionHandler
from localproc_eoepca.runner import Runner

#: The packages that services of EOEPCA and of ZOO-Project import, their modules, and the runners.
_RUNNERS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "zoo_calrissian_runner": (("", ".handlers"), "ZooCalrissianRunner"),
    "zoo_argowf_runner": (("", ".runner", ".handlers"), "ZooArgoWorkflowsRunner"),
    "zoo_wes_runner": (("", ".wes_runner", ".handlers"), "ZooWESRunner"),
    "zoo_runner_common": (("", ".handlers", ".base_runner"), "BaseRunner"),
}


_LOG: Final = logging.getLogger("localproc.zoo")
#: How a service may stand, in the order of the numbers that it returns.
_STATUSES: Final = (
    "ACCEPTED",
    "STARTED",
    "PAUSED",
    "SUCCEEDED",
    "FAILED",
    "DISMISSED",
    "DEPLOYED",
    "UNDEPLOYED",
)
#: What a service logs with.
_LEVELS: Final = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "success": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


@contextmanager
def standing_in(runner: type[Runner], told: Callable[[int, str], None]) -> Iterator[None]:
    """Have the modules found by whoever imports them; whatever was there is there again then."""
    modules = {"zoo": _zoo(told)}
    for package, (parts, name) in _RUNNERS.items():
        members = {"ExecutionHandler": ExecutionHandler, name: runner, "__path__": []}
        modules |= {f"{package}{part}": _module(f"{package}{part}", members) for part in parts}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def _zoo(told: Callable[[int, str], None]) -> ModuleType:
    """Return the module of the kernel."""

    def update_status(conf: Mapping[str, Any], progress: int) -> None:
        told(int(progress), str(conf.get("lenv", {}).get("message", "")))

    return _module(
        "zoo",
        {
            **{f"SERVICE_{name}": number for number, name in enumerate(_STATUSES)},
            **{name: partial(_said, level) for name, level in _LEVELS.items()},
            "update_status": update_status,
            "exception": type("exception", (Exception,), {"__module__": "zoo"}),
            "VERSION": "",
            "_": lambda message: message,
        },
    )


def _said(level: int, message: object) -> None:
    _LOG.log(level, "%s", message)


def _module(name: str, members: Mapping[str, Any]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module
