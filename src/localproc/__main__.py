"""``python -m localproc``."""

from localproc.cli import main

main()
