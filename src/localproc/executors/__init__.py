"""Executors that come with localproc.

Owns running tasks on this machine. Must not know jobs, CWL, the store or the engine.
"""
