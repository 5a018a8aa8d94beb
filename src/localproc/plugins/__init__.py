"""What can be plugged in: hooks for one-to-many, protocols for one-to-one.

Owns the hook specifications, the protocols of executors, storages and stores, and finding plugins.
Must not know any particular one of them, nor the engine.
"""

import pluggy

#: Marks the functions of a plugin that implement a hook of ``localproc.plugins.hooks``.
hookimpl = pluggy.HookimplMarker("localproc")

__all__ = ["hookimpl"]
