"""The embedded store: one SQLite file for each home.

Owns how processes, jobs and events are kept. Must not know the engine, executors or storages.
"""

from localproc.store.sqlite import SqliteStore

__all__ = ["SqliteStore"]
