"""The process that gives back what it gets.

Owns deploying it. Clients and conformance suites try a service with it (Part 1, requirement
``core/test-process``); it can be neither replaced nor undeployed.
"""

from importlib.resources import files

from localproc.engine.engine import LocalEngine
from localproc.errors import NoSuchProcess, StoreCorrupted


def deploy_echo(engine: LocalEngine) -> None:
    """Deploy ``echo`` in the engine's namespace, unless there is another one of that name."""
    package = files("localproc.http").joinpath("echo.json").read_bytes()
    try:
        found = engine.process("echo")
        if found.record.mutable or found.package == package:
            return
    except NoSuchProcess:
        pass
    except StoreCorrupted:  # whose it was cannot be told
        return
    engine.deploy(package, process_id="echo", mutable=False)
