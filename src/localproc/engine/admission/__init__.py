"""Accepting a job: its request is read and checked, then recorded.

Owns what stands between a caller and a job. Must not know how jobs are run.
"""
