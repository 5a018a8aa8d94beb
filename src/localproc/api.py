"""The engine as programs get it: with clients that talk to it in process.

Owns joining the engine with the HTTP face. Must not know how either works.
"""

from typing import TYPE_CHECKING, Any, Final, cast

from localproc.engine.engine import Engine as CoreEngine
from localproc.errors import PluginMissing

if TYPE_CHECKING:
    import httpx
    from ogc_api_processes_client.api_client_wrapper import ApiClientWrapper

_HOST: Final = "http://localproc"


class Engine(CoreEngine):
    """Runs application packages, in this process, and keeps what happens in a home."""

    __doc__ = CoreEngine.__doc__

    def client(self, **options: Any) -> "httpx.Client":
        """Give an HTTP client whose requests are answered here, without any socket.

        Paths are relative to the namespace's root: ``client.get("processes")``. ``options`` are
        those of ``localproc.http.HttpSettings``. Needs the extra ``http``.
        """
        import httpx

        from localproc.http import create_app
        from localproc.http.inprocess import InProcessTransport

        app = create_app(self, **options)
        base = _HOST + app.state.settings.root(self.namespace)
        return httpx.Client(transport=InProcessTransport(app), base_url=base)

    def ogc_client(self, **options: Any) -> "ApiClientWrapper":
        """Give the ``ApiClientWrapper`` of ogc-api-processes-client, answered here as well.

        Raises ``PluginMissing`` if that package is not installed.
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
