"""Where a command works.

Owns the home and the namespace that were named before the command, and opening engines there: only
commands that deploy or run something make a home. Must not import the engine before one is opened,
so that ``--help`` is instant.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from localproc.cli.loading import loading
from localproc.frozen import frozen

if TYPE_CHECKING:
    from localproc.api import Engine
    from localproc.engine.home.settings import Settings
    from localproc.storage.open_storages import StorageOptions


@frozen
class Site:
    """A home and a namespace of it."""

    home: str
    namespace: str
    is_named: bool = False  #: the home, by an option: other commands would have another one

    def open(self, **settings: Any) -> "Engine":
        """Return an engine that runs jobs, with these settings; the home is made if need be."""
        with loading():
            from localproc.api import Engine

        return Engine(self.home, namespace=self.namespace, **settings)

    def prepare(self, **settings: Any) -> "Engine":
        """Return an engine that runs nothing itself; the home is made if need be."""
        return self.open(run_jobs=False, **settings)

    def look(self, **settings: Any) -> "Engine":
        """Return an engine to look at the home with; raises ``NotFound`` if there is none."""
        self.check()
        return self.prepare(**settings)

    @contextmanager
    def anywhere(self, **settings: Any) -> Iterator["Engine"]:
        """Give an engine to read packages with, which leaves no trace and needs no home."""
        from localproc.api import Engine

        with (
            tempfile.TemporaryDirectory(prefix="localproc-") as folder,
            Engine(
                folder,
                namespace=self.namespace,
                run_jobs=False,
                storage_options=self.storage_options(),
                **settings,
            ) as engine,
        ):
            yield engine

    def storage_options(self) -> "StorageOptions":
        """Return what the settings of the home, if there is one, say of storages."""
        return self.settings().storage_options

    def exists(self) -> bool:
        """Return whether there is a home."""
        from localproc.engine.home.cwd import absolute_home
        from localproc.engine.home.home import Home

        return os.path.exists(Home(absolute_home(self.home)).store)

    def settings(self, **given: Any) -> "Settings":
        """Return the settings that an engine of the home would have; there need not be one."""
        from localproc.engine.home.cwd import absolute_home
        from localproc.engine.home.home import Home
        from localproc.engine.home.settings import Settings
        from localproc.engine.home.settings_file import with_file

        return with_file(Settings(**given), Home(absolute_home(self.home)).settings)

    def check(self) -> None:
        """Raise ``NotFound`` if there is no home, ``InvalidInputs`` for a bad namespace."""
        from localproc.engine.home.home import check_namespace

        check_namespace(self.namespace)
        if not self.exists():
            from localproc.errors import NotFound

            raise NotFound(
                f"there is no home at {self.home}: nothing was deployed or run there",
                hint="name another one with --home or LOCALPROC_HOME; "
                "localproc run PACKAGE makes one",
            )
