"""Measurements: what localproc costs, beside what the same work costs without it.

``python -m benchmarks`` runs them all and prints one table. Every module owns one concern and gives
the rows for it; what is compared is measured in turn, in the same run, on the same file system.
These are measurements and not tests: they never fail, they show.
"""
