"""Files of this machine, storages, and staging between them.

Owns everything that reads or writes bytes of inputs and results. Must not know jobs' states, the
store or executors.
"""
