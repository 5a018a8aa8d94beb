"""The engine as programs get it: with clients that talk to it in process.

Owns joining the engine with the HTTP face. Must not know how either works.
"""

from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from localproc.engine.engine import LocalEngine
from localproc.errors import PluginMissing
from localproc.http.http_settings import HttpOptions
from localproc.spelling import public

if TYPE_CHECKING:
    import httpx
    from ogc_api_processes_client.api_client_wrapper import ApiClientWrapper


_HOST: Final = "http://localproc"


@public
class Engine(LocalEngine):
    """Runs application packages, in this process, and keeps what happens in a home.

    ::

        import localproc

        with localproc.Engine("./.localproc", slots=4) as engine:
            process = engine.deploy("water-bodies.cwl")
            job = process.execute("inputs.yml", title="Olinda")
            for step in job.watch():
                print(step.name, step.status)
            print(job.results())

    ``home`` is a folder; several engines, in one process or several, may share it. ``settings`` are
    those of ``localproc.Settings``, by name. ``plugins`` are added to the installed ones.
    ``run_jobs=False`` opens the home to look at: nothing is run or taken over. ``allow_remote``
    lets packages include documents from the network.

    Raises ``HomeUnusable``, ``StoreCorrupted``, ``InvalidInputs`` for settings that make no sense,
    and ``UnknownOption`` for one that does not exist.

    As a context manager it waits, when left in peace, for the jobs that it has accepted; left by an
    exception, it leaves them to the next engine that opens the home. Raises ``EnvironmentProblem``
    if it has stopped by itself and they cannot be waited for.
    """

    def client(self, **options: Unpack[HttpOptions]) -> "httpx.Client":
        """Return an HTTP client whose requests are answered here, without any socket.

        Paths are relative to the namespace's root: ``client.get("processes")``. ``options`` are
        those of ``localproc.http.HttpSettings``. Needs the extra ``http``: raises ``PluginMissing``
        without it, ``UnknownOption`` for an option that does not exist.
        """
        from localproc.http import create_app

        app = create_app(self, **options)

        import httpx

        from localproc.http.inprocess import InProcessTransport

        base = _HOST + app.state.settings.root(self.namespace)
        return httpx.Client(transport=InProcessTransport(app), base_url=base)

    def ogc_client(self, **options: Unpack[HttpOptions]) -> "ApiClientWrapper":
        """Return the ``ApiClientWrapper`` of ogc-api-processes-client, answered here as well.

        ``options`` are those of ``localproc.http.HttpSettings``. Raises ``PluginMissing`` if that
        package, or the extra ``http``, is not installed.
        """
        from localproc.http import create_app
        from localproc.http.inprocess import InProcessPool

        try:
            from ogc_api_processes_client.api_client_wrapper import ApiClientWrapper
            from ogc_api_processes_client.configuration import Configuration
        except ModuleNotFoundError as error:
            raise PluginMissing(
                "ogc_client() needs ogc-api-processes-client",
                hint="pip install ogc-api-processes-client",
            ) from error
        app = create_app(self, **options)
        host = _HOST + app.state.settings.root(self.namespace)
        wrapper: Any = ApiClientWrapper(Configuration(host=host))  # type: ignore[no-untyped-call]
        wrapper.api_client.rest_client.pool_manager = InProcessPool(app)
        return cast("ApiClientWrapper", wrapper)
