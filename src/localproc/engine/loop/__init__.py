"""The one loop for all jobs of an engine: take facts, let jobs decide, record, act.

Owns the order of these, and the threads that do what is slow. Must not decide about a job itself.
"""
