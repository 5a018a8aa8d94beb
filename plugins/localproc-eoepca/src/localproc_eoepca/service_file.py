"""A site's ``service.py``: loading it, and calling its function as the ZOO kernel does.

Owns which function that is. Must not know what a service does with its handler.

One service runs at a time in a process: it may change the current folder, the environment and
modules, as it may under the kernel.
"""

import importlib.util
import inspect
import os
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from localproc.errors import InvalidInputs
from localproc_eoepca.runner import SUCCEEDED, Runner, Site, untold
from localproc_eoepca.standins import standing_in
from localproc_eoepca.zoo_documents import Conf, as_kernel, configured

_ARGUMENTS: Final = ("conf", "inputs", "outputs")
_ALONE: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Served:
    """How a service ended, with the dictionaries that it has filled."""

    status: int
    outputs: Mapping[str, Any] = field(default_factory=dict)
    conf: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def successful(self) -> bool:
        """Whether it says so."""
        return self.status == SUCCEEDED

    @property
    def message(self) -> str:
        """What it says last."""
        return str(self.conf.get("lenv", {}).get("message", ""))


def run_service(
    path: str | os.PathLike[str],
    inputs: Mapping[str, Any] | None = None,
    *,
    conf: Mapping[str, Any] | None = None,
    home: str | os.PathLike[str] = ".localproc",
    results: str | os.PathLike[str] = "",
    base: str | os.PathLike[str] = "",
    told: Callable[[int, str], None] = untold,
    **settings: Any,
) -> Served:
    """Run the service of a file and return how it ended.

    ``conf`` are sections of the kernel's configuration: ``{"eoepca": {...}}``; its
    ``lenv.Identifier`` says which function is called if there are several, ``lenv.usid`` which
    execution this is: one that was cut short goes on. ``results`` is where results go, whatever the
    handler says. ``told`` is given percent and a message. ``settings`` are those of
    ``localproc.Engine``. Raises ``InvalidInputs`` for what is no service.
    """
    base = os.path.abspath(base or os.getcwd())
    given = {"lenv": {}, **(conf or {})}
    site = Site(os.path.abspath(home), str(results), base, settings, told)
    runner = type("ZooCalrissianRunner", (Runner,), {"site": site})
    with (
        _ALONE,
        tempfile.TemporaryDirectory(prefix="localproc-zoo-") as folder,
        _as_it_was(),
        standing_in(runner, told),
        _beside(os.path.dirname(os.path.abspath(path))),
    ):
        module = _loaded(os.path.abspath(path))
        function = _function(module, str(given["lenv"].get("Identifier", "")))
        usid = str(given["lenv"].get("usid") or uuid.uuid4())
        whole: Conf = configured(given, inputs or {}, function.__name__, usid, folder)
        outputs: dict[str, Any] = {}
        status = function(whole, as_kernel(inputs or {}), outputs)
    return Served(status if isinstance(status, int) else 0, outputs, whole)


def _loaded(path: str) -> ModuleType:
    """Import a file under a name of its own."""
    name = f"localproc_zoo_{uuid.uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        raise InvalidInputs(f"{path} is no service", hint="name a file such as service.py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise InvalidInputs(
            f"{path} cannot be imported: {error}", hint="install what the service needs"
        ) from error
    return module


@contextmanager
def _beside(folder: str) -> Iterator[None]:
    """Have what lies beside a service imported by it, also while it runs, and by no other one."""
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)
        for name in [one for one in sys.modules.keys() - before if _lies_in(folder, one)]:
            del sys.modules[name]


def _lies_in(folder: str, module: str) -> bool:
    """Whether a module, or the package that it is in, was found in a folder itself."""
    name = module.partition(".")[0]
    places = (os.path.join(folder, f"{name}.py"), os.path.join(folder, name, "__init__.py"))
    return getattr(sys.modules.get(name), "__file__", None) in places


def _function(module: ModuleType, identifier: str) -> Callable[..., Any]:
    """Return the function of a service."""
    found = {
        name: one
        for name, one in vars(module).items()
        if inspect.isfunction(one)
        and one.__module__ == module.__name__
        and tuple(inspect.signature(one).parameters) == _ARGUMENTS
    }
    wanted = identifier.replace("-", "_")
    if wanted in found:
        return found[wanted]
    if len(found) == 1 and not wanted:
        return next(iter(found.values()))
    known = ", ".join(found) or "none"
    what = f"function {wanted!r}" if wanted else "single function"
    raise InvalidInputs(
        f"{module.__file__} has no {what} of conf, inputs and outputs",
        hint=f"it has {known}; lenv.Identifier in the configuration says which is meant",
    )


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Have the current folder and the environment be what they were."""
    folder, environment = os.getcwd(), dict(os.environ)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
