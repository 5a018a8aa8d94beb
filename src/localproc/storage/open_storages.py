"""The storages of an engine, opened when they are first asked for.

Owns which options a URI has, and that a storage is opened once. Must not know plugins beyond their
being found by scheme, nor what storages are used for.

Options are given for a scheme (``s3``) or for what lies below a URI (``s3://bucket/folder``), for
all namespaces or for one; the more particular one adds to the other, option by option.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from localproc.errors import EnvironmentProblem
from localproc.model import InputPolicy
from localproc.plugins.protocols import OUTDATED, lacks
from localproc.plugins.storage import Storage, StoragePlugin
from localproc.storage.access import Access, scheme_of
from localproc.storage.input_cache import ANYBODY, InputCache
from localproc.storage.kept_inputs import KeptInputs, Offline
from localproc.storage.meter import Meter
from localproc.uris import is_below

#: Options by scheme or by the beginning of URIs.
StorageOptions = Mapping[str, Mapping[str, Any]]


class Storages:
    """Opens and closes them. ``find`` gives the plugin of a scheme, or raises ``PluginMissing``.

    ``cache`` keeps what is read from them, ``offline`` says whether it stands in for them.

    Opening one may take long (it asks for keys, say), so it is done by the first who needs it, in
    its own thread; only those who need the same one wait for that.
    """

    def __init__(
        self,
        find: Callable[[str], StoragePlugin],
        options: StorageOptions,
        of_namespaces: Mapping[str, StorageOptions],
        cache: InputCache | None = None,
        offline: Offline = Offline.NEVER,
    ) -> None:
        self._find = find
        self._cache = cache
        self._offline = offline
        self._options = options
        self._of_namespaces = of_namespaces
        self._open: dict[object, Future[Storage]] = {}
        self._lock = threading.Lock()

    def open(self, uri: str, guarded: bool = False, *, namespace: str = "") -> Storage:
        """Return the storage of a URI.

        Raises ``PluginMissing``, ``EnvironmentProblem`` if it keeps an earlier protocol, and what
        opening it raises.
        """
        scheme = scheme_of(uri)
        keys, options = self._chosen(scheme, uri, namespace)
        key = (scheme, keys, guarded)
        with self._lock:
            found = self._open.get(key)
            mine = found is None
            if found is None:
                found = self._open[key] = Future()
        if mine:
            try:
                found.set_result(_opened(self._find(scheme), {**options, "guarded": guarded}))
            except BaseException as error:
                with self._lock:
                    self._open.pop(key, None)  # the next one tries again
                found.set_exception(error)
        return found.result()

    def access(
        self,
        policy: InputPolicy,
        namespace: str,
        stopped: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] = lambda _: None,
        *,
        mirrored: bool = False,
        meter: Meter | None = None,
    ) -> Access:
        """Return the way to all that may be read for a namespace under a policy.

        ``mirrored``: what is read is kept for everybody; it is asked for even if all else is
        offline. ``meter`` is told of the bytes that come.
        """
        owner = ANYBODY if mirrored else f"{namespace} {'guarded' if policy.guarded else 'open'}"
        kept = KeptInputs(self._cache, owner, Offline.NEVER if mirrored else self._offline)
        return Access(partial(self.open, namespace=namespace), policy, stopped, log, kept, meter)

    def of_packages(self, policy: InputPolicy, namespace: str) -> Access:
        """Return the way to packages: offline to those that are kept, else to where they lie."""
        if self._offline is not Offline.NEVER:
            return self.access(policy, namespace)
        return Access(partial(self.open, namespace=namespace), policy)

    def mirrored(self, uri: str) -> bytes | None:
        """Return what is mirrored of a URI, ``None`` for nothing; nobody is asked."""
        kept = self._cache.find(uri, ANYBODY) if self._cache else None
        if self._cache is None or kept is None:
            return None
        with open(self._cache.blob(kept), "rb") as file:
            return file.read()

    def check(self, uris: Iterable[str]) -> None:
        """Raise ``PluginMissing`` if there is no storage for one of some URIs."""
        for scheme in set(map(scheme_of, uris)):
            self._find(scheme)

    def close(self) -> None:
        """Close all that are open."""
        with self._lock:
            found, self._open = list(self._open.values()), {}
        for one in found:
            if one.done() and one.exception() is None:
                one.result().close()

    def _chosen(
        self, scheme: str, uri: str, namespace: str
    ) -> tuple[tuple[tuple[str, str], ...], dict[str, Any]]:
        """Return which options hold for a URI, by where they are found, and what they are."""
        keys: list[tuple[str, str]] = []
        options: dict[str, Any] = {}
        for name, given in (("", self._options), (namespace, self._of_namespaces.get(namespace))):
            for prefix in sorted(given or (), key=len):
                if prefix == scheme or (urlsplit(prefix).netloc and is_below(uri, prefix)):
                    keys.append((name, prefix))
                    options |= (given or {})[prefix]
        return tuple(keys), options


def _opened(plugin: StoragePlugin, options: Mapping[str, Any]) -> Storage:
    storage = plugin.open(options)
    if missing := lacks(storage, Storage):
        raise EnvironmentProblem(
            f"the storage {plugin.scheme!r} does not keep the protocol of storages: it has no "
            f"{', '.join(missing)}",
            hint=OUTDATED,
        )
    return storage
