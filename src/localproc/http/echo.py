"""The process that gives back what it gets.

Owns deploying it. Clients and conformance suites try a service with it (Part 1, requirement
``core/test-process``); it can be neither replaced nor undeployed.
"""

from importlib.resources import files

from localproc.engine.engine import Engine


def deploy_echo(engine: Engine) -> None:
    """Deploy ``echo`` in the engine's namespace."""
    package = files("localproc.http").joinpath("echo.json").read_bytes()
    engine.deploy(package, process_id="echo", mutable=False)
