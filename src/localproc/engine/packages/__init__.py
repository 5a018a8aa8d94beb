"""The packages of an engine: reading them, keeping them as processes, making them ready to run.

Owns deployment. Must not know jobs.
"""
