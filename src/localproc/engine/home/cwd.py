"""Where relative paths hang from.

Owns the current folder, which somebody may have removed. Must not know what the paths are of.
"""

import os

from localproc.errors import EnvironmentProblem, HomeUnusable, InvalidInputs


def current_folder() -> str:
    """Return the current folder; one that was removed by the name that it had."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.environ.get("PWD", "/")


def check_current_folder() -> None:
    """Raise ``EnvironmentProblem`` if there is no current folder: reading CWL asks for its name."""
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise EnvironmentProblem(
            "the current folder was removed", hint="go to another one (cd)"
        ) from error


def absolute_home(home: str | os.PathLike[str]) -> str:
    """Return the path of a home; raises ``InvalidInputs`` for an empty one, or ``HomeUnusable``."""
    path = os.path.expanduser(os.fspath(home))
    if not path:
        raise InvalidInputs(
            "the home has no name", hint="a variable may be unset; '.' is the current folder"
        )
    try:
        return os.path.abspath(path)
    except FileNotFoundError as error:
        raise HomeUnusable(
            f"the home {path} cannot be used: the current folder was removed",
            hint="go to another one (cd), or name the home in full",
        ) from error
