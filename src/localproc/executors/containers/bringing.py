"""How a person has an image that is missing, where localproc keeps images itself.

Owns the words of that. Must not know any runtime.
"""

import shlex

from localproc.model import Container


def brings(container: Container, runtime: str) -> str:
    """Return what a person does to have an image that is missing."""
    name, options = shlex.quote(container.image), f"--containers {runtime}"
    if container.load:
        return f"localproc images load {shlex.quote(container.load)} --name {name} {options}"
    if container.imported:
        file = shlex.quote(container.imported)
        return f"localproc images load {file} --root --name {name} {options}"
    if container.build:
        made = f"docker build --tag {name} - < its Dockerfile; docker save --output FILE {name}"
        return f"{made}; localproc images load FILE --name {name} {options}"
    return f"localproc images pull {shlex.quote(container.pull or container.image)} {options}"
