"""What helps to test packages and plugins.

Owns the pytest plugin (``localproc_engine``) and the contracts that executors, storages and stores
are proven with: classes to inherit from, which localproc's own tests inherit from too. Must not be
needed by anything but tests.
"""
