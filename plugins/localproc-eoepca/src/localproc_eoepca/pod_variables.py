"""The variables that a handler has for tools, and which of them nobody may see.

Owns telling keys from other variables, by their names and by values that are keys elsewhere. Must
not know handlers or jobs.

Sites give tools their keys this way. What a job is given plainly is kept with it, so keys are given
as secrets: by name, and found in the environment of this process, which is put back at the end.
"""

import os
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

_KEYS: Final = re.compile(
    r"SECRET|PASSW|PASSPHRASE|TOKEN|CREDENTIAL|(ACCESS|ACCOUNT|API|PRIVATE)_?KEY"
)
_SHORTEST: Final = 4  #: characters that a secret has at the least
#: What their names as secrets begin with, and the variables that those come from.
_PREFIX: Final = "zoo-"
_SOURCE: Final = "LOCALPROC_SECRET_ZOO_"


def pod_variables(given: Mapping[str, Any], keys: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return rules for the variables of all tools, and put keys into the environment.

    ``keys`` are values that are keys whatever variable they are in; variables without a value are
    left out.
    """
    values = {str(name): str(one) for name, one in given.items() if one is not None}
    hidden = {
        name
        for name, value in values.items()
        if len(value) >= _SHORTEST and (_KEYS.search(name.upper()) or value in keys)
    }
    for name in hidden:
        os.environ[f"{_SOURCE}{re.sub(r'[^A-Z0-9]', '_', name.upper())}"] = values[name]
    plain = {name: value for name, value in values.items() if name not in hidden}
    secret = {name: f"secret:{_PREFIX}{name}" for name in sorted(hidden)}
    return [{"set": plain}, {"step": "*", "set": secret}]
