"""The store in SQLite.

Owns that all tables lie in one file, so that what belongs together is written together.
"""

from localproc.store.outbox import OutboxTable
from localproc.store.processes import ProcessTables
from localproc.store.tokens import TokenTable
from localproc.store.triggers import TriggerTables


class SqliteStore(TriggerTables, ProcessTables, OutboxTable, TokenTable):
    """Implements ``localproc.plugins.store.Store``."""
