"""Requirements that come with the inputs (``cwl:requirements``, CWL v1.1, "Requirements & hints").

Owns reading them as those of a package are read. Must not know what they mean.
"""

import json
from typing import Any, Final, NoReturn

from localproc.cwl.load.load import load
from localproc.cwl.load.sources import Sources
from localproc.errors import InvalidInputs, PackageError, Problem, StagingError

NAME: Final = "cwl:requirements"


def requirements(given: Any, version: str, base: str) -> list[Any]:
    """Return requirements as a list in their resolved form.

    ``version`` is that of the process, ``base`` the URI of the folder that relative paths hang
    from. Raises ``InvalidInputs`` for what is none, or is not supported.
    """
    process = {
        "cwlVersion": version,
        "class": "CommandLineTool",
        "inputs": [],
        "outputs": [],
        "requirements": given,
    }
    text = json.dumps(process).encode()
    uri = f"{base or 'file:///'}".rstrip("/") + "/inputs"
    try:
        found = load(Sources(uri, _refuse, {uri: text}))
    except PackageError as error:
        problems = error.problems or [Problem(error.message, hint=error.hint)]
        where = f"inputs.{NAME}"
        raise InvalidInputs(
            f"{NAME} cannot be used",
            [Problem(one.message, where, hint=one.hint) for one in problems],
        ) from None
    return list(found.main["requirements"])


def _refuse(uri: str) -> NoReturn:
    raise StagingError(f"{uri}: inputs import nothing")
