"""The keeper: a small process that starts tasks, records their ends and outlives the engine.

It runs with the standard library alone and without site-packages, so that it starts in
milliseconds: this folder is a package of its own, that may be imported from where it lies.
"""
