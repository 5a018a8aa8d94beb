"""The runner, where nodes see it.

Owns copying it there: the shell's part, and the keeper. Must not know what it runs.
"""

import hashlib
import os
import secrets
import shutil
from typing import Final

_HERE: Final = os.path.dirname(os.path.abspath(__file__))
_KEEPER: Final = os.path.join(os.path.dirname(_HERE), "keeper")


def copied(folder: str) -> str:
    """Copy the runner into a folder that nodes see; return its own, another one if it changes."""
    sources = {name: os.path.join(_HERE, name) for name in ("runner.sh", "veil.sh")} | {
        name: os.path.join(_KEEPER, name) for name in os.listdir(_KEEPER) if name.endswith(".py")
    }
    digest = hashlib.sha256()
    for name, path in sorted(sources.items()):
        with open(path, "rb") as file:
            digest.update(name.encode() + file.read())
    target = os.path.join(folder, f"runner_{digest.hexdigest()[:16]}")
    if not os.path.isdir(target):
        new = f"{target}.{secrets.token_hex(8)}"  # engines of other machines, too, see the folder
        os.makedirs(new)
        for name, path in sources.items():
            shutil.copyfile(path, os.path.join(new, name))
        try:
            os.rename(new, target)
        except OSError:
            if not os.path.isdir(target):
                raise
        finally:  # another engine was first
            shutil.rmtree(new, ignore_errors=True)
    return target
