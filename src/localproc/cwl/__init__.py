"""The CWL interpreter: documents in, plans and tasks out.

Owns everything the CWL v1.0, v1.1 and v1.2 specifications say about loading, checking, expressions,
command lines, outputs and workflow order. It is pure: what it needs to know of a disk it asks of a
``Files`` that is handed in, and what it wants done it gives back as data. Must not know threads,
clocks, processes, executors or the engine.
"""
