"""The command line.

Owns ``localproc`` and its commands. Must not know anything of jobs that the engine's public objects
do not tell.
"""

from localproc.cli.app import main

__all__ = ["main"]
