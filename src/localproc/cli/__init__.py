"""The command line.

Owns ``localproc`` and its commands. Must not know anything of jobs that the engine's public objects
do not tell.
"""

import sys

from localproc.cli.loading import loading

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; never returns. Ctrl-C is told shortly while it still loads, too."""
    try:
        with loading():
            from localproc.cli import app
    except KeyboardInterrupt:
        sys.exit(130)
    app.main(arguments)
